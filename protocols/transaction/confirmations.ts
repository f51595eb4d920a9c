/**
 * Confirms that what is executed here reflects all that is final anywhere, for reads that must not miss
 * what others were told already (linearizable reads). No question goes to the peers: the node's own lane
 * is its way through a quorum.
 *
 * I106. A request is confirmed when a batch of the own lane is executed here that was sealed after the
 *       request came, by this process. A block is certified only after an honest validator held all of
 *       its cut, and cuts only grow along the chain. So no block that was final when the request came
 *       holds the batch, or stands on one that does: all of them lie below, and are executed
 *       before it. Batches of an earlier life of this node do not count: they may have been final long
 *       before.
 * I108. What was confirmed at a height is read from no less, also where the node began anew in between.
 * I107. Where no submission is on its way, a batch without any is sealed for all who wait: one at a time,
 *       and at most one in BARRIER_EVERY_MS, however many ask, and only while the own lane has room.
 */
import type { Millis } from '../types.ts';

/** What reads alone may add to the chain: so many milliseconds for each batch. */
export const BARRIER_EVERY_MS = 20;
/** Requests that may wait. The edge asks for many readers at once, and has few requests open. */
const WAITING_MAX = 1024;

interface Covered {
  /** Number of the batch among those sealed by this process, from 1 on. */
  readonly batch: number;
  readonly requests: readonly number[];
}

export class Confirmations {
  /** Requests after which no batch was sealed yet. */
  #open: number[] = [];
  /** By the first batch that was sealed after them, ascending. */
  #covered: Covered[] = [];
  #waiting = 0;
  /** The newest batch that was sealed for requests of this kind. */
  #barrier = 0;
  #executed = 0;
  #nextBarrierAt: Millis = 0;

  /** False when too many wait already. */
  take(request: number): boolean {
    if (this.#waiting >= WAITING_MAX) return false;
    this.#waiting++;
    this.#open.push(request);
    return true;
  }

  /** When a batch is to be sealed for those who wait; null while none is. */
  dueAt(now: Millis): Millis | null {
    if (this.#open.length === 0 || this.#barrier > this.#executed) return null;
    // A clock that was set back starts the pace anew.
    if (this.#nextBarrierAt > now + BARRIER_EVERY_MS) this.#nextBarrierAt = now;
    return this.#nextBarrierAt;
  }

  /** The batch was sealed for those who wait. */
  barrier(batch: number, now: Millis): void {
    this.#barrier = batch;
    this.#nextBarrierAt = now + BARRIER_EVERY_MS;
    this.sealed(batch);
  }

  /** A batch was sealed after all requests so far. */
  sealed(batch: number): void {
    if (this.#open.length === 0) return;
    this.#covered.push({ batch, requests: this.#open });
    this.#open = [];
  }

  /** All batches up to this one are executed here: the requests that are confirmed by that. */
  executed(batch: number): number[] {
    this.#executed = batch;
    const confirmed: number[] = [];
    while (this.#covered.length > 0 && this.#covered[0]!.batch <= batch) {
      confirmed.push(...this.#covered.shift()!.requests);
    }
    this.#waiting -= confirmed.length;
    return confirmed;
  }
}
