/**
 * When things end, by the minute of block time: whatever is valid until some moment of a minute ends
 * when block time has reached the next one. Minutes, so that a block mostly has nothing to do here.
 */
import type { Millis } from '../types.ts';

const MINUTE_MS = 60_000;

export function minuteOf(time: Millis): number {
  return Math.floor(time / MINUTE_MS);
}

export class Expiry<T> {
  readonly #byMinute = new Map<number, T[]>();
  #checked = -1;

  /** `item` is due once the minute of `validUntil` is over. The same item may be added again. */
  add(minute: number, item: T): void {
    const items = this.#byMinute.get(minute);
    if (items === undefined) this.#byMinute.set(minute, [item]);
    else items.push(item);
  }

  /** What is due at block time `time`, in order of its minute; never the same entry again. */
  due(time: Millis): T[] {
    const now = minuteOf(time);
    if (now === this.#checked) return [];
    this.#checked = now;
    const over = [...this.#byMinute.keys()].filter((minute) => minute < now);
    const items: T[] = [];
    for (const minute of over.toSorted((a, b) => a - b)) {
      items.push(...this.#byMinute.get(minute)!);
      this.#byMinute.delete(minute);
    }
    return items;
  }
}
