/**
 * When what was admitted becomes a batch of the own lane. Under light load at once: nothing lingers.
 * Under load a batch grows until an earlier one is executed or it is full, so that batches become
 * fewer and larger exactly as fast as the cluster needs it (the idea of RFC 896).
 *
 * I57. No batch exceeds `batchBytesMax`, and the own lane never holds more than it may (rule D4).
 */
import { bytesEqual } from '../bytes.ts';
import type { ConsensusLimits } from '../genesis.ts';
import { pendingBytesMax, SMALL_BATCHES_MAX } from './ingress-limits.ts';
import { buildPayload, EMPTY_PAYLOAD_BYTES, emptyPayload, LENGTH_BYTES } from './payload.ts';

/** Enough of a payload to know it again: it covers the sender and seq or key of the first submission. */
const MARK_BYTES = 256;

/** An admitted submission on its way into the lane. */
export interface Sealable {
  readonly bytes: Uint8Array;
  readonly txCount: number;
  /** False when it need not go in any more: executed through another lane, or expired. */
  isWanted(): boolean;
}

export interface SealedBatch {
  readonly payload: Uint8Array;
  readonly txCount: number;
}

export class Sealing {
  readonly #limits: ConsensusLimits;
  readonly #pendingMax: number;
  #pending: Sealable[] = [];
  #pendingBytes = 0;
  /** What replication says the lane may still take. */
  #room: number;
  /** Batches sealed and not executed here yet, oldest first. */
  #underway: { readonly mark: Uint8Array; readonly bytes: number }[] = [];
  #underwayBytes = 0;
  #sealed = 0;

  constructor(limits: ConsensusLimits) {
    this.#limits = limits;
    this.#pendingMax = pendingBytesMax(limits);
    this.#room = limits.laneBytesMax;
  }

  /** Batches sealed since the start. */
  get sealed(): number {
    return this.#sealed;
  }

  /** Why nothing of this size can wait here now; null when it can. */
  obstacle(bytes: number): 'lane_full' | 'overloaded' | null {
    if (this.#pendingBytes + bytes + LENGTH_BYTES <= this.#pendingMax) return null;
    return this.#available() < this.#limits.batchBytesMax ? 'lane_full' : 'overloaded';
  }

  add(item: Sealable): void {
    this.#pending.push(item);
    this.#pendingBytes += item.bytes.length + LENGTH_BYTES;
  }

  roomIs(bytes: number): void {
    this.#room = bytes;
  }

  /** An own batch was executed. Batches of an earlier life of this node are not ours to count. */
  executed(payload: Uint8Array): void {
    const first = this.#underway[0];
    if (first === undefined || first.bytes !== payload.length) return;
    if (!bytesEqual(first.mark, payload.subarray(0, first.mark.length))) return;
    this.#underway.shift();
    this.#underwayBytes -= first.bytes;
  }

  /** The next batch, if it is time for one. `hurry`: do not wait for more to come. */
  next(hurry: boolean): SealedBatch | null {
    const full = this.#pendingBytes >= this.#limits.batchBytesMax;
    if (!hurry && !full && this.#underway.length >= SMALL_BATCHES_MAX) return null;
    const room = Math.min(this.#available(), this.#limits.batchBytesMax);
    const items: Sealable[] = [];
    let total = 0;
    let taken = 0;
    for (; taken < this.#pending.length; taken++) {
      const item = this.#pending[taken]!;
      const bytes = item.bytes.length + LENGTH_BYTES;
      if (item.isWanted()) {
        if (total + bytes > room) break;
        items.push(item);
        total += bytes;
      }
      this.#pendingBytes -= bytes;
    }
    this.#pending = taken === this.#pending.length ? [] : this.#pending.slice(taken);
    return items.length === 0 ? null : this.#seal(items, total);
  }

  /** All that waits, as far as there is room, or a batch without submissions; null when the lane is full. */
  barrier(): SealedBatch | null {
    const batch = this.next(true);
    if (batch !== null || this.#available() < EMPTY_PAYLOAD_BYTES) return batch;
    this.#sealed++;
    return { payload: emptyPayload(), txCount: 0 };
  }

  #seal(items: readonly Sealable[], total: number): SealedBatch {
    let txCount = 0;
    for (const item of items) txCount += item.txCount;
    const payload = buildPayload(
      items.map(({ bytes }) => bytes),
      total,
    );
    this.#underway.push({ mark: payload.slice(0, MARK_BYTES), bytes: total });
    this.#underwayBytes += total;
    this.#sealed++;
    return { payload, txCount };
  }

  /** The report of replication may be older than the last batch: what is underway counts for sure. */
  #available(): number {
    return Math.min(this.#room, this.#limits.laneBytesMax - this.#underwayBytes);
  }
}
