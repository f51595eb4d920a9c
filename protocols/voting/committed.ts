/**
 * Checked commit certificates of late. The vote sets of final heights are gone, so this alone tells
 * whether another certificate for such a height says anything new. Whoever repeats a genuine one must
 * not have its signatures checked each time. One for another branch stops the node (I91), and those
 * who voted for both are guilty of that (I84).
 */
import { RECENT_FINAL_MAX } from '../chain.ts';
import type { Certificate } from '../types.ts';

/** The heights that consensus remembers, and those that are committed and on their way to be final. */
const COMMITTED_MAX = 4 * RECENT_FINAL_MAX;

export class Committed {
  /** By height, in the order in which they came. */
  readonly #certificates = new Map<number, Certificate>();

  /** The certificate for another block of this height that came first, if there is one. */
  note(certificate: Certificate): Certificate | null {
    const { height, block } = certificate;
    const earlier = this.#certificates.get(height);
    if (earlier !== undefined) return earlier.block === block ? null : earlier;
    this.#certificates.set(height, certificate);
    if (this.#certificates.size <= COMMITTED_MAX) return null;
    const oldest = this.#certificates.keys().next();
    if (!oldest.done) this.#certificates.delete(oldest.value);
    return null;
  }

  /** Whether consensus can do nothing with a certificate for a height that is final. */
  isSettled({ height, block }: Certificate, finalHeight: number): boolean {
    if (height <= finalHeight - RECENT_FINAL_MAX) return true;
    return this.#certificates.get(height)?.block === block;
  }
}
