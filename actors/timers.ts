/**
 * The named timers of one actor, on Node's.
 *
 * I22. A timer fires once, at its newest time or later, and not after `clear`. A wall clock that is set
 *      back after `set` does not put it off: it waits no longer than it had to wait then.
 */
import type { Millis } from '../protocols/types.ts';

/** Node fires at once what is further away; such a timer is set again when it fires. */
const DELAY_MS_MAX = 2 ** 31 - 1;
/** Node's timers, the wall clock and the monotonic one differ by so much when nobody sets any. */
const CLOCKS_DIFFER_MS = 2;

export class Timers {
  readonly #handles = new Map<string, NodeJS.Timeout>();
  readonly #fired: (timer: string) => void;
  #ended = false;

  constructor(fired: (timer: string) => void) {
    this.#fired = fired;
  }

  /** Fires once at `at`; a second call moves it. */
  set(timer: string, at: Millis): void {
    const delay = Math.max(0, at - Date.now());
    this.#wait(timer, at, performance.now() + delay + CLOCKS_DIFFER_MS);
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

  /** @param latest on the monotonic clock */
  #wait(timer: string, at: Millis, latest: number): void {
    clearTimeout(this.#handles.get(timer));
    if (this.#ended) return;
    const left = Math.min(at - Date.now(), latest - performance.now());
    const delay = Math.min(DELAY_MS_MAX, Math.max(0, left));
    this.#handles.set(
      timer,
      setTimeout(() => this.#due(timer, at, latest), delay),
    );
  }

  #due(timer: string, at: Millis, latest: number): void {
    if (Date.now() < at && performance.now() < latest) return this.#wait(timer, at, latest);
    this.#handles.delete(timer);
    this.#fired(timer);
  }
}
