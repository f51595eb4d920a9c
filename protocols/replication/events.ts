/**
 * What replication writes and reads back.
 *
 * - `lane-<i>`: the first batch stored for each seq of lane i; the position is the seq.
 * - `fork-<i>`: further batches for a seq, stored because a cut or f + 1 marks named them (D3); numbered on
 *   its own, and found by their digest.
 * - `evidence-<i>`: proof that the lane's owner signed two headers for one seq; numbered on its own.
 * - `replication`: now and then the height up to which every batch is stored here. It only shortens
 *   recovery: an older one, or none, costs time and nothing else.
 */
import { list, struct, u53, type Schema } from '../codec.ts';
import type { LogEvent } from '../machine.ts';
import { batchHeader, tips, VALIDATORS_MAX } from '../structures.ts';
import type { BatchHeader, Tip, ValidatorIndex } from '../types.ts';
import { packStructure } from '../wire.ts';
import type { Batch, Place } from './lane.ts';

/** Where the block of `height` (≥ 1) stands in the chain stream. */
export function chainPosition(height: number): number {
  return height - 1;
}

export const SETTLED_STREAM = 'replication';
export const laneStream = (lane: ValidatorIndex): string => `lane-${lane}`;
export const forkStream = (lane: ValidatorIndex): string => `fork-${lane}`;
export const evidenceStream = (lane: ValidatorIndex): string => `evidence-${lane}`;

export const BATCH_STORED = 'batchStored';
const EQUIVOCATION_FOUND = 'equivocationFound';
export const SETTLED_TO = 'settledTo';

/** Two headers that the owner signed for one seq: evidence against it. */
export interface Equivocation {
  readonly first: BatchHeader;
  readonly second: BatchHeader;
}
export const equivocation: Schema<Equivocation> = struct({
  first: batchHeader,
  second: batchHeader,
});

/** Every batch up to `cut`, the cut of the final block at `height`, is stored here. */
export interface SettledTo {
  readonly height: number;
  readonly cut: readonly Tip[];
  /** For each lane the position in its fork stream below which nothing lies above `cut`. */
  readonly forks: readonly number[];
}
export const settledTo: Schema<SettledTo> = struct({
  height: u53,
  cut: tips,
  forks: list(u53, VALIDATORS_MAX),
});

export function batchStored(place: Place, batch: Batch): LogEvent {
  const isFork = place.stream === forkStream(batch.header.lane);
  return {
    stream: place.stream,
    seq: place.position,
    kind: BATCH_STORED,
    header: packStructure(batchHeader, batch.header),
    body: batch.payload,
    bodyDigest: batch.header.payloadDigest,
    ...(isFork ? { keys: [batch.digest] } : {}),
  };
}

export function equivocationFound(place: Place, found: Equivocation): LogEvent {
  return {
    stream: place.stream,
    seq: place.position,
    kind: EQUIVOCATION_FOUND,
    header: packStructure(equivocation, found),
  };
}

export function settledToEvent(position: number, value: SettledTo): LogEvent {
  return {
    stream: SETTLED_STREAM,
    seq: position,
    kind: SETTLED_TO,
    header: packStructure(settledTo, value),
  };
}
