/**
 * The blocks and votes that certify a checkpoint, out of the stream `chain`: a final block whose
 * `executed` is that checkpoint, and the headers down to the first one whose own commit certificate is
 * stored. A checkpoint may be skipped, when the next block names a later one (B2).
 */
import type { ChainEntry } from '../../protocols/chain.ts';
import { HEADERS_MAX, type Certification } from '../../protocols/proofs/format.ts';
import type { Executed } from '../../protocols/types.ts';

/** How far above a checkpoint the block that certifies it is looked for. */
const BLOCKS_ABOVE_MAX = 16 * HEADERS_MAX;
/** Certifications that are remembered: many proofs are of one checkpoint. */
const REMEMBERED_MAX = 8;

export interface FinalChain {
  /** Height of the newest block that is final and executed here. */
  readonly newest: number;
  /** The blocks at positions `from … to − 1` that are stored. */
  entries(from: number, to: number): Promise<readonly ChainEntry[]>;
}

export class Certifications {
  readonly #chain: FinalChain;
  readonly #known = new Map<number, Certification>();

  constructor(chain: FinalChain) {
    this.#chain = chain;
  }

  /** `skipped` when no block will certify it, `waiting` while none has yet. Rejects as the log does. */
  async of(executed: Executed): Promise<Certification | 'skipped' | 'waiting'> {
    const known = this.#known.get(executed.height);
    if (known !== undefined) return known;
    const found = await this.#find(executed);
    if (typeof found === 'string') return found;
    this.#known.set(executed.height, found);
    for (const height of this.#known.keys()) {
      if (this.#known.size > REMEMBERED_MAX) this.#known.delete(height);
    }
    return found;
  }

  async #find({ height }: Executed): Promise<Certification | 'skipped' | 'waiting'> {
    // The block at height h stands at position h − 1, and names only heights below its own.
    let from = height;
    while (from < this.#chain.newest && from < height + BLOCKS_ABOVE_MAX) {
      const entries = await this.#chain.entries(from, from + HEADERS_MAX);
      if (entries.length === 0) return 'waiting';
      const at = entries.findIndex(({ block }) => block.executed.height >= height);
      if (at >= 0) return this.#from(from + at, height);
      from += entries.length;
    }
    return from < this.#chain.newest ? 'skipped' : 'waiting';
  }

  /** @param position of the first block that names `height` or a later one */
  async #from(position: number, height: number): Promise<Certification | 'skipped' | 'waiting'> {
    const entries = await this.#chain.entries(position, position + HEADERS_MAX);
    const end = entries.findIndex((entry) => entry.certificate !== null);
    const upTo = end < 0 ? entries : entries.slice(0, end + 1);
    // The last that names it is the one with the fewest headers above it.
    const start = upTo.findLastIndex(({ block }) => block.executed.height === height);
    if (start < 0) return 'skipped';
    const certificate = upTo.at(-1)!.certificate;
    if (certificate !== null) {
      return { headers: upTo.slice(start).map(({ block }) => block), certificate };
    }
    return entries.length === HEADERS_MAX ? 'skipped' : 'waiting';
  }
}
