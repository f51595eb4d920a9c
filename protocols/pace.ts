/** Bytes that one peer may be given: a burst at once, and from then on so many in a millisecond. */
import type { Millis } from './types.ts';

export interface Rate {
  readonly bytesPerMs: number;
  readonly burstBytes: number;
}

export class Pace {
  readonly #rate: Rate;
  #credit: number;
  #at: Millis = 0;

  constructor(rate: Rate) {
    this.#rate = rate;
    this.#credit = rate.burstBytes;
  }

  /** Whether something may be given now. One answer goes out whatever its size. */
  mayGive(now: Millis): boolean {
    const earned = Math.max(0, now - this.#at) * this.#rate.bytesPerMs;
    this.#credit = Math.min(this.#rate.burstBytes, this.#credit + earned);
    this.#at = now;
    return this.#credit > 0;
  }

  gave(bytes: number): void {
    this.#credit -= bytes;
  }
}
