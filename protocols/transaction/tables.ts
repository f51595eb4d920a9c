/**
 * The rows of all modules in memory, with what is needed to take back one transaction and to know
 * what changed since the last checkpoint.
 *
 * I47. After `rollback` the rows are what they were at the last `commit`, whatever was written between.
 * I48. `changed` names every row that differs from the last checkpoint.
 */
import type { ReadTable, Table } from './module.ts';
import { assertValue, type Value } from './values.ts';

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
    entry.row = row;
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
    for (let at = this.#length - 1; at >= 0; at--) this.#entries[at]!.row = this.#rows[at];
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

export class MemoryTable implements Table, ReadTable {
  /** `<module>/<table>`: part of every row's path in the state tree. */
  readonly id: string;
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

  *entries(): Iterable<readonly [string, Value]> {
    for (const entry of this.#entries.values()) {
      if (entry.row !== undefined) yield [entry.key, entry.row];
    }
  }

  /** Drops an entry without a row; only the journal calls it. */
  forget(key: string): void {
    this.#entries.delete(key);
  }
}
