/**
 * Proofs that a validator broke a rule, made of its own signatures (hyperraft.md, Evidence).
 *
 * I84. Evidence holds two statements signed by the accused over contents that no honest validator
 *      signs both of; signatures are checked before anything is called evidence.
 */
import {
  compareRank,
  isHeaderValid,
  isTimeoutValid,
  isVoteValid,
  type Verifier,
} from '../certificates.ts';
import { hex, oneOf, struct, union, type Schema } from '../codec.ts';
import { unreachable } from '../machine.ts';
import { batchDigest, batchHeader, timeout, vote } from '../structures.ts';
import type { BatchHeader, PublicKey, Timeout, ValidatorIndex, Vote } from '../types.ts';

export type Evidence =
  /** Two votes of one kind for one (epoch, term, height). */
  | { readonly kind: 'doubleVote'; readonly first: Vote; readonly second: Vote }
  /** Two prepare votes for first blocks in one term. */
  | { readonly kind: 'doubleFirst'; readonly first: Vote; readonly second: Vote }
  /** A commit vote (t, h) and a timeout for t' ≥ t that claims less than (t, h). */
  | { readonly kind: 'hiddenCommit'; readonly vote: Vote; readonly timeout: Timeout }
  /** Two headers for one lane and seq: found, and written down, by replication (D1). */
  | { readonly kind: 'doubleBatch'; readonly first: BatchHeader; readonly second: BatchHeader };

export type EvidenceKind = Evidence['kind'];

export const evidence: Schema<Evidence> = union<Evidence>({
  doubleVote: struct({ first: vote, second: vote }),
  doubleFirst: struct({ first: vote, second: vote }),
  hiddenCommit: struct({ vote, timeout }),
  doubleBatch: struct({ first: batchHeader, second: batchHeader }),
});

/** The accused, with its key: evidence outlives the epoch whose indexes it uses. */
export interface EvidenceRecord {
  readonly accused: PublicKey;
  readonly found: EvidenceKind;
  readonly evidence: Evidence;
}

export const evidenceRecord: Schema<EvidenceRecord> = struct({
  accused: hex<PublicKey>(32),
  found: oneOf('doubleVote', 'doubleFirst', 'hiddenCommit', 'doubleBatch'),
  evidence,
});

/** Checks evidence from anywhere: true only if it proves what its kind says. */
export function isEvidenceValid(verifier: Verifier, item: Evidence): boolean {
  switch (item.kind) {
    case 'doubleVote':
      return areDouble(item.first, item.second) && areVotesValid(verifier, item);
    case 'doubleFirst':
      return areFirsts(item.first, item.second) && areVotesValid(verifier, item);
    case 'hiddenCommit':
      return (
        hidesCommit(item.vote, item.timeout) &&
        isVoteValid(verifier, item.vote) &&
        isTimeoutValid(verifier, item.timeout)
      );
    case 'doubleBatch':
      return (
        areRivals(verifier, item.first, item.second) &&
        isHeaderValid(verifier, item.first) &&
        isHeaderValid(verifier, item.second)
      );
    default:
      return unreachable(item);
  }
}

interface Votes {
  readonly first: Vote;
  readonly second: Vote;
}

function areVotesValid(verifier: Verifier, { first, second }: Votes): boolean {
  return isVoteValid(verifier, first) && isVoteValid(verifier, second);
}

function areDouble(a: Vote, b: Vote): boolean {
  const samePlace =
    a.kind === b.kind && a.epoch === b.epoch && a.term === b.term && a.height === b.height;
  return samePlace && a.voter === b.voter && (a.block !== b.block || a.first !== b.first);
}

function areFirsts(a: Vote, b: Vote): boolean {
  const bothFirst = a.kind === 'prepare' && b.kind === 'prepare' && a.first && b.first;
  const sameTerm = a.epoch === b.epoch && a.term === b.term && a.voter === b.voter;
  return bothFirst && sameTerm && a.block !== b.block;
}

function areRivals({ cluster, crypto }: Verifier, a: BatchHeader, b: BatchHeader): boolean {
  if (a.epoch !== b.epoch || a.lane !== b.lane || a.seq !== b.seq) return false;
  return batchDigest(crypto, cluster.id, a) !== batchDigest(crypto, cluster.id, b);
}

/** Whether this timeout claims less than its voter's own commit vote proves it knew (T2). */
export function hidesCommit(vote: Vote, item: Timeout): boolean {
  if (vote.kind !== 'commit' || vote.voter !== item.voter || vote.epoch !== item.epoch)
    return false;
  const claimed = { term: item.highTerm, height: item.highHeight };
  return item.term >= vote.term && compareRank(claimed, vote) < 0;
}

export function accusedBy(item: Evidence): ValidatorIndex {
  if (item.kind === 'doubleBatch') return item.first.lane;
  return item.kind === 'hiddenCommit' ? item.vote.voter : item.first.voter;
}

/** Where a piece of evidence accuses: one record is enough for each. */
export function evidenceKey(item: Evidence): string {
  if (item.kind === 'doubleBatch') return `${item.kind}/${item.first.lane}/${item.first.seq}`;
  const vote = item.kind === 'hiddenCommit' ? item.vote : item.first;
  const height = item.kind === 'doubleFirst' ? '' : `/${vote.height}`;
  return `${item.kind}/${vote.kind}/${vote.voter}/${vote.term}${height}`;
}
