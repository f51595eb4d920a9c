/**
 * The tree whose root is the state root: a binary Merkle tree over 256-bit paths, in which a subtree
 * with one leaf is that leaf (tree-encoding.ts).
 *
 * I49. The root depends on the rows alone: not on the order or the history of their writing.
 * I50. Two different sets of rows have different roots, unless H (BLAKE2b-256) has a collision: a leaf
 *      names its whole path, and what stands on either side of a node says what it is.
 *
 * Nodes live in flat arrays and are named by number: `n > 0` the inner node n, `−n` the leaf n, 0
 * nothing. A batch of changes is split along the paths like a quicksort, so each inner node above
 * a change is hashed once however many changes lie below it.
 */
import type { Crypto } from '../crypto.ts';
import { InvariantViolation } from '../machine.ts';
import type { Digest } from '../types.ts';
import { concat, toHex } from '../bytes.ts';
import { HashInput } from './hash-input.ts';
import { NodePool } from './node-pool.ts';
import {
  bitOf,
  HASH,
  LEAF,
  NOTHING,
  ONE_LEAF,
  PATH_BITS,
  ROW_TAG,
  SUBTREE,
  type Step,
} from './tree-encoding.ts';

const UNCHANGED = 0;
const PRESENT = 1;
const ABSENT = 2;

/** Where the way along a path ends. */
export interface TreeEnd {
  /** Path and row hash of the leaf that stands there, which may be another path's; null for nothing. */
  readonly leaf: { readonly path: Uint8Array; readonly rowHash: Uint8Array } | null;
  /** From there up to the root. */
  readonly steps: readonly Step[];
}

export class StateTree {
  readonly #crypto: Crypto;
  readonly #input = new HashInput();
  /** Two children, and views of it by length. */
  readonly #children = new Uint8Array(2 * (1 + LEAF));
  readonly #views: (Uint8Array | undefined)[] = [];
  /** Leaves: two hashes each, the path and the row's. */
  readonly #leaves = new NodePool(LEAF);
  readonly #inner = new NodePool(HASH);
  #left = new Int32Array(1024);
  #right = new Int32Array(1024);
  /** What the leaf is to become with the next `update`. */
  #mark = new Uint8Array(1024);
  /** Leaves to update, each once; partitioned in place. */
  #pending = new Int32Array(1024);
  #count = 0;
  #root = 0;

  constructor(crypto: Crypto) {
    this.#crypto = crypto;
  }

  /** A number for the leaf of `key` in `table`, which must not have one yet. */
  create(table: string, key: string): number {
    const leaf = this.#leaves.take();
    this.#mark = grown(this.#mark, leaf);
    this.#mark[leaf] = UNCHANGED;
    const path = this.#input.start().text(table).utf8(key).done();
    this.#crypto.treeHash(path, this.#leaves.bytes, leaf * LEAF);
    return leaf;
  }

  /** Starts the hashed form of a row; the caller appends the canonical row, then calls `put`. */
  row(): HashInput {
    return this.#input.start().byte(ROW_TAG);
  }

  /** The leaf holds the row that was written since `row()`. */
  put(leaf: number): void {
    this.#crypto.treeHash(this.#input.done(), this.#leaves.bytes, leaf * LEAF + HASH);
    this.#schedule(leaf, PRESENT);
  }

  /** The leaf goes; its number may be given to another one after `update`. */
  remove(leaf: number): void {
    this.#schedule(leaf, ABSENT);
  }

  /** How many leaves there are; those that are to go with the next `update` count. */
  get leaves(): number {
    return this.#leaves.taken;
  }

  /** Brings the root up to all that was put and removed. */
  update(): Digest {
    this.#root = this.#apply(this.#root, 0, this.#count, 0);
    for (let i = 0; i < this.#count; i++) {
      const leaf = this.#pending[i]!;
      if (this.#mark[leaf] === ABSENT) this.#leaves.give(leaf);
      this.#mark[leaf] = UNCHANGED;
    }
    this.#count = 0;
    return this.root();
  }

  /** The root as of the last `update`. */
  root(): Digest {
    const root = this.#root;
    const hash = new Uint8Array(HASH);
    if (root > 0) hash.set(this.#inner.bytes.subarray(root * HASH, (root + 1) * HASH));
    else if (root < 0) this.#crypto.treeHash(this.#view(this.#putChild(root, 0)), hash, 0);
    return toHex(hash) as Digest;
  }

  /** The way along `path` as of the last `update`. */
  find(path: Uint8Array): TreeEnd {
    const steps: Step[] = [];
    let node = this.#root;
    for (let depth = 0; node > 0; depth++) {
      const left = this.#left[node]!;
      const right = this.#right[node]!;
      const toRight = bitOf(path, depth) === 1;
      node = toRight ? right : left;
      const kind = Uint8Array.of(kindOf(node));
      const sibling = this.#child(toRight ? left : right);
      steps.push(
        toRight
          ? { prefix: concat(sibling, kind), suffix: new Uint8Array(0) }
          : { prefix: kind, suffix: sibling },
      );
    }
    steps.reverse();
    if (node === 0) return { leaf: null, steps };
    const child = this.#child(node);
    return { leaf: { path: child.slice(1, 1 + HASH), rowHash: child.slice(1 + HASH) }, steps };
  }

  #child(node: number): Uint8Array {
    return this.#children.slice(0, this.#putChild(node, 0));
  }

  #schedule(leaf: number, mark: number): void {
    if (this.#mark[leaf] === UNCHANGED) {
      this.#pending = grown(this.#pending, this.#count);
      this.#pending[this.#count++] = leaf;
    }
    this.#mark[leaf] = mark;
  }

  /** The subtree `node`, at `depth`, after the changes pending[low, high), all of which lie in it. */
  #apply(node: number, low: number, high: number, depth: number): number {
    if (low === high) return node;
    if (node > 0) return this.#split(node, this.#left[node]!, this.#right[node]!, low, high, depth);
    const kept = node < 0 && this.#mark[-node] === UNCHANGED ? node : 0;
    if (kept === 0 && high - low === 1) return this.#single(this.#pending[low]!);
    if (depth === PATH_BITS) throw new InvariantViolation('path_collision', 'two keys, one path');
    const toRight = kept !== 0 && this.#bit(-kept, depth) === 1;
    return this.#split(0, toRight ? 0 : kept, toRight ? kept : 0, low, high, depth);
  }

  #single(leaf: number): number {
    return this.#mark[leaf] === PRESENT ? -leaf : 0;
  }

  #split(
    node: number,
    left: number,
    right: number,
    low: number,
    high: number,
    depth: number,
  ): number {
    const middle = this.#partition(low, high, depth);
    const newLeft = this.#apply(left, low, middle, depth + 1);
    const newRight = this.#apply(right, middle, high, depth + 1);
    if ((newLeft === 0 && newRight <= 0) || (newRight === 0 && newLeft <= 0)) {
      if (node !== 0) this.#inner.give(node);
      return newLeft === 0 ? newRight : newLeft;
    }
    return this.#join(node === 0 ? this.#takeInner() : node, newLeft, newRight);
  }

  /** Moves the changes whose path has bit 0 at `depth` before the others; where the others start. */
  #partition(low: number, high: number, depth: number): number {
    const pending = this.#pending;
    let left = low;
    let right = high;
    while (left < right) {
      const leaf = pending[left]!;
      if (this.#bit(leaf, depth) === 0) {
        left++;
        continue;
      }
      right--;
      pending[left] = pending[right]!;
      pending[right] = leaf;
    }
    return left;
  }

  #bit(leaf: number, depth: number): number {
    const byte = this.#leaves.bytes[leaf * LEAF + (depth >> 3)]!;
    return (byte >> (7 - (depth & 7))) & 1;
  }

  #takeInner(): number {
    const node = this.#inner.take();
    this.#left = grown(this.#left, node);
    this.#right = grown(this.#right, node);
    return node;
  }

  #join(node: number, left: number, right: number): number {
    this.#left[node] = left;
    this.#right[node] = right;
    const input = this.#view(this.#putChild(right, this.#putChild(left, 0)));
    this.#crypto.treeHash(input, this.#inner.bytes, node * HASH);
    return node;
  }

  /** Writes what `node` is to its parent at `at`; where that ends. */
  #putChild(node: number, at: number): number {
    const out = this.#children;
    out[at++] = kindOf(node);
    if (node === 0) return at;
    const source = node > 0 ? this.#inner.bytes : this.#leaves.bytes;
    const size = node > 0 ? HASH : LEAF;
    const from = (node > 0 ? node : -node) * size;
    for (let i = 0; i < size; i++) out[at + i] = source[from + i]!;
    return at + size;
  }

  #view(length: number): Uint8Array {
    return (this.#views[length] ??= this.#children.subarray(0, length));
  }
}

function kindOf(node: number): number {
  if (node === 0) return NOTHING;
  return node > 0 ? SUBTREE : ONE_LEAF;
}

/** `array`, or a copy of at least twice its size when `index` lies outside. */
function grown<A extends Int32Array | Uint8Array>(array: A, index: number): A {
  if (index < array.length) return array;
  const Constructor = array.constructor as new (length: number) => A;
  const copy = new Constructor(Math.max(index + 1, array.length * 2));
  copy.set(array);
  return copy;
}
