/**
 * The roots of all complete subtrees of a growing RFC 6962 tree, each made once: from them the way up
 * from any leaf is put together without hashing what lies beside it.
 */
import type { Crypto } from '../crypto.ts';
import { HASH } from './tree-encoding.ts';

const INNER_TAG = 1;

export class Subtrees {
  readonly #crypto: Crypto;
  /** By level: `2^level` leaves each, one after the other. */
  readonly #levels: Uint8Array[] = [];
  readonly #pair = new Uint8Array(1 + 2 * HASH);
  #count = 0;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
    this.#pair[0] = INNER_TAG;
  }

  static of(crypto: Crypto, hashes: Uint8Array): Subtrees {
    const subtrees = new Subtrees(crypto);
    for (let at = 0; at < hashes.length; at += HASH)
      subtrees.append(hashes.subarray(at, at + HASH));
    return subtrees;
  }

  /** Leaves. */
  get count(): number {
    return this.#count;
  }

  /** The leaves' hashes: a copy. */
  hashes(): Uint8Array {
    return this.#levels[0]?.slice(0, this.#count * HASH) ?? new Uint8Array(0);
  }

  append(leaf: Uint8Array): void {
    let place = this.#count++;
    this.#put(0, place, leaf);
    for (let level = 0; place % 2 === 1; level++) {
      const below = this.#levels[level]!;
      this.#pair.set(below.subarray((place - 1) * HASH, (place + 1) * HASH), 1);
      place = (place - 1) / 2;
      const hash = this.#put(level + 1, place);
      this.#crypto.treeHash(this.#pair, hash, 0);
    }
  }

  /** The root over the leaves `start … start + 2^level − 1`, all of which are there: a copy. */
  root(start: number, level: number): Uint8Array {
    const place = start / 2 ** level;
    return this.#levels[level]!.slice(place * HASH, (place + 1) * HASH);
  }

  /** Room for a hash, and `hash` in it. */
  #put(level: number, place: number, hash?: Uint8Array): Uint8Array {
    let bytes = (this.#levels[level] ??= new Uint8Array(HASH));
    if ((place + 1) * HASH > bytes.length) {
      bytes = new Uint8Array(bytes.length * 2);
      bytes.set(this.#levels[level]!);
      this.#levels[level] = bytes;
    }
    if (hash !== undefined) bytes.set(hash, place * HASH);
    return bytes.subarray(place * HASH, (place + 1) * HASH);
  }
}
