/**
 * The named timers of one actor, on Node's.
 *
 * I22. A timer fires once, at its newest time or later, never before it, and not after `clear`.
 */
import type { Millis } from '../protocols/types.ts';

/** Node fires at once what is further away; such a timer is set again when it fires. */
const DELAY_MS_MAX = 2 ** 31 - 1;

export class Timers {
  readonly #handles = new Map<string, NodeJS.Timeout>();
  readonly #fired: (timer: string) => void;
  #ended = false;

  constructor(fired: (timer: string) => void) {
    this.#fired = fired;
  }

  /** Fires once at `at`, never before; a second call moves it. */
  set(timer: string, at: Millis): void {
    clearTimeout(this.#handles.get(timer));
    if (this.#ended) return;
    const delay = Math.min(DELAY_MS_MAX, Math.max(0, at - Date.now()));
    this.#handles.set(
      timer,
      setTimeout(() => this.#due(timer, at), delay),
    );
  }

  clear(timer: string): void {
    clearTimeout(this.#handles.get(timer));
    this.#handles.delete(timer);
  }

  /** Clears all, and takes no new ones. */
  end(): void {
    this.#ended = true;
    for (const handle of this.#handles.values()) clearTimeout(handle);
    this.#handles.clear();
  }

  #due(timer: string, at: Millis): void {
    // Node's timers and the wall clock differ by up to a millisecond, and the latter may be set back.
    if (Date.now() < at) return this.set(timer, at);
    this.#handles.delete(timer);
    this.#fired(timer);
  }
}
