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
import type { Page, Range, ReadTable, Table } from './module.ts';
import { assertValue, compareText, sizeOf, type Value } from './values.ts';

export const PAGE_ROWS_MAX = 1000;
export const PAGE_BYTES = 32 * 1024;

/** One row's place. It stays when the row is deleted, until the next checkpoint has seen it. */
export interface Entry {
  readonly table: MemoryTable;
  readonly key: string;
  /** Undefined when there is no row. */
  row: Value | undefined;
  /** The row's leaf in the state tree, 0 while it has none. */
  leaf: number;
  changed: boolean;
}

/** What transactions wrote, so that one of them can be taken back. */
export class Journal {
  readonly #entries: Entry[] = [];
  readonly #rows: (Value | undefined)[] = [];
  #length = 0;
  /** Entries written since the last checkpoint. */
  readonly changed: Entry[] = [];

  write(entry: Entry, row: Value | undefined): void {
    const at = this.#length++;
    this.#entries[at] = entry;
    this.#rows[at] = entry.row;
    putRow(entry, row);
    if (entry.changed) return;
    entry.changed = true;
    this.changed.push(entry);
  }

  /** What was written stays. */
  commit(): void {
    this.#length = 0;
  }

  /** What was written since the last commit is undone, newest first. */
  rollback(): void {
    for (let at = this.#length - 1; at >= 0; at--) putRow(this.#entries[at]!, this.#rows[at]);
    this.#length = 0;
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
    this.#length = 0;
  }
}

/** A key has its place in the order of its table while it has a row. */
function putRow(entry: Entry, row: Value | undefined): void {
  const before = entry.row;
  entry.row = row;
  if (before === undefined && row !== undefined) entry.table.order.add(entry);
  else if (before !== undefined && row === undefined) entry.table.order.remove(entry.key);
}

export class MemoryTable implements Table, ReadTable {
  /** `<module>/<table>`: part of every row's path in the state tree. */
  readonly id: string;
  /** Of the entries that have a row; only the journal changes it. */
  readonly order = new KeyOrder<Entry>();
  readonly #entries = new Map<string, Entry>();
  readonly #journal: Journal;

  constructor(id: string, journal: Journal) {
    this.id = id;
    this.#journal = journal;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.row;
  }

  set(key: string, row: Value): void {
    assertValue(row);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      assertValue(key);
      entry = { table: this, key, row: undefined, leaf: 0, changed: false };
      this.#entries.set(key, entry);
    }
    this.#journal.write(entry, row);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.row !== undefined) this.#journal.write(entry, undefined);
  }

  page({ prefix = '', after, limit }: Range): Page<Value> {
    const rows: (readonly [string, Value])[] = [];
    const rowsMax = Math.min(limit, PAGE_ROWS_MAX);
    let bytes = 0;
    let last: string | null = null;
    const start = after !== undefined && compareText(after, prefix) > 0 ? after : prefix;
    for (const { key, row } of this.order.from(start)) {
      if (!key.startsWith(prefix)) break;
      if (key === after) continue;
      if (rows.length >= rowsMax || bytes >= PAGE_BYTES) return { rows, next: last };
      rows.push([key, row!]);
      bytes += key.length + sizeOf(row!);
      last = key;
    }
    return { rows, next: null };
  }

  /** Drops an entry without a row; only the journal calls it. */
  forget(key: string): void {
    this.#entries.delete(key);
  }
}
