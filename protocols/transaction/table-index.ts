/**
 * An order of a table's rows by what a function says of them. It is derived from the rows, kept in
 * memory and no part of the state root.
 *
 * I119. An index holds, in byte order of its text and then of the key, exactly what its function says of
 *       the rows that are there: also after a rollback, which puts back what stood there without
 *       asking the function again.
 */
import { PastPlaces } from './history.ts';
import { KeyOrder } from './key-order.ts';
import type { IndexFunction } from './module.ts';
import type { Entry } from './tables.ts';
import { NotAValue, type Value } from './values.ts';

/** Above nothing and below every character that a text may hold. */
const SEPARATOR = '\u0000';

/** One row's place in one index. */
export interface IndexPlace {
  /** `<text>U+0000<key of the row>` */
  readonly key: string;
  readonly entry: Entry;
  readonly index: TableIndex;
}

export const NO_PLACES: readonly IndexPlace[] = [];

export class TableIndex {
  readonly order = new KeyOrder<IndexPlace>();
  /** Where rows stood that do not any more; only history.ts changes it. */
  readonly past = new PastPlaces();
  readonly #function: IndexFunction;

  constructor(indexFunction: IndexFunction) {
    this.#function = indexFunction;
  }

  /** Throws NotAValue when the function says something else than text. */
  addPlaces(entry: Entry, row: Value, places: IndexPlace[]): void {
    const said: unknown = this.#function(row, entry.key);
    if (said === null) return;
    if (!Array.isArray(said)) return this.#add(said, entry, places);
    for (const text of new Set<unknown>(said)) this.#add(text, entry, places);
  }

  #add(text: unknown, entry: Entry, places: IndexPlace[]): void {
    if (typeof text !== 'string' || text.includes(SEPARATOR) || !text.isWellFormed()) {
      throw new NotAValue('an index takes well-formed text without U+0000');
    }
    places.push({ key: placeKey(text, entry.key), entry, index: this });
  }
}

export function placeKey(text: string, key: string): string {
  // Joined, the text is flat: added, it would be two parts to every comparison.
  return [text, key].join(SEPARATOR);
}

/** `after` with the old places where they stay, and all old ones where nothing changed. */
export function samePlaces(
  before: readonly IndexPlace[],
  after: IndexPlace[],
): readonly IndexPlace[] {
  if (before.length === 0) return after;
  let isSame = before.length === after.length;
  for (let at = 0; at < after.length; at++) {
    const { key, index } = after[at]!;
    const old = before.find((place) => place.key === key && place.index === index);
    if (old !== undefined) after[at] = old;
    isSame &&= old !== undefined && old === before[at];
  }
  return isSame ? before : after;
}

/** Moves only what does not stay: places that are the same objects do (samePlaces). */
export function movePlaces(before: readonly IndexPlace[], after: readonly IndexPlace[]): void {
  if (before === after) return;
  if (before.length === 0) {
    for (const place of after) place.index.order.add(place);
    return;
  }
  for (const place of before) if (!after.includes(place)) place.index.order.remove(place.key);
  for (const place of after) if (!before.includes(place)) place.index.order.add(place);
}
