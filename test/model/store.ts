/**
 * The states of the cluster that were reached, in the order in which they were: each with the one that it
 * was first reached from. Thirty million of them fit into a gigabyte.
 */

/** Slots of the index that are used at most. */
const LOAD_MAX = 0.5;

export class Store {
  #keys = new Float64Array(1024);
  #parents = new Int32Array(1024);
  #steps = new Int32Array(1024);
  #slots = new Int32Array(4096).fill(-1);
  size = 0;

  key(at: number): number {
    return this.#keys[at]!;
  }

  parent(at: number): number {
    return this.#parents[at]!;
  }

  /** What led here from the parent. */
  step(at: number): number {
    return this.#steps[at]!;
  }

  /** Whether it is new. */
  add(key: number, parent: number, step: number): boolean {
    let slot = this.#slotOf(key);
    if (this.#slots[slot] !== -1) return false;
    if (this.size >= this.#slots.length * LOAD_MAX) {
      this.#rehash();
      slot = this.#slotOf(key);
    }
    if (this.size >= this.#keys.length) this.#grow();
    this.#keys[this.size] = key;
    this.#parents[this.size] = parent;
    this.#steps[this.size] = step;
    this.#slots[slot] = this.size++;
    return true;
  }

  #slotOf(key: number): number {
    const mask = this.#slots.length - 1;
    const low = key >>> 0;
    const high = Math.floor(key / 0x1_0000_0000);
    let hash = Math.imul(low ^ (low >>> 15), 0x2c1b3c6d) ^ Math.imul(high + 1, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 13), 0x297a2d39);
    let slot = (hash ^ (hash >>> 16)) & mask;
    for (; this.#slots[slot] !== -1; slot = (slot + 1) & mask) {
      if (this.#keys[this.#slots[slot]!] === key) return slot;
    }
    return slot;
  }

  #grow(): void {
    const size = 2 * this.#keys.length;
    const keys = new Float64Array(size);
    keys.set(this.#keys);
    const parents = new Int32Array(size);
    parents.set(this.#parents);
    const steps = new Int32Array(size);
    steps.set(this.#steps);
    [this.#keys, this.#parents, this.#steps] = [keys, parents, steps];
  }

  #rehash(): void {
    this.#slots = new Int32Array(2 * this.#slots.length).fill(-1);
    for (let at = 0; at < this.size; at++) this.#slots[this.#slotOf(this.key(at))] = at;
  }
}
