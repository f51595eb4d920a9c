/**
 * When things end, by the minute of block time: whatever is valid until some moment of a minute ends
 * when block time has reached the next one. Minutes, so that a block mostly has nothing to do here;
 * and what ends together is taken one by one, because it may be a whole day's submissions.
 *
 * I135. What is due next follows from what is remembered alone, not from the order in which it came: so a
 *       node that starts from a snapshot forgets the same as one that executed the whole chain.
 */
import type { Millis } from '../types.ts';
import { KeyOrder } from './key-order.ts';

const MINUTE_MS = 60_000;

export function minuteOf(time: Millis): number {
  return Math.floor(time / MINUTE_MS);
}

interface Minute<Item extends { readonly key: string }> {
  readonly order: KeyOrder<Item>;
  count: number;
}

export class Expiry<Item extends { readonly key: string }> {
  readonly #byMinute = new Map<number, Minute<Item>>();
  /** The first minute in which something ends. */
  #first = Infinity;

  /** `item` is due once `minute` is over. No other item of that minute has its key. */
  add(minute: number, item: Item): void {
    let at = this.#byMinute.get(minute);
    if (at === undefined) this.#byMinute.set(minute, (at = { order: new KeyOrder(), count: 0 }));
    at.order.add(item);
    at.count++;
    this.#first = Math.min(this.#first, minute);
  }

  /** `item` does not end in `minute`, to which it was added, any more. */
  remove(minute: number, item: Item): void {
    const at = this.#byMinute.get(minute)!;
    at.order.remove(item.key);
    if (--at.count > 0) return;
    this.#byMinute.delete(minute);
    if (minute !== this.#first) return;
    this.#first = Infinity;
    for (const each of this.#byMinute.keys()) this.#first = Math.min(this.#first, each);
  }

  /** The first that is due at block time `time`, by minute, then by key. It stays until it is removed. */
  next(time: Millis): Item | undefined {
    if (this.#first >= minuteOf(time)) return undefined;
    const [first] = this.#byMinute.get(this.#first)!.order.from('');
    return first;
  }
}
