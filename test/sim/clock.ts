/** A node's wall clock: true time, a constant offset, a slightly wrong rate, and now and then a step. */

/** Virtual time 0 on a true clock; milliseconds since the Unix epoch. */
export const START_MS = Date.UTC(2026, 0, 1);

export class SkewedClock {
  readonly #virtualUs: () => number;
  readonly #rate: number;
  #offsetMs: number;

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

  setOffset(offsetMs: number): void {
    this.#offsetMs = offsetMs;
  }
}
