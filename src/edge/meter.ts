/**
 * What clients of this node experience: time from a submission's bytes to its receipts, and
 * transactions executed per second. Bounded memory; figures are of the recent past only.
 */

/** Latencies kept for the percentiles. */
const SAMPLES = 2048;
const RATE_SECONDS = 5;

export interface FinalityFigures {
  readonly samples: number;
  /** Milliseconds; null before the first sample. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export class Meter {
  readonly #latencies = new Float64Array(SAMPLES);
  #recorded = 0;
  readonly #executed: () => number;
  readonly #counts: number[] = [];
  readonly #timer: NodeJS.Timeout;

  /** `executed` counts transactions executed here since the start; read once a second. */
  constructor(executed: () => number) {
    this.#executed = executed;
    this.tick();
    this.#timer = setInterval(() => this.tick(), 1_000);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** One second has passed. */
  tick(): void {
    this.#counts.push(this.#executed());
    if (this.#counts.length > RATE_SECONDS + 1) this.#counts.shift();
  }

  recordFinality(milliseconds: number): void {
    this.#latencies[this.#recorded++ % SAMPLES] = milliseconds;
  }

  /** Transactions per second over the last whole seconds. */
  get tps(): number {
    const seconds = this.#counts.length - 1;
    const rise = (this.#counts.at(-1) ?? 0) - (this.#counts[0] ?? 0);
    return seconds === 0 ? 0 : Math.max(0, Math.round(rise / seconds));
  }

  finality(): FinalityFigures {
    const samples = Math.min(this.#recorded, SAMPLES);
    const sorted = this.#latencies.slice(0, samples).sort();
    const at = (share: number): number | null => {
      const value = sorted[Math.min(samples - 1, Math.floor(samples * share))];
      return value === undefined ? null : Math.round(value * 1000) / 1000;
    };
    return { samples, p50Ms: at(0.5), p99Ms: at(0.99) };
  }
}
