/**
 * The seqs of one key's submissions (rule E2): each is used once, and they rise. Each is the clock in
 * milliseconds, or the one after the last: so processes that use one key, at the same time or one after
 * the other, need not know of each other, as long as what they send does not lie further apart than the
 * window in which the cluster remembers seqs. A clock that runs on does not have a submission of this
 * process fall out of it, either. What does nevertheless never executes, and is signed anew (X10).
 */
import { WINDOW } from '../../protocols/transaction/windows.ts';

export class Sequence {
  readonly #clock: () => number;
  #last: number;
  /** Of submissions without an outcome, in order. */
  readonly #open = new Set<number>();

  /** `first` for a client that keeps its own count, whatever the clock says. */
  constructor(first?: number, clock: () => number = Date.now) {
    this.#last = first === undefined ? -1 : first - 1;
    this.#clock = first === undefined ? clock : () => 0;
  }

  next(): number {
    const [oldest = Infinity] = this.#open;
    return this.#use(Math.min(this.#clock(), oldest + WINDOW - 1));
  }

  /** As the one before is taken, or too old, for the `tries`-th time: somebody else is far ahead. */
  nextAfter(tries: number): number {
    return this.#use(this.#clock() + (tries === 1 ? 0 : WINDOW * 4 ** (tries - 2)));
  }

  #use(wanted: number): number {
    this.#last = Math.max(this.#last + 1, wanted);
    return this.#last;
  }

  open(seq: number): void {
    this.#open.add(seq);
  }

  close(seq: number): void {
    this.#open.delete(seq);
  }
}
