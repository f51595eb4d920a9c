/**
 * Which answers of the read model can never change, so that they may be kept (Z2).
 *
 * D5. A page lasts when it is of the past as a whole: bounded above by a height up to which the tables
 *     were complete when it was read, in the same snapshot, or of an id, which is used once. No row of it
 *     is of something that is still open, and none was left out for being so. Pages of tables that were
 *     made anew since are of another generation, and not looked at.
 */
import type { ListPage } from './pages.ts';
import type { List, Parameters } from './queries.ts';

/** How far the tables reached. */
export interface Extent {
  /** Names the tables since they were made. */
  readonly generation: string;
  /** Blocks and their votes up to this height are there. */
  readonly height: number;
  /** And what was executed up to this one. */
  readonly settled: number;
}

/** A column of a query: the extent, as of the snapshot that the query sees. */
export const EXTENT = `(SELECT generation || '/' || height || '/' || settled FROM althing.read_model)`;

export function readExtent(text: string): Extent {
  const [generation = '', height, settled] = text.split('/');
  return { generation, height: Number(height), settled: Number(settled) };
}

/** Whether the answer to this question may last. */
export function mayLast({ changes }: List, parameters: Parameters): boolean {
  if (changes && parameters['status'] !== undefined) return false;
  return parameters['id'] !== undefined || topOf(parameters) < Infinity;
}

/** Whether `page`, read when the tables reached as far as `extent`, does. */
export function lasts(list: List, parameters: Parameters, page: ListPage, extent: Extent): boolean {
  const { rows } = page;
  if (rows.length === 0 || !mayLast(list, parameters)) return false;
  if (list.changes && rows.some(({ status }) => status === 'open')) return false;
  const complete = list.isOfChain ? extent.height : extent.settled;
  if (topOf(parameters) <= complete) return true;
  return (
    parameters['id'] !== undefined && rows.every(({ height }) => Number(height) <= extent.settled)
  );
}

/** The same for the same question, in whatever order its parameters came. */
export function nameOf(generation: string, { name }: List, parameters: Parameters): string {
  const given = Object.entries(parameters).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `history/${generation}/${name}?${JSON.stringify(given)}`;
}

/** No row is above this height: times say nothing before their blocks are there. */
function topOf({ cursor, toHeight }: Parameters): number {
  const before = typeof cursor === 'string' ? Number.parseInt(cursor, 10) : Infinity;
  return Math.min(before, toHeight === undefined ? Infinity : Number(toHeight));
}
