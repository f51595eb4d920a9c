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

/** Places from a key on, ascending. */
export type PlacesFrom<P> = (key: string) => Iterable<P>;
/** Undefined where no row is to be seen. */
export type RowOf<P> = (place: P, look: Look) => Value | undefined;

export function pageOf<P extends Place>(
  places: PlacesFrom<P>,
  { prefix = '', after, limit }: Range,
  rowOf: RowOf<P>,
): Page<Value> {
  const rows: (readonly [string, Value])[] = [];
  const rowsMax = Math.min(limit, PAGE_ROWS_MAX);
  const look: Look = { left: LOOK_MAX };
  let bytes = 0;
  let last: string | null = null;
  const start = after !== undefined && compareText(after, prefix) > 0 ? after : prefix;
  for (const place of places(start)) {
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
  places: PlacesFrom<P>,
  range: IndexRange,
  rowOf: RowOf<P>,
): Page<Value> {
  const { equals, after, limit } = range;
  if (equals === undefined) return pageOf(places, range, rowOf);
  // All places of one text differ in the row's key alone, so that is what the next page is told.
  const prefix = placeKey(equals, '');
  const from = after === undefined ? undefined : prefix + after;
  const page = pageOf(places, { prefix, after: from, limit }, rowOf);
  return { rows: page.rows, next: page.next?.slice(prefix.length) ?? null };
}

/** In the order of a table every entry has its place under its own key. */
export function* entryPlaces(order: KeyOrder<Entry>, from: string): Iterable<Place> {
  for (const entry of order.from(from)) yield { key: entry.key, entry };
}
