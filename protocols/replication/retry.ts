/** The pace of one request that is repeated until it is answered (I66, fetch.ts). */
import type { Millis } from '../types.ts';

export const RETRY_MS_MIN = 100;
export const RETRY_MS_MAX = 2000;

export class Retry {
  #at: Millis;
  #attempt = 0;

  constructor(at: Millis) {
    this.#at = at;
  }

  /** How often it was made since the last progress. */
  get attempt(): number {
    return this.#attempt;
  }

  /** When the next request is due. A clock that was set back must not put it off for as long. */
  dueAt(now: Millis): Millis {
    this.#at = Math.min(this.#at, now + RETRY_MS_MAX);
    return this.#at;
  }

  made(now: Millis): void {
    this.#at = now + Math.min(RETRY_MS_MIN * 2 ** this.#attempt, RETRY_MS_MAX);
    this.#attempt++;
  }

  /** Something new is asked for, not before `at`. */
  progressed(at: Millis): void {
    this.#attempt = 0;
    this.#at = at;
  }

  /** The same is asked for again at `at`. */
  again(at: Millis): void {
    this.#at = at;
  }
}
