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

/**
 * Payload bytes that are on their way from the log to execution. They follow from W, so that a simulated
 * lane, whose W is small, meets them as well.
 */
export interface FeedBytes {
  /** Of one lane, read from the log at once. */
  readonly readMax: number;
  /** Of one lane, in memory: with less than this more is read ahead. */
  readonly readLow: number;
  /** With execution: told and not executed yet. One block goes out whatever its size. */
  readonly toldMax: number;
  /** Of the newest settled blocks, kept in memory for when execution gets there. */
  readonly recentMax: number;
}

export function feedBytes({ genesis }: Cluster): FeedBytes {
  const window = genesis.limits.laneBytesMax;
  return {
    readMax: Math.ceil(window / 8),
    readLow: Math.ceil(window / 16),
    toldMax: window,
    recentMax: 2 * window,
  };
}

/** The others a request goes to at once: one of them is honest (D4). */
export function askedAtOnce(cluster: Cluster): number {
  return faultyMax(cluster.n) + 1;
}
