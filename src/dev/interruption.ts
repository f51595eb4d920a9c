/**
 * Ctrl-C and its relatives: the first asks to drain, the second to end at once. Whoever waits for
 * something races it against `stopped`.
 */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Thrown out of a wait that a signal cut short. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export class Interruption {
  readonly #stop = new AbortController();
  readonly #onSecond: () => void;
  #count = 0;
  readonly #handle = (): void => this.#received();

  constructor(onSecond: () => void) {
    this.#onSecond = onSecond;
    for (const signal of SIGNALS) process.on(signal, this.#handle);
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Resolves with what `work` gives, or rejects with Interrupted once a signal has come. */
  race<T>(work: Promise<T>): Promise<T> {
    if (this.signal.aborted) {
      work.catch(() => {});
      return Promise.reject(new Interrupted());
    }
    return new Promise((resolve, reject) => {
      const interrupt = (): void => reject(new Interrupted());
      this.signal.addEventListener('abort', interrupt, { once: true });
      const settle = (): void => this.signal.removeEventListener('abort', interrupt);
      work.then(resolve, reject).finally(settle);
    });
  }

  /** Resolves when the first signal comes. */
  stopped(): Promise<void> {
    return this.race(new Promise<never>(() => {})).catch(() => {});
  }

  /** Gives the signals back to Node's own handling. */
  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#handle);
  }

  #received(): void {
    this.#count++;
    if (this.#count === 1) this.#stop.abort();
    else this.#onSecond();
  }
}
