/**
 * The safety record (rule P3): what a validator must never forget, because everything it will sign
 * is checked against it. `evolve` changes it, from logged events, so that it is recovered after a
 * crash. Two things are lighter than that: `raise` takes note of certificates that this node only
 * heard of, and a crash may forget those; `forgetDecided` drops votes that nobody waits for.
 *
 * I30. A validator casts at most one prepare vote per (term, height), with rising heights in a term.
 * I31. It votes for at most one first block per term, and only as its first vote of that term.
 * I32. It casts no vote in a term that it abandoned or has not entered.
 * I33. The rank of its highest certificate never falls (rule B5). After a crash it is at least that
 *      of every certificate that a vote, a timeout or the entry of a term of its own stood on.
 */
import { compareRank, NO_RANK, type Rank } from '../certificates.ts';
import type { Certificate, TimeoutCertificate, Vote } from '../types.ts';
import type { ConsensusEvent } from './events.ts';

export interface Safety {
  epoch: number;
  /** −1 before the first term is entered. */
  term: number;
  abandoned: boolean;
  /** Height of the last prepare vote in `term`; −1 when there is none. */
  preparedHeight: number;
  /** Rank of the last commit vote. */
  committed: Rank;
  highest: Certificate | null;
  /** The newest timeout cast, and what it carried: sent again unchanged (T3). */
  ownTimeout: Extract<ConsensusEvent, { kind: 'timeoutCast' }> | null;
  /** The highest timeout certificate that this node acted on. */
  closedBy: TimeoutCertificate | null;
  /** Own votes for heights that are not final: sent again unchanged (T3). */
  undecided: Vote[];
}

export function newSafety(): Safety {
  return {
    epoch: 0,
    term: -1,
    abandoned: false,
    preparedHeight: -1,
    committed: NO_RANK,
    highest: null,
    ownTimeout: null,
    closedBy: null,
    undecided: [],
  };
}

export function evolve(safety: Safety, event: ConsensusEvent): void {
  switch (event.kind) {
    case 'termEntered':
      safety.term = event.term;
      safety.abandoned = false;
      safety.preparedHeight = -1;
      if (event.by !== null) safety.closedBy = event.by;
      raise(safety, event.by?.highest ?? null);
      return;
    case 'prepareVoted':
      safety.preparedHeight = event.vote.height;
      safety.undecided.push(event.vote);
      if (event.block.justify.kind === 'certificate')
        raise(safety, event.block.justify.certificate);
      return;
    case 'commitVoted':
      safety.committed = { term: event.vote.term, height: event.vote.height };
      safety.undecided.push(event.vote);
      raise(safety, event.certificate);
      return;
    case 'timeoutCast':
      safety.abandoned = true;
      safety.ownTimeout = event;
      raise(safety, event.highest);
      return;
  }
}

/** Takes note of a checked prepare certificate if it ranks above what is known (B5). */
export function raise(safety: Safety, certificate: Certificate | null): void {
  if (certificate === null) return;
  if (compareRank(certificate, safety.highest ?? NO_RANK) > 0) safety.highest = certificate;
}

export function forgetDecided(safety: Safety, finalHeight: number): void {
  if (safety.undecided.length === 0) return;
  safety.undecided = safety.undecided.filter(({ height }) => height > finalHeight);
}

/** Whether this node may still cast a prepare vote at `height` in `term` (I30, I31, I32). */
export function mayPrepare(safety: Safety, term: number, height: number, first: boolean): boolean {
  if (term !== safety.term || safety.abandoned) return false;
  return first ? safety.preparedHeight === -1 : height > safety.preparedHeight;
}

/** Whether this node may cast a commit vote on this certificate (I32, I34). */
export function mayCommit(safety: Safety, certificate: Certificate): boolean {
  if (certificate.term !== safety.term || safety.abandoned) return false;
  return compareRank(certificate, safety.committed) > 0;
}
