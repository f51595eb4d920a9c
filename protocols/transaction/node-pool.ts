/**
 * Numbered places of one size in one growing array of bytes, so that a million tree nodes are a few
 * objects instead of millions. Numbers start at 1; what was given back is handed out again.
 */
export class NodePool {
  /** Place `n` is `bytes[n * size, (n + 1) * size)`. Another array after a `take`. */
  bytes: Uint8Array;
  readonly #size: number;
  readonly #free: number[] = [];
  #next = 1;

  constructor(size: number) {
    this.#size = size;
    this.bytes = new Uint8Array(1024 * size);
  }

  /** How many places are given out. */
  get taken(): number {
    return this.#next - 1 - this.#free.length;
  }

  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    const place = this.#next++;
    if ((place + 1) * this.#size > this.bytes.length) {
      const grown = new Uint8Array(this.bytes.length * 2);
      grown.set(this.bytes);
      this.bytes = grown;
    }
    return place;
  }

  give(place: number): void {
    this.#free.push(place);
  }
}
