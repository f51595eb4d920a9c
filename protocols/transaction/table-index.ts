/**
 * An order of a table's rows by what a function says of them. It is derived from the rows, kept in
 * memory and no part of the state root.
 *
 * I119. An index holds, in byte order of its text and then of the key, exactly what its function says of
 *       the rows that are there: also after a rollback, which puts back what stood there without
 *       asking the function again.
 * I133. An index says at most PLACES_MAX texts of a row, of at most TEXT_MAX characters each: a row costs no
 *       more than that to write, whatever stands in it.
 */
import { PastPlaces } from './history.ts';
import { KeyOrder } from './key-order.ts';
import type { IndexFunction } from './module.ts';
import type { Entry } from './tables.ts';
import { NotAValue, type Value } from './values.ts';

/** Above nothing and below every character that a text may hold. */
const SEPARATOR = '\u0000';

/** Texts that an index says of one row. */
export const PLACES_MAX = 64;
/** Characters of such a text. */
export const TEXT_MAX = 1024;
/** Up to so many places to go through them is faster than to keep them by key. */
const FEW = 8;

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

  /** Throws NotAValue when the function says something else than text, or too much. */
  addPlaces(entry: Entry, row: Value, places: IndexPlace[]): void {
    const said: unknown = this.#function(row, entry.key);
    if (said === null) return;
    if (!Array.isArray(said)) return this.#add(said, entry, places);
    if (said.length > PLACES_MAX) {
      throw new NotAValue(`an index says at most ${PLACES_MAX} texts of a row`);
    }
    for (const text of new Set<unknown>(said)) this.#add(text, entry, places);
  }

  #add(text: unknown, entry: Entry, places: IndexPlace[]): void {
    if (typeof text !== 'string' || text.includes(SEPARATOR) || !text.isWellFormed()) {
      throw new NotAValue('an index takes well-formed text without U+0000');
    }
    if (text.length > TEXT_MAX) {
      throw new NotAValue(`an index takes text of at most ${TEXT_MAX} characters`);
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
  const oldOf = placesByKey(before);
  let isSame = before.length === after.length;
  for (let at = 0; at < after.length; at++) {
    const old = oldOf(after[at]!);
    if (old !== undefined) after[at] = old;
    isSame &&= old !== undefined && old === before[at];
  }
  return isSame ? before : after;
}

/** Finds the one of the same index and key. */
function placesByKey(places: readonly IndexPlace[]): (place: IndexPlace) => IndexPlace | undefined {
  if (places.length <= FEW) {
    return ({ key, index }) => places.find((each) => each.key === key && each.index === index);
  }
  const byIndex = new Map<TableIndex, Map<string, IndexPlace>>();
  for (const place of places) {
    let byKey = byIndex.get(place.index);
    if (byKey === undefined) byIndex.set(place.index, (byKey = new Map()));
    byKey.set(place.key, place);
  }
  return ({ key, index }) => byIndex.get(index)?.get(key);
}

/** Moves only what does not stay: places that are the same objects do (samePlaces). */
export function movePlaces(before: readonly IndexPlace[], after: readonly IndexPlace[]): void {
  if (before === after) return;
  if (before.length === 0) {
    for (const place of after) place.index.order.add(place);
    return;
  }
  const stays = among(after);
  const stood = among(before);
  for (const place of before) if (!stays(place)) place.index.order.remove(place.key);
  for (const place of after) if (!stood(place)) place.index.order.add(place);
}

function among(places: readonly IndexPlace[]): (place: IndexPlace) => boolean {
  if (places.length <= FEW) return (place) => places.includes(place);
  const all = new Set(places);
  return (place) => all.has(place);
}
