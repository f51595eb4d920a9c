/**
 * Many rows in one statement.
 *
 * D6. No row stops the projection: names, codes and members of events are chosen by modules and their
 *     users, and what PostgreSQL would refuse of them is made to fit its column before it gets there.
 */
import type pg from 'pg';

/** Of an index, a row holds 2,704 bytes at most: two such texts of three bytes a character. */
export const TEXT_LENGTH_MAX = 400;
const INT4_MAX = 2 ** 31 - 1;
/** Of a Date, in milliseconds; of PostgreSQL a little more. Times of the chain begin in 1970. */
const TIME_MAX = 8.64e15;

type Fit = (value: unknown) => unknown;

const FITS = {
  bigint: asItIs,
  bytea: asItIs,
  integer: (value) => Math.max(-INT4_MAX, Math.min(Number(value), INT4_MAX)),
  numeric: String,
  text: (value) => (value === null ? null : fittingText(value as string)),
  timestamptz: (value) => (value instanceof Date ? value : new Date(fittingTime(Number(value)))),
} as const satisfies Readonly<Record<string, Fit>>;

export type ColumnTypes = readonly (readonly [name: string, type: keyof typeof FITS])[];

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
  const from = unnested(columns);
  const text = `INSERT INTO althing.${table} (${names}) SELECT * FROM ${from} ${rest}`;
  await client.query(text, columnsOf(columns, rows));
}

/** Rows as a table of a statement whose parameters are `columnsOf` them. */
export function unnested(columns: ColumnTypes): string {
  return `unnest(${columns.map(([, type], at) => `$${at + 1}::${type}[]`).join(', ')})`;
}

/** Rows turned into columns, of values that PostgreSQL takes. */
export function columnsOf(
  columns: ColumnTypes,
  rows: readonly (readonly unknown[])[],
): unknown[][] {
  return columns.map(([, type], at) => {
    const fit: Fit = FITS[type];
    return rows.map((row) => fit(row[at]));
  });
}

/** PostgreSQL has no U+0000 in text, and UTF-8 no lone surrogates. */
export function fittingText(text: string): string {
  return text.slice(0, TEXT_LENGTH_MAX).replaceAll(/[\u0000\p{Surrogate}]/gu, '\ufffd');
}

function fittingTime(ms: number): number {
  return Math.max(0, Math.min(ms, TIME_MAX));
}

function asItIs(value: unknown): unknown {
  return value;
}
