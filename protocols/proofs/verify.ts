/**
 * Checks a proof against nothing but the genesis document, offline and wherever JavaScript runs: the
 * crypto port is all that it needs. What comes in may be anything; what comes out is what was proved,
 * or the first check that failed.
 */
import type { Verifier } from '../certificates.ts';
import type { Crypto } from '../crypto.ts';
import { clusterOf, type Genesis, type Validator } from '../genesis.ts';
import { quorumOf } from '../quorum.ts';
import type { SubmissionOutcomes } from '../submission-receipts.ts';
import { decodeReceipts, type Receipt } from '../transaction/receipts.ts';
import { decodeValue } from '../transaction/value-reader.ts';
import type { Value } from '../transaction/values.ts';
import type { Digest } from '../types.ts';
import { refused, verifyCertification, type Certified, type Refused } from './certification.ts';
import { decodeProof, type Claim } from './format.ts';
import { receiptsFault } from './receipt-proof.ts';
import { rowFault } from './row-proof.ts';

/** Something that is so, as of the executed height that is certified. */
export type Fact =
  | { readonly kind: 'row'; readonly table: string; readonly key: string; readonly row: Value }
  | { readonly kind: 'absence'; readonly table: string; readonly key: string }
  | {
      readonly kind: 'receipts';
      readonly submission: SubmissionOutcomes;
      /** One for each transaction of the submission, with its events. */
      readonly receipts: readonly Receipt[];
    };

export type Verified =
  { readonly ok: true; readonly certified: Certified; readonly facts: readonly Fact[] } | Refused;

/** Whom to trust, from the document that a cluster began with. */
export function trustGenesis(crypto: Crypto, genesis: Genesis): Verifier {
  return { crypto, cluster: clusterOf(genesis, crypto) };
}

/** The validators of a cluster as somebody who is trusted has seen them, in place of its genesis. */
export interface TrustedValidators {
  readonly clusterId: Digest;
  /** In the order in which the cluster numbers them. */
  readonly validators: readonly Validator[];
}

/** Whom to trust from there on: those of epoch 0 (certification.ts, `verifierOf`). */
export function trustValidators(
  crypto: Crypto,
  { clusterId, validators }: TrustedValidators,
): Verifier {
  const n = validators.length;
  const cluster = { id: clusterId, genesis: { validators }, n, quorum: quorumOf(n) };
  return { crypto, cluster };
}

/** All that a proof claims, or why it proves nothing. */
export function verifyProof(trusted: Verifier, bytes: Uint8Array): Verified {
  const decoded = decodeProof(bytes);
  if (!decoded.ok) return refused('malformed', decoded.error);
  const checked = verifyCertification(trusted, decoded.value);
  if (!checked.ok) return checked;
  const facts: Fact[] = [];
  for (const [at, claim] of decoded.value.claims.entries()) {
    const fact = factOf(trusted.crypto, claim, checked.certified);
    if ('ok' in fact) return { ...fact, message: `claim ${at}: ${fact.message}` };
    facts.push(fact);
  }
  return { ok: true, certified: checked.certified, facts };
}

/** The row under this key, undefined when it is proved that there is none. */
export function verifyRowProof(
  trusted: Verifier,
  bytes: Uint8Array,
  wanted: { readonly table: string; readonly key: string },
): { readonly ok: true; readonly certified: Certified; readonly row: Value | undefined } | Refused {
  const verified = verifyProof(trusted, bytes);
  if (!verified.ok) return verified;
  for (const fact of verified.facts) {
    if (fact.kind === 'receipts') continue;
    if (fact.table !== wanted.table || fact.key !== wanted.key) continue;
    const row = fact.kind === 'row' ? fact.row : undefined;
    return { ok: true, certified: verified.certified, row };
  }
  return refused('not_claimed', `it says nothing of ${wanted.key} in ${wanted.table}`);
}

/** The receipts of this submission. An event is `receipts[transaction].events[index]`. */
export function verifyReceiptProof(
  trusted: Verifier,
  bytes: Uint8Array,
  id: Digest,
):
  | { readonly ok: true; readonly certified: Certified; readonly receipts: readonly Receipt[] }
  | Refused {
  const verified = verifyProof(trusted, bytes);
  if (!verified.ok) return verified;
  for (const fact of verified.facts) {
    if (fact.kind !== 'receipts' || fact.submission.id !== id) continue;
    return { ok: true, certified: verified.certified, receipts: fact.receipts };
  }
  return refused('not_claimed', `it says nothing of submission ${id}`);
}

const MALFORMED = {
  row: 'not steps of the state tree, or not a canonical row',
  absence: 'not steps of the state tree, or the key has a row',
  receipts: 'not steps of a receipts tree, or not receipts',
} as const;

function factOf(crypto: Crypto, claim: Claim, { executed }: Certified): Fact | Refused {
  const fault =
    claim.kind === 'receipts'
      ? receiptsFault(crypto, claim, executed.receiptsRoot)
      : rowFault(crypto, claim, executed.stateRoot);
  if (fault === 'wrong_root') {
    const root = claim.kind === 'receipts' ? 'receipts root' : 'state root';
    return refused(fault, `it does not lead to the ${root} of height ${executed.height}`);
  }
  const fact = fault === null ? decoded(claim) : null;
  return fact ?? refused('malformed', MALFORMED[claim.kind]);
}

function decoded(claim: Claim): Fact | null {
  if (claim.kind === 'absence') {
    return { kind: 'absence', table: claim.table, key: claim.key };
  }
  if (claim.kind === 'row') {
    const row = decodeValue(claim.row);
    return row === undefined ? null : { kind: 'row', table: claim.table, key: claim.key, row };
  }
  const { id, height, index, txCount, outcomes } = claim;
  const submission = { id, height, index, txCount, encoded: outcomes };
  const receipts = decodeReceipts(submission);
  return receipts === null ? null : { kind: 'receipts', submission, receipts };
}
