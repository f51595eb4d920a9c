/**
 * The search for a branch that differs from the own chain (rule D3): from its tip down by digest,
 * until it stands on something held. Nothing of it is stored before.
 *
 * I67. A walk holds only batches whose digest it asked for, within `bytesMax` and the reach of the
 *      lane: what an honest node can hold of one branch. A branch that is longer, misses the settled
 *      base or is none ends it, until the base moves.
 *
 * What a walk still needs is read off the lane each time, because the lane also grows by itself: a
 * batch that the stream brings may be the one that the walk waits for.
 */
import type { Millis, Tip, ValidatorIndex } from '../types.ts';
import type { Batch, Lane } from './lane.ts';
import { Retry } from './retry.ts';

/** A tip that is not held and that something names. */
export interface Branch {
  readonly tip: Tip;
  /** The leader on whose word alone it is fetched; null when an honest node is known to hold it. */
  readonly by: ValidatorIndex | null;
}

export class Walk {
  readonly branch: Branch;
  readonly #bytesMax: number;
  /** From the branch's tip down. */
  #path: Batch[] = [];
  #bytes = 0;
  /** What the path stands on. */
  #foot: Tip;
  /** Seq of the base against which the search failed; null while it goes on. */
  #failedAt: number | null = null;
  readonly retry: Retry;

  constructor(branch: Branch, bytesMax: number, at: Millis) {
    this.branch = branch;
    this.#bytesMax = bytesMax;
    this.#foot = branch.tip;
    this.retry = new Retry(at);
  }

  /** Payload bytes kept in memory here. */
  get bytes(): number {
    return this.#bytes;
  }

  get goesOn(): boolean {
    return this.#failedAt === null;
  }

  /** Whether this is the search for `tip`, and no later base gives it new hope. */
  serves(tip: Tip, lane: Lane): boolean {
    const same = tip.digest === this.branch.tip.digest && tip.seq === this.branch.tip.seq;
    return same && (this.goesOn || this.#failedAt === lane.base.seq);
  }

  /** The batch to ask for; null when the branch leads nowhere. */
  want(lane: Lane): Tip | null {
    if (this.goesOn && this.#foot.seq <= lane.base.seq) this.#fail(lane);
    return this.goesOn ? this.#foot : null;
  }

  /** What lies above the chain's end may be its continuation: while ranges bring that, a walk waits. */
  putOff(lane: Lane, at: Millis): void {
    const begun = this.#path.length > 0 || this.retry.attempt > 0;
    if (!begun && this.branch.tip.seq > lane.tip.seq) this.retry.again(at);
  }

  /** Takes the wanted batch. */
  add(batch: Batch, lane: Lane, now: Millis): void {
    const { header } = batch;
    this.retry.progressed(now);
    this.#path.push(batch);
    this.#bytes += header.bytes;
    if (header.seq !== this.#foot.seq || this.#bytes > this.#bytesMax) return this.#fail(lane);
    this.#foot = { seq: header.seq - 1, digest: header.parentDigest };
  }

  /** What the lane lacks of the branch, lowest batch first; null while it does not link. */
  linked(lane: Lane): readonly Batch[] | null {
    if (!this.goesOn || !lane.holds(this.#foot)) return null;
    const held = this.#path.findIndex((batch) => lane.holds(tipOf(batch)));
    const lacks = held < 0 ? this.#path : this.#path.slice(0, held);
    const foot = held < 0 ? this.#foot : tipOf(this.#path[held]!);
    const bytes = lacks.reduce((sum, { header }) => sum + header.bytes, lane.bytesTo(foot));
    if (bytes <= this.#bytesMax) return lacks.toReversed();
    this.#fail(lane);
    return null;
  }

  #fail(lane: Lane): void {
    this.#failedAt = lane.base.seq;
    this.#path = [];
    this.#bytes = 0;
  }
}

function tipOf({ header, digest }: Batch): Tip {
  return { seq: header.seq, digest };
}
