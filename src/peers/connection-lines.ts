/**
 * Log lines about peers that come and go: how often a peer does is its own affair, how often that is
 * told is ours. Each has lines of its own, so that one that flaps does not hide the others.
 */
import { LineWindow } from '../line-window.ts';
import type { Logger } from '../logger.ts';

const LINES_PER_WINDOW = 20;

export class ConnectionLines {
  readonly #logger: Logger;
  readonly #now: () => number;
  readonly #lines = new Map<string | number, LineWindow>();

  /** @param now monotonic milliseconds */
  constructor(logger: Logger, now = () => performance.now()) {
    this.#logger = logger;
    this.#now = now;
  }

  /** `fields.peer` is the validator's name. */
  say(
    fields: { readonly peer: string | number; readonly [name: string]: unknown },
    message: string,
  ): void {
    const lines = this.#lines.get(fields.peer) ?? new LineWindow(LINES_PER_WINDOW, this.#now);
    this.#lines.set(fields.peer, lines);
    const unsaid = lines.next();
    if (unsaid === null) return;
    this.#logger.info({ ...fields, ...(unsaid === 0 ? {} : { linesLeftOut: unsaid }) }, message);
  }
}
