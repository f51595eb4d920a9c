/**
 * Where streams begin: at 0, until what comes first in one is no longer needed.
 *
 * L22. A stream's base never goes back, and at least one event is there from it on. Nothing below it is
 *      read any more, whether it is swept already or not.
 * L23. The hash chain goes on across a base: the hash of the event before it is kept with it.
 */
import type pg from 'pg';
import { LogAltered } from './errors.ts';
import { readHead } from './heads.ts';
import type { LogIdentity } from './schema.ts';

export interface Base {
  /** The first position that there may be. */
  readonly seq: number;
  /** Of the event before it. */
  readonly hash: Buffer;
}

/** Null for a stream that begins at 0. */
export async function readBase(client: pg.Client, streamId: number): Promise<Base | null> {
  const sql =
    'SELECT base, hash FROM althing.stream_base WHERE stream = $1 ORDER BY base DESC LIMIT 1';
  const { rows } = await client.query<{ base: string; hash: Buffer }>(sql, [streamId]);
  const row = rows[0];
  return row === undefined ? null : { seq: Number(row.base), hash: row.hash };
}

/**
 * The stream begins at `seq` from now on, or at its last event if that comes before; unless it begins
 * there already, or later. Returns where it begins then; null where that is at 0. Errors: `log_altered`.
 */
export async function beginAt(
  client: pg.Client,
  identity: LogIdentity,
  stream: string,
  seq: number,
): Promise<{ readonly streamId: number; readonly seq: number } | null> {
  const head = await readHead(client, identity, stream);
  if (head === null) return null;
  const { streamId } = head;
  const at = Math.min(seq, head.seq);
  const base = (await readBase(client, streamId))?.seq ?? 0;
  if (at <= base) return base === 0 ? null : { streamId, seq: base };
  const before = 'SELECT hash FROM althing.event WHERE stream = $1 AND seq = $2';
  const { rows } = await client.query<{ hash: Buffer }>(before, [streamId, at - 1]);
  const hash = rows[0]?.hash;
  if (hash === undefined) {
    const place = { stream, seq: at - 1, part: 0 };
    throw new LogAltered(place, 'missing', `the log goes on with ${at}`);
  }
  const sql = 'INSERT INTO althing.stream_base (stream, base, hash) VALUES ($1, $2, $3)';
  await client.query(sql, [streamId, at, hash]);
  return { streamId, seq: at };
}
