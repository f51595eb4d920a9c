/**
 * Pages of rows in some order of a table: of its keys, or of what an index says.
 *
 * I98. A page has the first rows of its range in byte order of their keys, and costs about what it
 *      holds, however many rows the table has; it holds no more than PAGE_ROWS_MAX rows, and ends
 *      after the row with which it reaches PAGE_BYTES, or, of a past height, where it has looked at LOOK_MAX
 *      places and versions of rows: it may then hold none, and not be the last.
 */
import type { KeyOrder } from './key-order.ts';
import type { IndexRange, Page, Range } from './module.ts';
import { placeKey } from './table-index.ts';
import type { Entry } from './tables.ts';
import { compareText, sizeOf, type Value } from './values.ts';

export const PAGE_ROWS_MAX = 1000;
export const PAGE_BYTES = 32 * 1024;
/** About a millisecond. */
export const LOOK_MAX = 20_000;

/** How much more a page may look at. */
export interface Look {
  left: number;
}

/** A place in an order: under its key, an entry. */
export interface Place {
  readonly key: string;
  readonly entry: Entry;
}

/** Places from the first of a range on, in its direction, and beyond its end. */
export type PlacesOf<P> = (range: Range) => Iterable<P>;
/** Undefined where no row is to be seen. */
export type RowOf<P> = (place: P, look: Look) => Value | undefined;

export function pageOf<P extends Place>(
  places: PlacesOf<P>,
  range: Range,
  rowOf: RowOf<P>,
): Page<Value> {
  const { prefix = '', after, limit } = range;
  const rows: (readonly [string, Value])[] = [];
  const rowsMax = Math.min(limit, PAGE_ROWS_MAX);
  const look: Look = { left: LOOK_MAX };
  let bytes = 0;
  let last: string | null = null;
  for (const place of places(range)) {
    if (!place.key.startsWith(prefix)) break;
    if (place.key === after) continue;
    if (rows.length >= rowsMax || bytes >= PAGE_BYTES || look.left <= 0) {
      return { rows, next: last };
    }
    look.left--;
    last = place.key;
    const row = rowOf(place, look);
    if (row === undefined) continue;
    const { key } = place.entry;
    rows.push([key, row]);
    bytes += key.length + sizeOf(row);
  }
  return { rows, next: null };
}

export function pageByIndex<P extends Place>(
  places: PlacesOf<P>,
  range: IndexRange,
  rowOf: RowOf<P>,
): Page<Value> {
  const { equals, after } = range;
  if (equals === undefined) return pageOf(places, range, rowOf);
  // All places of one text differ in the row's key alone, so that is what the next page is told.
  const prefix = placeKey(equals, '');
  const from = after === undefined ? undefined : prefix + after;
  const page = pageOf(places, { ...range, prefix, after: from }, rowOf);
  return { rows: page.rows, next: page.next?.slice(prefix.length) ?? null };
}

/** In the order of a table every entry has its place under its own key. */
export function* entryPlaces(order: KeyOrder<Entry>, range: Range): Iterable<Place> {
  for (const entry of itemsOf(order, range)) yield { key: entry.key, entry };
}

/** From the range's first item on, and beyond its end. */
export function itemsOf<Item extends { readonly key: string }>(
  order: KeyOrder<Item>,
  { prefix = '', after, reversed = false }: Range,
): Iterable<Item> {
  if (!reversed) {
    return order.from(after !== undefined && compareText(after, prefix) > 0 ? after : prefix);
  }
  return order.down(
    (key) =>
      (compareText(key, prefix) > 0 && !key.startsWith(prefix)) ||
      (after !== undefined && compareText(key, after) >= 0),
  );
}
