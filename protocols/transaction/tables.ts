/**
 * The rows of all modules in memory, with what is needed to take back one transaction and to know
 * what changed since the last checkpoint.
 *
 * I47. After `rollback` the rows are what they were at the last `commit`, whatever was written between.
 * I48. `changed` names every row that differs from the last checkpoint.
 */
import { Frozen } from './frozen.ts';
import { History, PastPlaces, type Version } from './history.ts';
import { KeyOrder } from './key-order.ts';
import type { Meter } from './meter.ts';
import type { IndexRange, Page, Range, Table, TableShape } from './module.ts';
import { movePlaces, NO_PLACES, samePlaces, TableIndex, type IndexPlace } from './table-index.ts';
import { entryPlaces, itemsOf, pageByIndex, pageOf } from './table-pages.ts';
import { assertValue, measureValue, type Value } from './values.ts';

/**
 * One row's place. It stays when the row is deleted, until a checkpoint has seen that and nothing is
 * remembered of it.
 */
export interface Entry {
  readonly table: MemoryTable;
  readonly key: string;
  /** Undefined when there is no row. */
  row: Value | undefined;
  /** Where the row stands in the table's indexes. */
  places: readonly IndexPlace[];
  /** About as many bytes as the row has when it is encoded. */
  bytes: number;
  /** The row's leaf in the state tree, 0 while it has none. */
  leaf: number;
  changed: boolean;
  /** What it was before (history.ts). */
  oldest: Version | null;
  newest: Version | null;
}

/** Of a row, and of each of its places, when an index is built anew: a million of them in some seconds. */
const INDEX_STEPS = 256;

/** What transactions wrote, so that one of them can be taken back. */
export class Journal {
  readonly #entries: Entry[] = [];
  readonly #rows: (Value | undefined)[] = [];
  readonly #places: (readonly IndexPlace[])[] = [];
  readonly #bytes: number[] = [];
  #length = 0;
  readonly #history: History;
  /** Entries written since the last checkpoint. */
  readonly changed: Entry[] = [];

  constructor(history = new History()) {
    this.#history = history;
  }

  /**
   * @param bytes as in Entry
   * @throws NotAValue, with nothing written, when an index of the table cannot place the row
   */
  write(entry: Entry, row: Value | undefined, bytes: number): void {
    const places = entry.table.placesOf(entry, row);
    this.#history.note(entry, row === undefined || places !== entry.places);
    const at = this.#length++;
    this.#entries[at] = entry;
    this.#rows[at] = entry.row;
    this.#places[at] = entry.places;
    this.#bytes[at] = entry.bytes;
    if (!entry.changed) {
      entry.table.frozen?.changes(entry);
      entry.changed = true;
      this.changed.push(entry);
    }
    putRow(entry, row, places, bytes);
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
      putRow(this.#entries[at]!, this.#rows[at], this.#places[at]!, this.#bytes[at]!);
    }
    this.#length = mark;
  }

  /** A checkpoint has seen every change. */
  forgetChanges(): void {
    for (const entry of this.changed) {
      entry.changed = false;
      entry.table.forget(entry);
    }
    this.changed.length = 0;
    this.#entries.length = 0;
    this.#rows.length = 0;
    this.#places.length = 0;
    this.#bytes.length = 0;
    this.#length = 0;
  }
}

/** A key has its place in the order of its table while it has a row. */
function putRow(
  entry: Entry,
  row: Value | undefined,
  places: readonly IndexPlace[],
  bytes: number,
): void {
  const before = entry.row;
  entry.row = row;
  entry.bytes = bytes;
  movePlaces(entry.places, places);
  entry.places = places;
  if (before === undefined && row !== undefined) entry.table.order.add(entry);
  else if (before !== undefined && row === undefined) {
    entry.table.order.remove(entry.key);
    entry.table.frozen?.left(entry);
  }
}

type TableIndexes = ReadonlyMap<string, TableIndex>;

function indexesOf(shapes: TableShape['indexes']): TableIndexes {
  return new Map([...shapes].map(([name, each]) => [name, new TableIndex(each)]));
}

export class MemoryTable implements Table {
  /** `<module>/<table>`: part of every row's path in the state tree. */
  readonly id: string;
  /** Of the entries that have a row; only the journal changes it. */
  readonly order = new KeyOrder<Entry>();
  /** Where rows were that are not there any more; only history.ts changes it. */
  readonly past = new PastPlaces();
  #frozen: Frozen<Entry> | null = null;
  readonly #entries = new Map<string, Entry>();
  #indexes: TableIndexes;
  readonly #journal: Journal;

  constructor(id: string, journal: Journal, indexes: TableShape['indexes'] = new Map()) {
    this.id = id;
    this.#journal = journal;
    this.#indexes = indexesOf(indexes);
  }

  /**
   * From now on what is written is in no index, until others are installed. A rollback of what was written
   * meanwhile, and `reindex` with what this returns, make the indexes what they were.
   */
  unindex(): TableIndexes {
    const before = this.#indexes;
    this.#indexes = new Map();
    return before;
  }

  reindex(indexes: TableIndexes): void {
    this.#indexes = indexes;
  }

  /**
   * Builds indexes over the rows that are there, of which nothing is seen until they are installed by what
   * this returns. The meter pays for each row and each place. Throws what the functions throw.
   */
  buildIndexes(shapes: TableShape['indexes'], meter: Meter): () => void {
    const indexes = indexesOf(shapes);
    const placed: (readonly [Entry, readonly IndexPlace[]])[] = [];
    for (const entry of this.order.from('')) {
      const places: IndexPlace[] = [];
      for (const index of indexes.values()) index.addPlaces(entry, entry.row!, places, meter);
      meter.spend(INDEX_STEPS * (1 + places.length));
      movePlaces(NO_PLACES, places);
      placed.push([entry, places]);
    }
    return () => {
      this.#indexes = indexes;
      for (const [entry, places] of placed) entry.places = places;
    };
  }

  /** Who is told of changes while a snapshot is made; only the journal tells. */
  get frozen(): Frozen<Entry> | null {
    return this.#frozen;
  }

  /** The rows as they are now, while they change on. Nothing must have changed since a checkpoint. */
  freeze(): Frozen<Entry> {
    return (this.#frozen = new Frozen(this.order, ({ row }) => row));
  }

  /** Nothing is read any more of what `freeze` gave. */
  thaw(): void {
    this.#frozen = null;
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.row;
  }

  set(key: string, row: Value): void {
    const bytes = measureValue(row);
    const known = this.#entries.get(key);
    if (known !== undefined) return this.#journal.write(known, row, bytes);
    assertValue(key);
    const entry = newEntry(this, key);
    this.#journal.write(entry, row, bytes);
    this.#entries.set(key, entry);
  }

  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (entry?.row !== undefined) this.#journal.write(entry, undefined, 0);
  }

  page(range: Range): Page<Value> {
    return pageOf((asked) => entryPlaces(this.order, asked), range, rowOf);
  }

  pageBy(name: string, range: IndexRange): Page<Value> {
    const { order } = this.index(name);
    return pageByIndex((asked) => itemsOf(order, asked), range, rowOf);
  }

  /** Throws an Error when there is no such index. */
  index(name: string): TableIndex {
    const index = this.#indexes.get(name);
    if (index === undefined) throw new Error(`${this.id} has no index ${name}`);
    return index;
  }

  /** Also one that has no row any more, but had one in the window of history.ts. */
  entry(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** Where `row` is to stand in the indexes; only the journal calls it. */
  placesOf(entry: Entry, row: Value | undefined): readonly IndexPlace[] {
    if (this.#indexes.size === 0 || row === undefined) return NO_PLACES;
    const places: IndexPlace[] = [];
    for (const index of this.#indexes.values()) index.addPlaces(entry, row, places);
    return samePlaces(entry.places, places);
  }

  /** Drops an entry of which nothing is to be remembered; the journal and the history call it. */
  forget({ key, row, changed, oldest }: Entry): void {
    if (row === undefined && !changed && oldest === null) this.#entries.delete(key);
  }
}

const rowOf = ({ entry }: { readonly entry: Entry }): Value | undefined => entry.row;

function newEntry(table: MemoryTable, key: string): Entry {
  return {
    table,
    key,
    row: undefined,
    places: NO_PLACES,
    bytes: 0,
    leaf: 0,
    changed: false,
    oldest: null,
    newest: null,
  };
}
