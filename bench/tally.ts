/**
 * What a run counts: answers, failures, retries, and latency in an HDR histogram of microseconds with
 * three significant figures.
 */
import { Int32Histogram } from 'hdr-histogram-js';
import type { Sent } from './sender.ts';

/** A result is plain data: it crosses processes and goes into the JSON file. */
export interface RunResult {
  readonly seconds: number;
  /** Submissions answered with receipts of which none failed. */
  readonly answered: number;
  readonly transactions: number;
  /** Submissions with a failed transaction, refused for good, or not answered within the bound. */
  readonly failed: number;
  readonly retries: number;
  /** Milliseconds from when a submission was due to its receipts. */
  readonly latency: Percentiles;
  readonly histogram: readonly Bucket[];
  readonly firstError: string | null;
}

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Values from the first to the second, in microseconds and both included, and how many there were. */
export type Bucket = readonly [fromMicros: number, toMicros: number, count: number];

const HIGHEST_MICROS = 600_000_000;

export class Tally {
  readonly #histogram = new Int32Histogram(1, HIGHEST_MICROS, 3);
  #answered = 0;
  #transactions = 0;
  #failed = 0;
  #retries = 0;
  #firstError: string | null = null;

  take(sent: Sent, txCount: number, latencyMs: number): void {
    this.#retries += sent.retries;
    if (!sent.ok) {
      this.#failed++;
      this.#firstError ??= sent.error;
      return;
    }
    this.#answered++;
    this.#transactions += txCount;
    const micros = Math.round(latencyMs * 1000);
    this.#histogram.recordValue(Math.min(Math.max(1, micros), HIGHEST_MICROS));
  }

  result(seconds: number): RunResult {
    return {
      seconds,
      answered: this.#answered,
      transactions: this.#transactions,
      failed: this.#failed,
      retries: this.#retries,
      latency: this.#latency(),
      histogram: this.#buckets(),
      firstError: this.#firstError,
    };
  }

  #latency(): Percentiles {
    const at = (percentile: number): number =>
      this.#histogram.getValueAtPercentile(percentile) / 1000;
    return {
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: this.#histogram.maxValue / 1000,
    };
  }

  #buckets(): Bucket[] {
    const buckets: Bucket[] = [];
    const values = this.#histogram.recordedValuesIterator;
    values.reset();
    while (values.hasNext()) {
      const { valueIteratedTo, countAtValueIteratedTo } = values.next();
      const from = this.#histogram.lowestEquivalentValue(valueIteratedTo);
      buckets.push([from, valueIteratedTo, countAtValueIteratedTo]);
    }
    return buckets;
  }
}
