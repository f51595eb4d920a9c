/**
 * Whether validators that the verifier trusts certify a state. Trust begins with the genesis document,
 * which fixes the keys of epoch 0; nothing else is believed.
 *
 * I113. What is certified stands in a block that a valid commit certificate of the trusted validators
 *       (I3) names, or that the named block descends from by the digests of its headers.
 */
import { isCertificateValid, type Verifier } from '../certificates.ts';
import { blockDigest } from '../structures.ts';
import type { Digest, Executed, Millis } from '../types.ts';
import type { Proof } from './format.ts';

export interface Certified {
  readonly executed: Executed;
  /** The block that says so: height, digest and time. */
  readonly block: { readonly height: number; readonly digest: Digest; readonly timestamp: Millis };
}

/** Why a proof does not hold. */
export type ProofFault =
  /** Not a proof, or a claim that no tree has. */
  | 'malformed'
  /** Of another cluster than the genesis document makes. */
  | 'other_cluster'
  /** Its validators are not known here. */
  | 'unknown_epoch'
  /** The headers do not follow one another, or say nothing about a state. */
  | 'broken_chain'
  /** Not q votes of the epoch's validators for that block. */
  | 'bad_certificate'
  /** What is claimed does not lead to the certified root. */
  | 'wrong_root'
  /** It holds, and is not about what was asked. */
  | 'not_claimed';

export interface Refused {
  readonly ok: false;
  readonly code: ProofFault;
  readonly message: string;
}

export function refused(code: ProofFault, message: string): Refused {
  return { ok: false, code, message };
}

/**
 * Who votes in an epoch. There is one epoch yet. When validators change, the block that ends an epoch
 * names the next set (`endsEpoch`) and is certified by the set before: a proof will carry those blocks,
 * and this is where they are followed, from the genesis or from a checkpoint that is trusted instead.
 */
function verifierOf(trusted: Verifier, epoch: number): Verifier | null {
  return epoch === 0 ? trusted : null;
}

/** `executed` of the first header, once q votes for the last one are checked. */
export function verifyCertification(
  trusted: Verifier,
  { clusterId, certification }: Pick<Proof, 'clusterId' | 'certification'>,
): { readonly ok: true; readonly certified: Certified } | Refused {
  const { headers, certificate } = certification;
  if (clusterId !== trusted.cluster.id) {
    return refused('other_cluster', `a proof of cluster ${clusterId}, not ${trusted.cluster.id}`);
  }
  const [first] = headers;
  if (first === undefined || first.executed.height === 0) {
    return refused('broken_chain', 'no block that certifies a state');
  }
  const verifier = verifierOf(trusted, first.epoch);
  if (verifier === null) return refused('unknown_epoch', `no validators known of ${first.epoch}`);
  const digests = headers.map((header) => blockDigest(trusted.crypto, clusterId, header));
  for (const [at, header] of headers.entries()) {
    if (at === 0) continue;
    const follows = header.parent === digests[at - 1] && header.epoch === first.epoch;
    if (!follows) return refused('broken_chain', `header ${at} does not follow the one before it`);
  }
  const isOfLast =
    certificate.kind === 'commit' &&
    certificate.epoch === first.epoch &&
    certificate.block === digests.at(-1);
  if (!isOfLast) return refused('bad_certificate', 'not a commit certificate of the last header');
  if (!isCertificateValid(verifier, certificate)) {
    const { quorum, n } = verifier.cluster;
    return refused('bad_certificate', `not ${quorum} valid votes of the ${n} validators`);
  }
  const { height, timestamp, executed } = first;
  return { ok: true, certified: { executed, block: { height, digest: digests[0]!, timestamp } } };
}
