/** Ctrl-C and its relatives: the first asks to drain, the second to end at once. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export class Interruption {
  readonly #stop = new AbortController();
  readonly #onSecond: () => void;
  readonly #handle = (): void => this.#received();

  constructor(onSecond: () => void) {
    this.#onSecond = onSecond;
    for (const signal of SIGNALS) process.on(signal, this.#handle);
  }

  /** Aborted by the first. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Gives the signals back to Node's own handling. */
  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#handle);
  }

  #received(): void {
    if (this.signal.aborted) this.#onSecond();
    else this.#stop.abort();
  }
}
