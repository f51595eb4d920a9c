/**
 * Batches of one lane that came before the ones below them: kept until the gap is closed, because
 * the owner does not send them twice. The caller bounds the bytes.
 */
import type { Digest } from '../types.ts';
import type { Batch } from './lane.ts';

export class Ahead {
  readonly #batches = new Map<number, Batch>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get(seq: number): Batch | undefined {
    return this.#batches.get(seq);
  }

  has(seq: number, digest: Digest): boolean {
    return this.#batches.get(seq)?.digest === digest;
  }

  /** The first batch for a seq stays. */
  add(batch: Batch): void {
    if (this.#batches.has(batch.header.seq)) return;
    this.#batches.set(batch.header.seq, batch);
    this.#bytes += batch.payload.length;
  }

  take(seq: number): Batch | undefined {
    const batch = this.#batches.get(seq);
    if (batch === undefined) return undefined;
    this.#batches.delete(seq);
    this.#bytes -= batch.payload.length;
    return batch;
  }

  /** Last seq of the gap that begins at `from` and is wanted up to `to`. */
  gapEnd(from: number, to: number): number {
    let end = to;
    for (const seq of this.#batches.keys()) if (seq >= from && seq <= end) end = seq - 1;
    return end;
  }

  clear(): void {
    this.#batches.clear();
    this.#bytes = 0;
  }

  dropTo(seq: number): void {
    for (const at of this.#batches.keys()) if (at <= seq) this.take(at);
  }
}
