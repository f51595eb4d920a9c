/** Many rows in one statement. */
import type pg from 'pg';
import { columnsOf } from './rows.ts';

export type ColumnTypes = readonly (readonly [name: string, type: string])[];

/** `rest` follows the rows in the statement, such as what to do with those that are there. */
export async function insert(
  client: pg.Client,
  table: string,
  columns: ColumnTypes,
  rows: readonly (readonly unknown[])[],
  rest = '',
): Promise<void> {
  if (rows.length === 0) return;
  const names = columns.map(([name]) => `"${name}"`).join(', ');
  const arrays = columns.map(([, type], at) => `$${at + 1}::${type}[]`).join(', ');
  const text = `INSERT INTO althing.${table} (${names}) SELECT * FROM unnest(${arrays}) ${rest}`;
  await client.query(text, columnsOf(rows, columns.length));
}
