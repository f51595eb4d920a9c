/** The rows as a query sees them, and which of them it looked at: those are what its proof shows. */
import type { Page, ReadTable } from './module.ts';
import type { View } from './queries.ts';
import { tableId } from './tree-encoding.ts';
import type { Value } from './values.ts';

export interface SeenRow {
  readonly table: string;
  readonly key: string;
  /** Undefined when there is none. */
  readonly row: Value | undefined;
}

export class RecordedView implements View {
  readonly height: number;
  readonly time: number;
  readonly #view: View;
  readonly #seen = new Map<string, SeenRow>();

  constructor(view: View, { height, time }: Pick<View, 'height' | 'time'>) {
    this.#view = view;
    this.height = height;
    this.time = time;
  }

  /** Each once, in the order in which they were first looked at. */
  get seen(): readonly SeenRow[] {
    return [...this.#seen.values()];
  }

  tablesOf(module: string): Readonly<Record<string, ReadTable>> {
    const entries = Object.entries(this.#view.tablesOf(module));
    const recorded = entries.map(([name, table]) => [
      name,
      this.#recorded(tableId(module, name), table),
    ]);
    return Object.fromEntries(recorded) as Readonly<Record<string, ReadTable>>;
  }

  #recorded(id: string, table: ReadTable): ReadTable {
    const saw = (page: Page<Value>): Page<Value> => {
      for (const [key, row] of page.rows) this.#saw({ table: id, key, row });
      return page;
    };
    return {
      get: (key) => {
        const row = table.get(key);
        this.#saw({ table: id, key, row });
        return row;
      },
      page: (range) => saw(table.page(range)),
      pageBy: (index, range) => saw(table.pageBy(index, range)),
    };
  }

  #saw(row: SeenRow): void {
    const name = JSON.stringify([row.table, row.key]);
    if (!this.#seen.has(name)) this.#seen.set(name, row);
  }
}
