/**
 * Bounds what the stream takes of the thread that everything runs on.
 *
 * S5. Work goes in slices of some milliseconds, and after each comes a rest of a multiple of what it
 *     took: however many subscribe, and whatever they ask for, the node keeps its time.
 */

export interface StreamClock {
  /** Monotonic, in milliseconds. */
  now(): number;
  /** Returns what calls it off. */
  after(ms: number, run: () => void): () => void;
}

export const CLOCK: StreamClock = {
  now: () => performance.now(),
  after(ms, run) {
    if (ms < 1) {
      const immediate = setImmediate(run);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

const SLICE_MS = 2;
/** Rest to work: the stream takes a fifth of the thread at most. */
const REST = 4;

export class Pace {
  readonly #clock: StreamClock;
  readonly #work: (until: number) => boolean;
  #notBefore = 0;
  #cancel: (() => void) | null = null;

  /** @param work until that time, roughly; true when there is more */
  constructor(clock: StreamClock, work: (until: number) => boolean) {
    this.#clock = clock;
    this.#work = work;
  }

  /** There is work. */
  wake(): void {
    if (this.#cancel !== null) return;
    const restMs = this.#notBefore - this.#clock.now();
    this.#cancel = this.#clock.after(Math.max(0, restMs), () => this.#slice());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  #slice(): void {
    const startedMs = this.#clock.now();
    // Kept until the end, so that what wakes it meanwhile does not start another.
    const isMore = this.#work(startedMs + SLICE_MS);
    const endedMs = this.#clock.now();
    this.#notBefore = endedMs + REST * (endedMs - startedMs);
    this.#cancel = null;
    if (isMore) this.wake();
  }
}
