/**
 * The seqs of one key's submissions (rule E2): each is used once, and they rise. Counting starts at the
 * clock, in microseconds, so that a client that starts again needs no memory of what it used: it
 * cannot have sent a million submissions a second. One process at a time may use a key: what two
 * of them send at once lies too far apart for the window in which the cluster remembers seqs.
 */

const MICROS = 1_000;

export class Sequence {
  #next: number;

  /** `first` for a client that keeps its own count. */
  constructor(first = Date.now() * MICROS) {
    this.#next = first;
  }

  next(): number {
    return this.#next++;
  }
}
