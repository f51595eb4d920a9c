/**
 * The rows of all modules in memory, with what is needed to take back one transaction and to know
 * what changed since the last checkpoint.
 *
 * I47. After `rollback` the rows are what they were at the last `commit`, whatever was written between.
 * I48. `changed` names every row that differs from the last checkpoint.
 * I98. A page has the first rows of its range in byte order of their keys, and costs about what it
 *      holds, however many rows the table has; it holds no more than PAGE_ROWS_MAX rows, and ends
 *      after the row with which it reaches PAGE_BYTES.
 */
import { KeyOrder } from './key-order.ts';
import type { IndexRange, Page, Range, Table, TableShape } from './module.ts';
import {
  movePlaces,
  NO_PLACES,
  placeKey,
  samePlaces,
  TableIndex,
  type IndexPlace,
} from './table-index.ts';
import { assertValue, compareText, sizeOf, type Value } from './values.ts';

export const PAGE_ROWS_MAX = 1000;
export const PAGE_BYTES = 32 * 1024;

/** One row's place. It stays when the row is deleted, until the next checkpoint has seen it. */
export interface Entry {
  readonly table: MemoryTable;
  readonly key: string;
  /** Undefined when there is no row. */
  row: Value | undefined;
  /** Where the row stands in the table's indexes. */
  places: readonly IndexPlace[];
  /** The row's leaf in the state tree, 0 while it has none. */
  leaf: number;
  changed: boolean;
}

/** What transactions wrote, so that one of them can be taken back. */
export class Journal {
  readonly #entries: Entry[] = [];
  readonly #rows: (Value | undefined)[] = [];
  readonly #places: (readonly IndexPlace[])[] = [];
  #length = 0;
  /** Entries written since the last checkpoint. */
  readonly changed: Entry[] = [];

  /** Throws NotAValue, with nothing written, when an index of the table cannot place the row. */
  write(entry: Entry, row: Value | undefined): void {
    const places = entry.table.placesOf(entry, row);
    const at = this.#length++;
    this.#entries[at] = entry;
    this.#rows[at] = entry.row;
    this.#places[at] = entry.places;
    putRow(entry, row, places);
    if (entry.changed) return;
    entry.changed = true;
    this.changed.push(entry);
  }

  /** What `rollback` can return to. */
  mark(): number {
    return this.#length;
  }

  /** What was written stays. */
  commit(): void {
    this.#length = 0;
  }

  /** What was written since the last commit, or since `mark`, is undone, newest first. */
  rollback(mark = 0): void {
    for (let at = this.#length - 1; at >= mark; at--) {
      putRow(this.#entries[at]!, this.#rows[at], this.#places[at]!);
    }
    this.#length = mark;
  }

  /** A checkpoint has seen every change. */
  forgetChanges(): void {
    for (const entry of this.changed) {
      entry.changed = false;
      if (entry.row === undefined) entry.table.forget(entry.key);
    }
    this.changed.length = 0;
    this.#entries.length = 0;
    this.#rows.length = 0;
    this.#places.length = 0;
    this.#length = 0;
  }
}

/** A key has its place in the order of its table while it has a row. */
function putRow(entry: Entry, row: Value | undefined, places: readonly IndexPlace[]): void {
  const before = entry.row;
  entry.row = row;
  movePlaces(entry.places, places);
  entry.places = places;
  if (before === undefined && row !== undefined) entry.table.order.add(entry);
  else if (before !== undefined && row === undefined) entry.table.order.remove(entry.key);
}

export class MemoryTable implements Table {
  /** `<module>/<table>`: part of every row's path in the state tree. */
  readonly id: string;
  /** Of the entries that have a row; only the journal changes it. */
  readonly order = new KeyOrder<Entry>();
  readonly #entries = new Map<string, Entry>();
  #indexes: ReadonlyMap<string, TableIndex> = new Map();
  readonly #journal: Journal;

  constructor(id: string, journal: Journal, indexes: TableShape['indexes'] = new Map()) {
    this.id = id;
    this.#journal = journal;
    this.setIndexes(indexes);
  }

  /** Builds the indexes anew, over the rows that are there. Not within a transaction. */
  setIndexes(indexes: TableShape['indexes']): void {
    this.#indexes = new Map([...indexes].map(([name, each]) => [name, new TableIndex(each)]));
    for (const entry of this.order.from('')) {
      entry.places = NO_PLACES;
      const places = this.placesOf(entry, entry.row);
      movePlaces(NO_PLACES, places);
      entry.places = places;
    }
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.row;
  }

  set(key: string, row: Value): void {
    assertValue(row);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      assertValue(key);
      const places = NO_PLACES;
      entry = { table: this, key, row: undefined, places, leaf: 0, changed: false };
      this.#journal.write(entry, row);
      this.#entries.set(key, entry);
      return;
    }
    this.#journal.write(entry, row);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.row !== undefined) this.#journal.write(entry, undefined);
  }

  page(range: Range): Page<Value> {
    return pageOf(this.order, range, (entry) => entry);
  }

  pageBy(name: string, range: IndexRange): Page<Value> {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`${this.id} has no index ${name}`);
    const { equals, after } = range;
    if (equals === undefined) return pageOf(index.order, range, entryOf);
    // All places of one text differ in the row's key alone, so that is what the next page is told.
    const prefix = placeKey(equals, '');
    const from = after === undefined ? undefined : prefix + after;
    const page = pageOf(index.order, { ...range, prefix, after: from }, entryOf);
    return { rows: page.rows, next: page.next?.slice(prefix.length) ?? null };
  }

  /** Where `row` is to stand in the indexes; only the journal calls it. */
  placesOf(entry: Entry, row: Value | undefined): readonly IndexPlace[] {
    if (this.#indexes.size === 0 || row === undefined) return NO_PLACES;
    const places: IndexPlace[] = [];
    for (const index of this.#indexes.values()) index.addPlaces(entry, row, places);
    return samePlaces(entry.places, places);
  }

  /** Drops an entry without a row; only the journal calls it. */
  forget(key: string): void {
    this.#entries.delete(key);
  }
}

const entryOf = ({ entry }: IndexPlace): Entry => entry;

function pageOf<Item extends { readonly key: string }>(
  order: KeyOrder<Item>,
  range: Range,
  toEntry: (item: Item) => Entry,
): Page<Value> {
  const { prefix = '', after, limit } = range;
  const rows: (readonly [string, Value])[] = [];
  const rowsMax = Math.min(limit, PAGE_ROWS_MAX);
  let bytes = 0;
  let last: string | null = null;
  for (const item of itemsOf(order, range)) {
    if (!item.key.startsWith(prefix)) break;
    if (item.key === after) continue;
    if (rows.length >= rowsMax || bytes >= PAGE_BYTES) return { rows, next: last };
    const { key, row } = toEntry(item);
    rows.push([key, row!]);
    bytes += key.length + sizeOf(row!);
    last = item.key;
  }
  return { rows, next: null };
}

/** From the range's first item on, and beyond its end. */
function itemsOf<Item extends { readonly key: string }>(
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
