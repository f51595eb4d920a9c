/** A page of a list, as it is asked for and read. */
import type pg from 'pg';
import { readExtent, type Extent } from './lasting.ts';
import { LIMIT_DEFAULT, type List, type Parameters } from './queries.ts';

/**
 * `onConnect` of the pool: a session is told that a row here and there costs little more than the next one.
 * Else the planner walks in the order of the list past all rows that do not fit, in the hope of soon
 * meeting some that do, where the index of a filter leads to them. The pool waits for the promise.
 */
export function prepareSession(client: pg.ClientBase): unknown {
  return client.query('SET random_page_cost = 1.1');
}

export interface ListPage {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** The `cursor` of the next page; null at the end. */
  readonly next: string | null;
}

export interface Listed {
  readonly page: ListPage;
  /** Null where there are no rows. */
  readonly extent: Extent | null;
}

/** `parameters` fit the list's schema. */
export async function list(
  client: pg.Pool,
  { sql, shown, place }: List,
  parameters: Parameters,
): Promise<Listed> {
  const limit = Number(parameters['limit'] ?? LIMIT_DEFAULT);
  // One row more tells whether there is a next page.
  const { text, values } = sql({ ...parameters, limit: limit + 1 });
  const { rows } = await client.query<Record<string, unknown>>(text, [...values]);
  const kept = rows.slice(0, limit).map((each) => {
    const { extent: _, ...row } = each;
    return row;
  });
  const extent = rows[0]?.['extent'];
  return {
    page: { rows: kept.map(shown), next: rows.length > limit ? place(kept.at(-1)!) : null },
    extent: typeof extent === 'string' ? readExtent(extent) : null,
  };
}
