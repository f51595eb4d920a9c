/**
 * A growing Merkle tree in the shape of RFC 6962, of which only the frontier is kept: the roots of
 * its complete subtrees, one for each bit that is set in its size.
 *
 * I51. The root after n appends is the RFC 6962 tree hash of those n leaves, 32 zero bytes for none:
 *      it binds their number, their order and each of them.
 */
import { toHex } from '../bytes.ts';
import type { Crypto } from '../crypto.ts';
import type { Digest } from '../types.ts';

const HASH = 32;
const LEVELS = 53;

export class MerkleFrontier {
  readonly #crypto: Crypto;
  /** The peak of each level whose bit is set in `#size`. */
  readonly #peaks = new Uint8Array(LEVELS * HASH);
  readonly #pair = new Uint8Array(1 + 2 * HASH);
  #size = 0;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
    this.#pair[0] = 1;
  }

  get size(): number {
    return this.#size;
  }

  /** Appends the leaf hash in `bytes[offset, offset + 32)`. */
  append(bytes: Uint8Array, offset: number): void {
    const pair = this.#pair;
    for (let i = 0; i < HASH; i++) pair[1 + HASH + i] = bytes[offset + i]!;
    let level = 0;
    for (let size = this.#size; size % 2 === 1; size = (size - 1) / 2) {
      this.#setLeft(level++);
      this.#crypto.treeHash(pair, pair, 1 + HASH);
    }
    this.#peaks.set(pair.subarray(1 + HASH), level * HASH);
    this.#size++;
  }

  /** Writes the root into `out[offset, offset + 32)`. */
  root(out: Uint8Array, offset: number): void {
    const pair = this.#pair;
    let found = false;
    let level = 0;
    for (let size = this.#size; size > 0; size = Math.floor(size / 2), level++) {
      if (size % 2 === 0) continue;
      if (!found) pair.set(this.#peaks.subarray(level * HASH, (level + 1) * HASH), 1 + HASH);
      else {
        this.#setLeft(level);
        this.#crypto.treeHash(pair, pair, 1 + HASH);
      }
      found = true;
    }
    if (found) out.set(pair.subarray(1 + HASH), offset);
    else out.fill(0, offset, offset + HASH);
  }

  digest(): Digest {
    const root = new Uint8Array(HASH);
    this.root(root, 0);
    return toHex(root) as Digest;
  }

  clear(): void {
    this.#size = 0;
  }

  #setLeft(level: number): void {
    const from = level * HASH;
    for (let i = 0; i < HASH; i++) this.#pair[1 + i] = this.#peaks[from + i]!;
  }
}
