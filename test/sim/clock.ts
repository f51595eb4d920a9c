/** A node's wall clock: true time, a constant offset, a slightly wrong rate, and now and then a step. */

/**
 * Virtual time 0 on a true clock; milliseconds since the Unix epoch. A minute ends soon after: what is
 * remembered by the minute is forgotten in the middle of a run.
 */
export const START_MS = Date.UTC(2026, 0, 1, 0, 0, 58, 500);

export class SkewedClock {
  readonly #virtualUs: () => number;
  readonly #rate: number;
  #offsetMs: number;
  #setAtUs = -Infinity;

  /** @param rate 1 on a true clock; 1.0001 gains 100 µs a second */
  constructor(virtualUs: () => number, offsetMs: number, rate: number) {
    this.#virtualUs = virtualUs;
    this.#offsetMs = offsetMs;
    this.#rate = rate;
  }

  nowMs(): number {
    return Math.floor(START_MS + (this.#virtualUs() * this.#rate) / 1000 + this.#offsetMs);
  }

  /** Virtual microseconds from now until this clock shows `atMs`, if nobody sets it meanwhile. */
  delayUs(atMs: number): number {
    return Math.max(0, Math.ceil(((atMs - this.nowMs()) * 1000) / this.#rate));
  }

  /** Whether nobody set it in the last `us` microseconds. */
  isSteadyFor(us: number): boolean {
    return this.#virtualUs() - this.#setAtUs > us;
  }

  setOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs;
    this.#setAtUs = this.#virtualUs();
  }
}
