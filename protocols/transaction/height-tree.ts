/**
 * The tree over the receipts roots of all blocks, of which `receiptsRoot` is the root, kept so that the
 * way up from any block, however old, can be found.
 *
 * Leaves stand in chunks of 1024, and so do the roots of full chunks, level upon level. A full chunk goes
 * to the log (chunk-log.ts); in memory stay the chunk of each level that fills, and the full one before it.
 *
 * I115. The way from any block needs at most two chunks of each level, of which there are six; memory
 *       holds two of each, whatever the height. Which chunks there are follows from the chain alone.
 */
import { toHex } from '../bytes.ts';
import type { Crypto } from '../crypto.ts';
import { innerHash } from '../proofs/receipt-proof.ts';
import type { Digest } from '../types.ts';
import { auditPath, type SubtreeRoot } from './audit-path.ts';
import { MerkleFrontier } from './merkle.ts';
import { HASH, type Step } from './tree-encoding.ts';

/** A chunk has 2^10 hashes. */
const CHUNK_BITS = 10;

/** Which chunk: level 0 has the blocks' leaves, each further level the roots of the chunks below it. */
export interface ChunkName {
  readonly level: number;
  readonly index: number;
}

export interface Chunk extends ChunkName {
  readonly root: Digest;
  readonly hashes: Uint8Array;
}

interface Level {
  hashes: Uint8Array;
  count: number;
  /** Of the chunk that fills. */
  index: number;
  /** The full one before it. */
  before: Uint8Array | null;
}

export class HeightTree {
  readonly #crypto: Crypto;
  readonly #bits: number;
  readonly #frontier: MerkleFrontier;
  readonly #levels: Level[] = [];
  #full: Chunk[] = [];

  constructor(crypto: Crypto, bits = CHUNK_BITS) {
    this.#crypto = crypto;
    this.#bits = bits;
    this.#frontier = new MerkleFrontier(crypto);
  }

  /** Blocks so far. */
  get size(): number {
    return this.#frontier.size;
  }

  digest(): Digest {
    return this.#frontier.digest();
  }

  /** Appends the leaf hash of the next block. */
  append(leaf: Uint8Array): void {
    this.#frontier.append(leaf, 0);
    this.#put(0, leaf);
  }

  /** The chunks that became full since the last call, in the order in which they did. */
  takeFull(): readonly Chunk[] {
    const full = this.#full;
    if (full.length > 0) this.#full = [];
    return full;
  }

  /** The hashes of a chunk, so far; null where it is in the log only. Never changed, only added to. */
  chunk({ level, index }: ChunkName): Uint8Array | null {
    const at = this.#levels[level];
    if (at?.index === index) return at.hashes;
    return at !== undefined && index === at.index - 1 ? at.before : null;
  }

  /** Which chunks `path` needs for the block at `height`, in a tree of `size` blocks. */
  chunksFor(height: number, size: number): ChunkName[] {
    const names = new Map<string, ChunkName>();
    const none = new Uint8Array(HASH);
    auditPath(this.#crypto, height - 1, size, (start, subtreeLevel) => {
      const { level, index } = this.#placeOf(start, subtreeLevel);
      names.set(`${level}/${index}`, { level, index });
      return none;
    });
    return [...names.values()];
  }

  /** The steps from the leaf of the block at `height` up to the root over the first `size` blocks. */
  path(height: number, size: number, chunkAt: (name: ChunkName) => Uint8Array): Step[] {
    const subtree: SubtreeRoot = (start, subtreeLevel) => {
      const { level, index, offset, count } = this.#placeOf(start, subtreeLevel);
      return subtreeRoot(this.#crypto, chunkAt({ level, index }), offset, count);
    };
    return auditPath(this.#crypto, height - 1, size, subtree);
  }

  /** Where the log has the event of a full chunk: how many became full before it. */
  positionOf({ level, index }: ChunkName): number {
    const blocks = (index + 1) * this.#blocksOf(level);
    let position = -1;
    for (let each = 0; this.#blocksOf(each) <= blocks; each++) {
      // Those of one block become full from the lowest level up.
      position += Math.floor((each <= level ? blocks : blocks - 1) / this.#blocksOf(each));
    }
    return position;
  }

  /** Blocks below one chunk. */
  #blocksOf(level: number): number {
    return 2 ** (this.#bits * (level + 1));
  }

  /** The subtree's leaves as hashes of the highest level that has them. */
  #placeOf(start: number, subtreeLevel: number): ChunkName & { offset: number; count: number } {
    const level = Math.floor(subtreeLevel / this.#bits);
    const first = start / 2 ** (this.#bits * level);
    const index = Math.floor(first / 2 ** this.#bits);
    const offset = first - index * 2 ** this.#bits;
    return { level, index, offset, count: 2 ** (subtreeLevel - level * this.#bits) };
  }

  #put(level: number, hash: Uint8Array): void {
    const hashesMax = 2 ** this.#bits;
    const hashes = (): Uint8Array => new Uint8Array(hashesMax * HASH);
    const at = (this.#levels[level] ??= { hashes: hashes(), count: 0, index: 0, before: null });
    at.hashes.set(hash, at.count * HASH);
    if (++at.count < hashesMax) return;
    const root = subtreeRoot(this.#crypto, at.hashes, 0, hashesMax);
    this.#full.push({ level, index: at.index, root: toHex(root) as Digest, hashes: at.hashes });
    at.before = at.hashes;
    at.hashes = hashes();
    at.index++;
    at.count = 0;
    this.#put(level + 1, root);
  }
}

/** The root over `count` hashes from `offset` on; `count` is a power of two. */
export function subtreeRoot(
  crypto: Crypto,
  hashes: Uint8Array,
  offset: number,
  count: number,
): Uint8Array {
  if (count === 1) return hashes.slice(offset * HASH, (offset + 1) * HASH);
  const half = count / 2;
  const left = subtreeRoot(crypto, hashes, offset, half);
  return innerHash(crypto, left, subtreeRoot(crypto, hashes, offset + half, half));
}
