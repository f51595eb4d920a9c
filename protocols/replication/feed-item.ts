/** A final block with its batches in execution order (rule E1). */
import type { Block, Digest, ValidatorIndex } from '../types.ts';
import type { FinalBlock } from './final-queue.ts';
import type { Held } from './lane.ts';

export interface LanePayload {
  readonly lane: ValidatorIndex;
  readonly payload: Uint8Array;
}

export interface FeedItem {
  readonly block: Block;
  readonly digest: Digest;
  readonly batches: readonly LanePayload[];
  /** Of payload, by lane and together. */
  readonly laneBytes: readonly number[];
  readonly bytes: number;
}

/** Of the payloads of each lane, ascending: lanes in rotated order, inside a lane by seq. */
export function feedItem(final: FinalBlock, byLane: readonly (readonly Uint8Array[])[]): FeedItem {
  const n = byLane.length;
  const batches: LanePayload[] = [];
  for (let at = 0; at < n; at++) {
    const lane = (final.block.height + at) % n;
    for (const payload of byLane[lane]!) batches.push({ lane, payload });
  }
  const laneBytes = byLane.map((lane) => lane.reduce((sum, { length }) => sum + length, 0));
  const bytes = laneBytes.reduce((sum, each) => sum + each, 0);
  return { ...final, batches, laneBytes, bytes };
}

/** The same of batches in memory; null when the log alone has one of the payloads. */
export function heldItem(final: FinalBlock, byLane: readonly (readonly Held[])[]): FeedItem | null {
  const payloads = byLane.map((batches) => batches.map((held) => held.payload));
  if (payloads.some((lane) => lane.includes(null))) return null;
  return feedItem(final, payloads as readonly (readonly Uint8Array[])[]);
}
