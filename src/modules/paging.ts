/** The first keys in order out of rows that have none, without sorting all of them. */
import type { Value } from '../../protocols/transaction/values.ts';
import { compareText } from '../../protocols/transaction/values.ts';

export interface Page<Row> {
  readonly rows: readonly (readonly [string, Row])[];
  /** Where the next page goes on; null at the end. */
  readonly next: string | null;
}

/** The `limit` lowest keys that start with `prefix` and lie above `after`. */
export function firstRows<Row extends Value>(
  entries: Iterable<readonly [string, Row]>,
  { prefix, after, limit }: { prefix: string; after: string | undefined; limit: number },
): Page<Row> {
  let found: (readonly [string, Row])[] = [];
  for (const entry of entries) {
    if (!entry[0].startsWith(prefix)) continue;
    if (after !== undefined && compareText(entry[0], after) <= 0) continue;
    found.push(entry);
    // One more than asked for tells that there is a next page.
    if (found.length > 4 * limit + 64) found = lowest(found, limit + 1);
  }
  const rows = lowest(found, limit + 1);
  const more = rows.length > limit;
  return { rows: rows.slice(0, limit), next: more ? rows[limit - 1]![0] : null };
}

function lowest<Row>(
  entries: readonly (readonly [string, Row])[],
  count: number,
): (readonly [string, Row])[] {
  return entries.toSorted(([a], [b]) => compareText(a, b)).slice(0, count);
}
