/** How many log lines somebody gets to read about what others decide how often it happens. */

const WINDOW_MS = 10_000;

export class LineWindow {
  readonly #linesMax: number;
  readonly #now: () => number;
  #since = 0;
  #lines = 0;
  #unsaid = 0;

  /**
   * @param linesMax lines in ten seconds
   * @param now monotonic milliseconds
   */
  constructor(linesMax: number, now = () => performance.now()) {
    this.#linesMax = linesMax;
    this.#now = now;
  }

  /** How many were left out since the last line, to be said in this one; null: leave it out as well. */
  next(): number | null {
    const now = this.#now();
    if (this.#lines === 0 || now - this.#since > WINDOW_MS) {
      this.#since = now;
      this.#lines = 0;
    }
    if (++this.#lines > this.#linesMax) {
      this.#unsaid++;
      return null;
    }
    const unsaid = this.#unsaid;
    this.#unsaid = 0;
    return unsaid;
  }
}
