/**
 * What checked commit certificates named of late. Vote sets of final heights are gone, so this alone
 * tells whether another certificate for such a height says anything new: one for another branch stops
 * the node (I91), but whoever repeats a genuine one must not have its signatures checked each time.
 */
import { RECENT_FINAL_MAX } from '../chain.ts';
import type { Certificate, Digest } from '../types.ts';

/** The heights that consensus remembers, and those that are committed and on their way to be final. */
const COMMITTED_MAX = 4 * RECENT_FINAL_MAX;

export class Committed {
  /** By height, in the order in which the certificates came. */
  readonly #blocks = new Map<number, Digest>();

  note({ height, block }: Certificate): void {
    this.#blocks.set(height, block);
    if (this.#blocks.size <= COMMITTED_MAX) return;
    const oldest = this.#blocks.keys().next();
    if (!oldest.done) this.#blocks.delete(oldest.value);
  }

  /** Whether consensus can do nothing with a certificate for a height that is final. */
  isSettled({ height, block }: Certificate, finalHeight: number): boolean {
    return height <= finalHeight - RECENT_FINAL_MAX || this.#blocks.get(height) === block;
  }
}
