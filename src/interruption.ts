/**
 * By which people, terminals and service managers ask a process to end: every one of ours that has
 * something to end with it heeds all three. (The scripts have their own list: they run before this is
 * compiled.)
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * npm hands a signal on to its script, which a terminal's Ctrl-C has reached already: within this time
 * the same signal is the same wish.
 */
const SAME_WISH_MS = 500;

type Received = (signal: NodeJS.Signals) => void;

/** The reason of what a signal cut short. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: NodeJS.Signals;
  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.signal = signal;
  }
}

/** The first signal asks to end in good order, any further one to end at once. */
export class Interruption {
  readonly #stop = new AbortController();
  readonly #onFurther: Received;
  readonly #now: () => number;
  #first: { readonly signal: NodeJS.Signals; readonly at: number } | null = null;
  readonly #handle: Received = (signal) => this.#received(signal);

  /** @param now monotonic milliseconds */
  constructor(onFurther: Received, now = () => performance.now()) {
    this.#onFurther = onFurther;
    this.#now = now;
    for (const signal of SIGNALS) process.on(signal, this.#handle);
  }

  /** Aborted by the first, with `Interrupted`. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Gives the signals back to Node's own handling. */
  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#handle);
  }

  #received(signal: NodeJS.Signals): void {
    const now = this.#now();
    if (this.#first === null) {
      this.#first = { signal, at: now };
      this.#stop.abort(new Interrupted(signal));
    } else if (signal !== this.#first.signal || now - this.#first.at > SAME_WISH_MS) {
      this.#onFurther(signal);
    }
  }
}
