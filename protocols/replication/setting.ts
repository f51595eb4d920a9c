/** What the machine is built with, shared by its parts; and the limits that follow from it. */
import type { Crypto, Signer } from '../crypto.ts';
import type { Cluster } from '../genesis.ts';
import { faultyMax } from '../quorum.ts';
import type { ValidatorIndex } from '../types.ts';

/** Batches that an owner may have in its lane that are not final, beside W (D4). */
export const OWN_BATCHES_MAX = 4096;

export interface Setting {
  readonly cluster: Cluster;
  readonly self: ValidatorIndex;
  readonly crypto: Crypto;
  readonly signer: Signer;
}

/**
 * Bytes of one branch that a replica keeps above a lane's base. Twice W: the owner may know already
 * that all of W is final, and have filled its lane anew, before this node does.
 */
export function branchBytesMax(cluster: Cluster): number {
  return 2 * cluster.genesis.limits.laneBytesMax;
}

/** Batches of one branch that a replica keeps above a lane's base, for the same reason. */
export const BRANCH_BATCHES_MAX = 2 * OWN_BATCHES_MAX;

/** The others a request goes to at once: one of them is honest (D4). */
export function askedAtOnce(cluster: Cluster): number {
  return faultyMax(cluster.n) + 1;
}
