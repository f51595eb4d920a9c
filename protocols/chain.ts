/**
 * The stream of final blocks: position = height − 1. Consensus writes it; replication reads it to
 * feed execution after a restart, and peers are served from it (rule C1).
 */
import { nullable, struct, type Schema } from './codec.ts';
import type { LogEvent } from './machine.ts';
import { readEvent } from './stored.ts';
import { block, certificate } from './structures.ts';
import type { Block, Certificate, Digest, Executed } from './types.ts';
import { EMPTY_TIP, ZERO_DIGEST } from './types.ts';

export const CHAIN_STREAM = 'chain';

/** So many of the newest final blocks are remembered beside the stream (I91). */
export const RECENT_FINAL_MAX = 32;

export interface ChainEntry {
  readonly block: Block;
  /** The commit certificate by which this block became final; null when a descendant's did it. */
  readonly certificate: Certificate | null;
}

export const chainEntry: Schema<ChainEntry> = struct({ block, certificate: nullable(certificate) });

/** Throws InvariantViolation. */
export function readChainEntry(event: LogEvent): ChainEntry {
  return readEvent(chainEntry, event);
}

/** Nothing is certified before the first checkpoint: the genesis document itself fixes the state. */
export const EXECUTED_NOTHING: Executed = {
  height: 0,
  stateRoot: ZERO_DIGEST,
  receiptsRoot: ZERO_DIGEST,
  pendingSet: ZERO_DIGEST,
};

/** What the first block of the first epoch extends; its digest is the cluster id. */
export interface Root {
  readonly digest: Digest;
  readonly height: 0;
  readonly timestamp: number;
}

export const emptyCut = (n: number): readonly (typeof EMPTY_TIP)[] =>
  Array.from({ length: n }, () => EMPTY_TIP);
