/**
 * By which people, terminals and service managers ask a process to end: every one of ours that has
 * something to end with it heeds all three. (The scripts have their own list: they run before this is
 * compiled.)
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

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
  readonly #handle: Received = (signal) => this.#received(signal);

  constructor(onFurther: Received) {
    this.#onFurther = onFurther;
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
    if (this.signal.aborted) this.#onFurther(signal);
    else this.#stop.abort(new Interrupted(signal));
  }
}
