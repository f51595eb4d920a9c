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
import { bytesEqual, concat, toHex } from '../bytes.ts';
import type { Crypto } from '../crypto.ts';
import { ZERO_DIGEST, type Digest } from '../types.ts';
import { auditPath, rootOf } from './audit-path.ts';
import { Subtrees } from './subtrees.ts';
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
  chunk: Subtrees;
  /** Of the chunk that fills. */
  index: number;
  /** The full one before it. */
  before: Subtrees | null;
}

export class HeightTree {
  readonly #crypto: Crypto;
  readonly #bits: number;
  readonly #levels: Level[] = [];
  #size = 0;
  #full: Chunk[] = [];

  constructor(crypto: Crypto, bits = CHUNK_BITS) {
    this.#crypto = crypto;
    this.#bits = bits;
  }

  /** Blocks so far. */
  get size(): number {
    return this.#size;
  }

  /** How many chunks have become full so far. */
  get fullChunks(): number {
    return this.#levels.reduce((sum, { index }) => sum + index, 0);
  }

  /** By level the hashes in memory: those of the full chunk before, if there is one, then of the chunk that fills. */
  memory(): Uint8Array[] {
    return this.#levels.map(({ chunk, before }) =>
      before === null ? chunk.hashes() : concat(before.hashes(), chunk.hashes()),
    );
  }

  /**
   * A tree of `size` blocks whose `memory` was this; null when it cannot have been. Its digest binds the
   * chunks that fill, and those the roots of the full ones before them.
   */
  static of(
    crypto: Crypto,
    size: number,
    memory: readonly Uint8Array[],
    bits = CHUNK_BITS,
  ): HeightTree | null {
    const tree = new HeightTree(crypto, bits);
    tree.#size = size;
    let below: Level | null = null;
    for (let level = 0; level === 0 || tree.#blocksOf(level - 1) <= size; level++) {
      const loaded: Level | null = tree.#load(level, memory[level] ?? new Uint8Array(0));
      if (loaded === null || !(below === null || tree.#binds(loaded, below))) return null;
      tree.#levels.push(loaded);
      below = loaded;
    }
    return memory.length === tree.#levels.length ? tree : null;
  }

  #load(level: number, hashes: Uint8Array): Level | null {
    const index = Math.floor(this.#size / this.#blocksOf(level));
    const filled = Math.floor(this.#size / (this.#blocksOf(level) / 2 ** this.#bits));
    const full = index === 0 ? 0 : 2 ** this.#bits;
    if (hashes.length !== (full + (filled % 2 ** this.#bits)) * HASH) return null;
    const before = index === 0 ? null : Subtrees.of(this.#crypto, hashes.subarray(0, full * HASH));
    return { index, before, chunk: Subtrees.of(this.#crypto, hashes.subarray(full * HASH)) };
  }

  /** Whether the newest hash of a level is the root of the full chunk below it. */
  #binds({ chunk, before }: Level, below: Level): boolean {
    const newest = chunk.count > 0 ? chunk : before;
    if (newest === null || below.before === null) return newest === null && below.before === null;
    return bytesEqual(newest.root(newest.count - 1, 0), below.before.root(0, this.#bits));
  }

  /** The RFC 6962 tree hash, 32 zero bytes for no blocks. */
  digest(): Digest {
    if (this.#size === 0) return ZERO_DIGEST;
    const root = rootOf(this.#crypto, 0, this.#size, (start, level) => {
      const place = this.#placeOf(start, level);
      return this.#levels[place.level]!.chunk.root(place.offset, place.subtree);
    });
    return toHex(root) as Digest;
  }

  /** Appends the leaf hash of the next block. */
  append(leaf: Uint8Array): void {
    this.#size++;
    this.#put(0, leaf);
  }

  /** The chunks that became full since the last call, in the order in which they did. */
  takeFull(): readonly Chunk[] {
    const full = this.#full;
    if (full.length > 0) this.#full = [];
    return full;
  }

  /** A chunk, as far as it is; null where it is in the log only. What it has does not change. */
  chunk({ level, index }: ChunkName): Subtrees | null {
    const at = this.#levels[level];
    if (at?.index === index) return at.chunk;
    return at !== undefined && index === at.index - 1 ? at.before : null;
  }

  /** Which chunks `path` needs for the block at `height`, in a tree of `size` blocks. */
  chunksFor(height: number, size: number): ChunkName[] {
    const names = new Map<string, ChunkName>();
    const none = new Uint8Array(HASH);
    auditPath(this.#crypto, height - 1, size, (start, subtree) => {
      const { level, index } = this.#placeOf(start, subtree);
      names.set(`${level}/${index}`, { level, index });
      return none;
    });
    return [...names.values()];
  }

  /** The steps from the leaf of the block at `height` up to the root over the first `size` blocks. */
  path(height: number, size: number, chunkAt: (name: ChunkName) => Subtrees): Step[] {
    return auditPath(this.#crypto, height - 1, size, (start, level) => {
      const place = this.#placeOf(start, level);
      return chunkAt(place).root(place.offset, place.subtree);
    });
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

  /** The complete subtree of blocks as one of the highest chunks that has it. */
  #placeOf(start: number, blockLevel: number): ChunkName & { offset: number; subtree: number } {
    const level = Math.floor(blockLevel / this.#bits);
    const first = start / 2 ** (this.#bits * level);
    const index = Math.floor(first / 2 ** this.#bits);
    const offset = first - index * 2 ** this.#bits;
    return { level, index, offset, subtree: blockLevel - level * this.#bits };
  }

  #put(level: number, hash: Uint8Array): void {
    const fresh = (): Subtrees => new Subtrees(this.#crypto);
    const at = (this.#levels[level] ??= { chunk: fresh(), index: 0, before: null });
    const { chunk, index } = at;
    chunk.append(hash);
    if (chunk.count < 2 ** this.#bits) return;
    const root = chunk.root(0, this.#bits);
    this.#full.push({ level, index, root: toHex(root) as Digest, hashes: chunk.hashes() });
    at.before = chunk;
    at.chunk = fresh();
    at.index++;
    this.#put(level + 1, root);
  }
}
