/** A table as it was at a height of the window that history.ts keeps (I109), read like any other. */
import { hasPlace, versionAfter } from './history.ts';
import { merged } from './key-order.ts';
import type { IndexRange, Page, Range, ReadTable } from './module.ts';
import type { TableIndex } from './table-index.ts';
import { entryPlaces, itemsOf, pageByIndex, pageOf, type Look, type Place } from './table-pages.ts';
import type { Entry, MemoryTable } from './tables.ts';
import type { Value } from './values.ts';

export class PastTable implements ReadTable {
  readonly #table: MemoryTable;
  readonly #height: number;

  constructor(table: MemoryTable, height: number) {
    this.#table = table;
    this.#height = height;
  }

  get(key: string): Value | undefined {
    const entry = this.#table.entry(key);
    return entry === undefined ? undefined : this.#rowOf(entry, { left: Infinity });
  }

  page(range: Range): Page<Value> {
    const { order, past } = this.#table;
    const items = (asked: Range): Iterable<Place> =>
      merged(entryPlaces(order, asked), itemsOf(past.order, asked), asked.reversed);
    return pageOf(items, range, ({ entry }, look) => this.#rowOf(entry, look));
  }

  pageBy(name: string, range: IndexRange): Page<Value> {
    const index = this.#table.index(name);
    const items = (asked: Range): Iterable<Place> =>
      merged(itemsOf(index.order, asked), itemsOf(index.past.order, asked), asked.reversed);
    return pageByIndex(items, range, (place, look) => this.#rowAt(index, place, look));
  }

  #rowOf(entry: Entry, look: Look): Value | undefined {
    const version = versionAfter(entry, this.#height, look);
    return version === null ? entry.row : version.row;
  }

  /** Undefined when the row did not stand at this place. */
  #rowAt(index: TableIndex, { key, entry }: Place, look: Look): Value | undefined {
    const { row, places } = versionAfter(entry, this.#height, look) ?? entry;
    return hasPlace(places, { index, key }) ? row : undefined;
  }
}
