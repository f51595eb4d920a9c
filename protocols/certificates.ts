/**
 * What makes a certificate valid. Everything here is a pure check of signatures and counts; what a
 * valid certificate allows is decided by the machines.
 *
 * I3. A valid certificate holds at least q votes of distinct validators over one content.
 * I4. A valid timeout certificate holds q timeouts of distinct validators for one term, and the
 *     certificate with the highest rank that any of them claims (rule T2).
 */
import type { Crypto } from './crypto.ts';
import type { Cluster, Genesis } from './genesis.ts';
import { batchBytes, blockBytes, handOverBytes, timeoutBytes, voteBytes } from './structures.ts';
import type {
  BatchHeader,
  Block,
  Certificate,
  HandOver,
  PublicKey,
  Timeout,
  TimeoutCertificate,
  ValidatorIndex,
  Vote,
} from './types.ts';

/** Certificates of an epoch are ordered by (term, height), term first (rule B5). */
export interface Rank {
  readonly term: number;
  readonly height: number;
}

/** Below every certificate: "holds none". */
export const NO_RANK: Rank = { term: -1, height: -1 };

export function compareRank(a: Rank, b: Rank): number {
  return a.term !== b.term ? a.term - b.term : a.height - b.height;
}

export function leaderOf(cluster: Pick<Cluster, 'n'>, term: number): ValidatorIndex {
  return term % cluster.n;
}

export function keyOf(
  { genesis }: Pick<Electorate, 'genesis'>,
  validator: ValidatorIndex,
): PublicKey | undefined {
  return genesis.validators[validator]?.publicKey;
}

/** What signatures and certificates depend on of a cluster: who votes, and under which id. */
export interface Electorate extends Pick<Cluster, 'id' | 'n' | 'quorum'> {
  readonly genesis: Pick<Genesis, 'validators'>;
}

export interface Verifier {
  readonly cluster: Electorate;
  readonly crypto: Crypto;
}

function signedBy(
  { cluster, crypto }: Verifier,
  validator: ValidatorIndex,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = keyOf(cluster, validator);
  return key !== undefined && crypto.verify(key, message, signature);
}

export function isVoteValid(verifier: Verifier, vote: Vote): boolean {
  return signedBy(verifier, vote.voter, voteBytes(verifier.cluster.id, vote), vote.signature);
}

export function isTimeoutValid(verifier: Verifier, timeout: Timeout): boolean {
  const bytes = timeoutBytes(verifier.cluster.id, timeout);
  return signedBy(verifier, timeout.voter, bytes, timeout.signature);
}

export function isHandOverValid(verifier: Verifier, handOver: HandOver): boolean {
  const leader = leaderOf(verifier.cluster, handOver.term);
  return signedBy(
    verifier,
    leader,
    handOverBytes(verifier.cluster.id, handOver),
    handOver.signature,
  );
}

/** Whether the lane's owner signed it (D1). */
export function isHeaderValid(verifier: Verifier, header: BatchHeader): boolean {
  const bytes = batchBytes(verifier.cluster.id, header);
  return signedBy(verifier, header.lane, bytes, header.signature);
}

/** Whether the leader of the block's term signed it. */
export function isBlockSigned(verifier: Verifier, block: Block): boolean {
  const leader = leaderOf(verifier.cluster, block.term);
  return signedBy(verifier, leader, blockBytes(verifier.cluster.id, block), block.signature);
}

function areDistinct(voters: readonly { readonly voter: ValidatorIndex }[]): boolean {
  return new Set(voters.map(({ voter }) => voter)).size === voters.length;
}

/**
 * @param known a certificate that was checked before: votes that stand in it are not checked again
 */
export function isCertificateValid(
  verifier: Verifier,
  certificate: Certificate,
  known?: Certificate,
): boolean {
  const { votes } = certificate;
  if (votes.length < verifier.cluster.quorum || !areDistinct(votes)) return false;
  const bytes = voteBytes(verifier.cluster.id, certificate);
  const checked = known !== undefined && haveSameContent(known, certificate) ? known.votes : [];
  return votes.every(
    (vote) =>
      checked.some(
        (other) => other.voter === vote.voter && sameBytes(other.signature, vote.signature),
      ) || signedBy(verifier, vote.voter, bytes, vote.signature),
  );
}

function haveSameContent(a: Certificate, b: Certificate): boolean {
  return (
    a.kind === b.kind &&
    a.epoch === b.epoch &&
    a.term === b.term &&
    a.height === b.height &&
    a.block === b.block &&
    a.first === b.first
  );
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** Whether `highest` is what a timeout with this claim must carry (rule T2). */
export function backsClaim(
  claim: Pick<Timeout, 'epoch' | 'term' | 'highTerm' | 'highHeight' | 'highBlock'>,
  highest: Certificate | null,
): boolean {
  if (highest === null) return claim.highTerm === -1 && claim.highHeight === -1;
  return (
    highest.kind === 'prepare' &&
    highest.epoch === claim.epoch &&
    highest.term <= claim.term &&
    highest.term === claim.highTerm &&
    highest.height === claim.highHeight &&
    highest.block === claim.highBlock
  );
}

export function isTimeoutCertificateValid(
  verifier: Verifier,
  certificate: TimeoutCertificate,
  known?: Certificate,
): boolean {
  const { epoch, term, timeouts, highest } = certificate;
  if (timeouts.length < verifier.cluster.quorum || !areDistinct(timeouts)) return false;
  const top = timeouts.reduce((best, each) => {
    const rank = { term: each.highTerm, height: each.highHeight };
    return compareRank(rank, { term: best.highTerm, height: best.highHeight }) > 0 ? each : best;
  });
  return (
    backsClaim({ ...top, epoch, term }, highest) &&
    timeouts.every((each) => isTimeoutValid(verifier, { ...each, epoch, term })) &&
    (highest === null || isCertificateValid(verifier, highest, known))
  );
}
