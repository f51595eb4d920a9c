/**
 * Blocks above the final one, linked by parent digests, and the prepare certificates known for them.
 * Only blocks that their term's leader signed get in; whether they may be voted for is decided
 * elsewhere. Bounded: a Byzantine leader can add few variants per (term, height), unless a
 * certificate or a child asks for more by digest.
 */
import type { Block, Certificate, Digest } from '../types.ts';

const VARIANTS_MAX = 4;

export interface TreeBlock {
  readonly block: Block;
  readonly digest: Digest;
  /** When it came; null for a block recovered from the log. */
  readonly receivedAt: number | null;
  /** Whether every batch up to its cut is durable here, as far as replication was asked. */
  batches: 'unknown' | 'asked' | 'held';
}

export type Path =
  | { readonly kind: 'linked'; readonly blocks: readonly TreeBlock[] }
  | { readonly kind: 'missing'; readonly digest: Digest; readonly height: number }
  /** The branch leaves the chain below the final block. */
  | { readonly kind: 'conflict' };

export class BlockTree {
  readonly #blocks = new Map<Digest, TreeBlock>();
  readonly #certificates = new Map<Digest, Certificate>();
  /** Blocks to take from anyone, with their heights: a certificate or a block names them. */
  readonly wanted = new Map<Digest, number>();

  /** Everything in it: blocks, certificates and digests that are wanted. */
  get size(): number {
    return this.#blocks.size + this.#certificates.size + this.wanted.size;
  }

  has(digest: Digest): boolean {
    return this.#blocks.has(digest);
  }

  get(digest: Digest): TreeBlock | undefined {
    return this.#blocks.get(digest);
  }

  certificateOf(digest: Digest): Certificate | undefined {
    return this.#certificates.get(digest);
  }

  isRoomFor(block: Block, digest: Digest): boolean {
    if (this.wanted.has(digest)) return true;
    return this.at(block.term, block.height).length < VARIANTS_MAX;
  }

  add(block: Block, digest: Digest, receivedAt: number | null): void {
    this.wanted.delete(digest);
    if (this.#blocks.has(digest)) return;
    this.#blocks.set(digest, { block, digest, receivedAt, batches: 'unknown' });
  }

  /** Replication's answer may come after the block was decided: then it says nothing any more. */
  markHeld(digest: Digest): void {
    const entry = this.#blocks.get(digest);
    if (entry !== undefined) entry.batches = 'held';
  }

  certify(certificate: Certificate): void {
    if (!this.#certificates.has(certificate.block)) {
      this.#certificates.set(certificate.block, certificate);
    }
  }

  /** Whether another block is certified at this certificate's place: no quorums do that (I91). */
  hasRivalOf({ term, height, block }: Certificate): boolean {
    return [...this.#certificates.values()].some(
      (other) => other.term === term && other.height === height && other.block !== block,
    );
  }

  at(term: number, height: number): TreeBlock[] {
    return [...this.#blocks.values()].filter(
      ({ block }) => block.term === term && block.height === height,
    );
  }

  /** Blocks of a term, lowest first. */
  ofTerm(term: number): TreeBlock[] {
    return [...this.#blocks.values()]
      .filter(({ block }) => block.term === term)
      .sort((a, b) => a.block.height - b.block.height);
  }

  /** The blocks that follow the final one up to the certificate's, lowest first. */
  pathTo(top: Certificate, final: { readonly digest: Digest; readonly height: number }): Path {
    const blocks: TreeBlock[] = [];
    let at = top.block;
    while (at !== final.digest) {
      const entry = this.#blocks.get(at);
      if (entry === undefined)
        return { kind: 'missing', digest: at, height: top.height - blocks.length };
      if (entry.block.height <= final.height) return { kind: 'conflict' };
      blocks.push(entry);
      at = entry.block.parent;
      if (entry.block.height === final.height + 1 && at !== final.digest)
        return { kind: 'conflict' };
    }
    return { kind: 'linked', blocks: blocks.reverse() };
  }

  /** Forgets everything that can no longer become final. */
  pruneTo(finalHeight: number): void {
    for (const [digest, { block }] of this.#blocks) {
      if (block.height <= finalHeight) this.#blocks.delete(digest);
    }
    for (const [digest, certificate] of this.#certificates) {
      if (certificate.height <= finalHeight) this.#certificates.delete(digest);
    }
    for (const [digest, height] of this.wanted) {
      if (height <= finalHeight) this.wanted.delete(digest);
    }
  }
}
