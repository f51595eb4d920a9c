/**
 * When things end, by the minute of block time: whatever is valid until some moment of a minute ends
 * when block time has reached the next one. Minutes, so that a block mostly has nothing to do here;
 * and what ends together is taken one by one, because it may be a whole day's submissions.
 */
import type { Millis } from '../types.ts';

const MINUTE_MS = 60_000;

export function minuteOf(time: Millis): number {
  return Math.floor(time / MINUTE_MS);
}

export class Expiry<T> {
  readonly #byMinute = new Map<number, Set<T>>();
  /** The first minute in which something ends. */
  #first = Infinity;
  /** Goes through that minute, once it is over. */
  #walk: Iterator<T> | null = null;

  /** `item` is due once `minute`, which is not over, is; to add it to that minute again does nothing. */
  add(minute: number, item: T): void {
    const items = this.#byMinute.get(minute);
    if (items !== undefined) return void items.add(item);
    this.#byMinute.set(minute, new Set([item]));
    this.#first = Math.min(this.#first, minute);
  }

  /** Takes the next that is due at block time `time`: by minute, then in the order of adding. */
  next(time: Millis): T | undefined {
    while (this.#first < minuteOf(time)) {
      this.#walk ??= this.#byMinute.get(this.#first)!.values();
      const next = this.#walk.next();
      if (next.done !== true) return next.value;
      this.#endMinute();
    }
    return undefined;
  }

  #endMinute(): void {
    this.#walk = null;
    this.#byMinute.delete(this.#first);
    this.#first = Infinity;
    for (const minute of this.#byMinute.keys()) this.#first = Math.min(this.#first, minute);
  }
}
