/**
 * A module's query, run here over rows that were proved: its result is then proved, too, however the node
 * that gave the rows would lie about it.
 *
 * X5. A handler sees a row, or that there is none, only where a proof says so; what was not proved it cannot
 *     read, and there is no result. A page has the rows of its range that were proved, which may not be
 *     all that there are (docs/proofs.md): the answer says that such a page was read.
 */
import { Meter, STEPS_MAX } from '../../protocols/transaction/meter.ts';
import type { Certified } from '../../protocols/proofs/certification.ts';
import type { Fact } from '../../protocols/proofs/verify.ts';
import type {
  Module,
  ModuleRefusal,
  Page,
  ReadTable,
  TableShape,
} from '../../protocols/transaction/module.ts';
import { placeKey } from '../../protocols/transaction/table-index.ts';
import { PAGE_BYTES, PAGE_ROWS_MAX } from '../../protocols/transaction/table-pages.ts';
import { Journal, MemoryTable } from '../../protocols/transaction/tables.ts';
import { tableId } from '../../protocols/transaction/tree-encoding.ts';
import { compareText, sizeOf, type Value } from '../../protocols/transaction/values.ts';
import { AlthingError } from './errors.ts';

export interface Computed {
  readonly value: Value | ModuleRefusal;
  /** False when the handler read a page: rows of its range may be missing. */
  readonly isComplete: boolean;
}

/**
 * What the query answers over these rows. `time` is that of the block that certifies them, which comes a
 * little after the block that the rows are of. Throws AlthingError `not_proved`.
 */
export function computeProved(
  module: Module,
  query: string,
  args: Value,
  { certified, facts }: { readonly certified: Certified; readonly facts: readonly Fact[] },
): Computed {
  const tables = new ProvedTables(module, facts);
  const meter = new Meter();
  meter.left = STEPS_MAX;
  try {
    const context = {
      time: certified.block.timestamp,
      height: certified.executed.height,
      tables: tables.byName,
      meter,
    };
    const value = module.queries.get(query)!.run(context, args);
    return { value, isComplete: !tables.pagesRead };
  } catch (error) {
    if (error instanceof AlthingError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AlthingError(
      'not_proved',
      `${module.name}.${query} cannot read what was proved: ${reason}`,
    );
  }
}

class ProvedTables {
  readonly byName: Readonly<Record<string, ReadTable>>;
  pagesRead = false;

  constructor(module: Module, facts: readonly Fact[]) {
    const journal = new Journal();
    const entries = module.tables.map((shape) => {
      const table = this.#table(tableId(module.name, shape.name), shape, journal, facts);
      return [shape.name, table] as const;
    });
    this.byName = Object.fromEntries(entries);
  }

  #table(id: string, { indexes }: TableShape, journal: Journal, facts: readonly Fact[]): ReadTable {
    const rows = new MemoryTable(id, journal, indexes);
    const proved = new Set<string>();
    for (const fact of facts) {
      if (fact.kind === 'receipts' || fact.table !== id) continue;
      proved.add(fact.key);
      if (fact.kind === 'row') rows.set(fact.key, fact.row);
    }
    return {
      get: (key) => {
        if (!proved.has(key)) throw notProved(id, key);
        return rows.get(key);
      },
      page: (range) => {
        this.pagesRead = true;
        return perhapsMore(rows.page(range), range.limit, (key) => key);
      },
      pageBy: (index, range) => {
        this.pagesRead = true;
        const place = (key: string, row: Value): string =>
          range.equals === undefined
            ? placeKey(lastText(indexes.get(index)!(row, key), range.prefix), key)
            : key;
        return perhapsMore(rows.pageBy(index, range), range.limit, place);
      },
    };
  }
}

/** Of what an index says of a row that ends a range: where the row stands last in it. */
function lastText(said: string | readonly string[] | null, prefix = ''): string {
  const texts = typeof said === 'string' ? [said] : (said ?? []);
  const within = texts.filter((text) => text.startsWith(prefix));
  return within.toSorted(compareText).at(-1) ?? '';
}

/** A page that is full may not be the last: what comes after it was not proved. */
function perhapsMore(
  page: Page<Value>,
  limit: number,
  placeOf: (key: string, row: Value) => string,
): Page<Value> {
  const { rows, next } = page;
  if (next !== null || rows.length === 0) return page;
  const bytes = rows.reduce((sum, [key, row]) => sum + key.length + sizeOf(row), 0);
  const isFull = rows.length >= Math.min(limit, PAGE_ROWS_MAX) || bytes >= PAGE_BYTES;
  return isFull ? { rows, next: placeOf(...rows.at(-1)!) } : page;
}

function notProved(table: string, key: string): AlthingError {
  const shown = JSON.stringify(key);
  return new AlthingError(
    'not_proved',
    `the proof says nothing of ${shown} in ${table}: a node that lies, or runs another version of the module`,
  );
}
