/**
 * Ranges of keys, read by the page: whatever is asked for, a page costs about what it holds (I98).
 */
import { Type, type Static } from '@sinclair/typebox';
import { compareText } from '../../../protocols/transaction/values.ts';
import { LOOK_STEPS } from './costs.ts';
import { isThere, Key, Prefix, type EntryRow, type Reads } from './rows.ts';

/** Which keys: those with the prefix, from `from` on, below `to`; all of the namespace without any. */
export const range = {
  prefix: Type.Optional(Prefix),
  from: Type.Optional(Key),
  to: Type.Optional(Key),
};
export const Limit = Type.Integer({ minimum: 1, maximum: 1000 });
/** Where a page starts, which is after the `next` of the one before, and how long it is. */
export const paged = { after: Type.Optional(Key), limit: Type.Optional(Limit) };

const _range = Type.Object({ ...range, ...paged });
export type KeyRange = Static<typeof _range>;

export interface KeyPage {
  /** Those that are there. */
  readonly rows: readonly (readonly [key: string, row: EntryRow])[];
  /** `after` of the next page; null at the end of the range. */
  readonly next: string | null;
  /** Rows that were looked at, which is what the page cost and its steps are for. */
  readonly visited: number;
}

export function pageOf(reads: Reads, namespace: string, asked: KeyRange): KeyPage {
  const start = `${namespace}/`;
  const page = rowsFrom(reads, start, asked);
  reads.meter.spend(page.rows.length * LOOK_STEPS);
  const { to } = asked;
  const below =
    to === undefined ? page.rows : page.rows.filter(([key]) => compareText(key, start + to) < 0);
  const rows = below
    .filter(([, row]) => isThere(reads, row))
    .map(([key, row]) => [key.slice(start.length), row] as const);
  const isLast = page.next === null || below.length < page.rows.length;
  return { rows, next: isLast ? null : page.next!.slice(start.length), visited: page.rows.length };
}

/** `from` is a part of its range, which `after` of a table is not. */
function rowsFrom(
  { tables: { entries } }: Reads,
  start: string,
  { prefix = '', from, after, limit = 100 }: KeyRange,
): ReturnType<typeof entries.page> {
  const within = start + prefix;
  const isLater = after !== undefined && (from === undefined || compareText(after, from) >= 0);
  if (isLater) return entries.page({ prefix: within, after: start + after, limit });
  if (from === undefined) return entries.page({ prefix: within, limit });
  const first = start + from;
  const row = first.startsWith(within) ? entries.get(first) : undefined;
  if (row === undefined) return entries.page({ prefix: within, after: first, limit });
  if (limit === 1) return { rows: [[first, row]], next: first };
  const rest = entries.page({ prefix: within, after: first, limit: limit - 1 });
  return { rows: [[first, row], ...rest.rows], next: rest.next };
}
