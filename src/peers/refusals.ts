/**
 * Log lines about connections that were refused: with address, fingerprint and reason, but no more of
 * them than somebody can read, because strangers decide how often they knock.
 */
import { LineWindow } from '../line-window.ts';
import type { Logger } from '../logger.ts';

const LINES_PER_WINDOW = 20;

export interface Refusal {
  /** `address:port` of the other end. */
  readonly address: string;
  /** SHA-256 fingerprint of the certificate that it showed, if any. */
  readonly fingerprint: string | null;
  readonly reason: string;
}

export class Refusals {
  readonly #logger: Logger;
  readonly #lines = new LineWindow(LINES_PER_WINDOW);
  /** All refusals so far. */
  total = 0;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  note(refusal: Refusal): void {
    this.total++;
    const unsaid = this.#lines.next();
    if (unsaid === null) return;
    const leftOut = unsaid === 0 ? {} : { refusedWithoutLine: unsaid };
    this.#logger.warn({ ...refusal, ...leftOut }, 'peer connection refused');
  }
}
