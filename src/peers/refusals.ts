/**
 * Log lines about connections that were refused: with address, fingerprint and reason, but no more of
 * them than somebody can read, because strangers decide how often they knock.
 */
import type { Logger } from '../logger.ts';

const LINES_PER_WINDOW = 20;
const WINDOW_MS = 10_000;

export interface Refusal {
  /** `address:port` of the other end. */
  readonly address: string;
  /** SHA-256 fingerprint of the certificate that it showed, if any. */
  readonly fingerprint: string | null;
  readonly reason: string;
}

export class Refusals {
  readonly #logger: Logger;
  #windowStart = 0;
  #lines = 0;
  #unsaid = 0;
  /** All refusals so far. */
  total = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(refusal: Refusal): void {
    this.total++;
    const now = performance.now();
    if (this.#lines === 0 || now - this.#windowStart > WINDOW_MS) {
      this.#windowStart = now;
      this.#lines = 0;
    }
    if (++this.#lines > LINES_PER_WINDOW) {
      this.#unsaid++;
      return;
    }
    const unsaid = this.#unsaid === 0 ? {} : { refusedWithoutLine: this.#unsaid };
    this.#unsaid = 0;
    this.#logger.warn({ ...refusal, ...unsaid }, 'peer connection refused');
  }
}
