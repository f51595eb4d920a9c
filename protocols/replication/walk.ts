/**
 * The search for a branch that a cut names and that is not on the own chain (rule D3): from its tip
 * down by digest, until a batch links to what is held. Nothing of it is stored before it links.
 *
 * I67. A walk holds only batches whose digest it asked for, within `bytesMax`; a branch that misses
 *      the settled base, or is longer than any honest lane, ends it for good.
 */
import type { Tip } from '../types.ts';
import type { Batch, Lane } from './lane.ts';

export class Walk {
  readonly target: Tip;
  /** The base that the branch was measured against. */
  readonly #base: Tip;
  readonly #bytesMax: number;
  /** From the target down. */
  readonly #path: Batch[] = [];
  #bytes = 0;
  #want: Tip | null;

  constructor(target: Tip, lane: Lane, bytesMax: number) {
    this.target = target;
    this.#base = lane.base;
    this.#bytesMax = bytesMax;
    this.#want = target.seq > lane.base.seq ? target : null;
  }

  /** The batch to ask for; null when the branch leads nowhere. */
  get want(): Tip | null {
    return this.#want;
  }

  /** Whether this is still the search for `target`, and no later base gives it new hope. */
  serves(target: Tip, lane: Lane): boolean {
    const same = target.digest === this.target.digest && target.seq === this.target.seq;
    return same && (this.#want !== null || lane.base.seq === this.#base.seq);
  }

  /** Takes the wanted batch. The branch in ascending order once it links, else nothing yet. */
  add(batch: Batch, lane: Lane): readonly Batch[] {
    const { header } = batch;
    const asked = header.seq === this.#want?.seq;
    this.#path.push(batch);
    this.#bytes += batch.payload.length;
    if (asked && lane.links(header)) return this.#path.reverse();
    const fits = this.#bytes <= this.#bytesMax && header.seq - 1 > lane.base.seq;
    this.#want = asked && fits ? { seq: header.seq - 1, digest: header.parentDigest } : null;
    if (this.#want === null) this.#path.length = 0;
    return [];
  }
}
