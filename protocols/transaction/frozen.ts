/**
 * The items of an order as they were at one moment, read a part at a time while they change on. What changes
 * for the first time since then is noted before (copy on write): the moment itself costs nothing, however
 * many items there are.
 *
 * I136. `take` gives each item that stood in the order at that moment once, in the order of keys, as it was
 *       then, whatever has changed, come and gone since.
 */
import { KeyOrder, merged } from './key-order.ts';
import { compareText, type Value } from './values.ts';

interface Keyed {
  readonly key: string;
}

/** What an item says now; undefined for nothing, as of one that is to come. */
export type RowOf<Item> = (item: Item) => Value | undefined;

export class Frozen<Item extends Keyed> {
  readonly #live: KeyOrder<Item>;
  readonly #rowOf: RowOf<Item>;
  /** What items said at the moment. */
  readonly #before = new Map<Item, Value | undefined>();
  /** Those that stood in the order then, and have left it. */
  readonly #gone = new KeyOrder<Item>();
  /** The last key taken. */
  #taken: string | null = null;

  constructor(live: KeyOrder<Item>, rowOf: RowOf<Item>) {
    this.#live = live;
    this.#rowOf = rowOf;
  }

  /** `item` is about to change, to come or to leave. */
  changes(item: Item): void {
    if (this.#isTaken(item) || this.#before.has(item)) return;
    const row = this.#rowOf(item);
    // Bytes are written over where they stand.
    this.#before.set(item, row instanceof Uint8Array ? row.slice() : row);
  }

  /** `item`, which `changes` was told of, has left the order. */
  left(item: Item): void {
    if (this.#before.get(item) === undefined || this.#isTaken(item)) return;
    const [there] = this.#gone.from(item.key);
    if (there?.key !== item.key) this.#gone.add(item);
  }

  /** Goes through the next items, `max` at most, while `each` says true; whether there are no more. */
  take(max: number, each: (key: string, row: Value) => boolean): boolean {
    let left = max;
    for (const item of this.#items()) {
      if (left-- === 0) return false;
      this.#taken = item.key;
      const row = this.#before.has(item) ? this.#before.get(item) : this.#rowOf(item);
      if (row !== undefined && !each(item.key, row)) return false;
    }
    return true;
  }

  #isTaken({ key }: Item): boolean {
    return this.#taken !== null && compareText(key, this.#taken) <= 0;
  }

  /** Of two with one key the one that is gone: the other came after it. */
  #items(): Iterable<Item> {
    return merged(this.#after(this.#gone), this.#after(this.#live));
  }

  *#after(order: KeyOrder<Item>): Iterable<Item> {
    const taken = this.#taken;
    for (const item of order.from(taken ?? '')) if (item.key !== taken) yield item;
  }
}
