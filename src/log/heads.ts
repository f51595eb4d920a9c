/**
 * Heads of streams: read from the database, and remembered in a file beside it.
 *
 * The hash chain shows every change but one: rows cut off at the end leave a shorter log that is
 * consistent in itself (so does a database restored from a backup). The file holds the heads as they
 * were a moment ago, so what is cut off below them is noticed. What was appended after the file was
 * last written can be cut off unnoticed; that is as far as one node can tell by itself.
 */
import { randomBytes } from 'node:crypto';
import { open, readFile, rename } from 'node:fs/promises';
import type pg from 'pg';
import type { Head } from './append-message.ts';
import { LogAltered, LogError } from './errors.ts';
import { chainRoot } from './event-row.ts';
import type { LogIdentity } from './schema.ts';

interface HeadRow {
  readonly id: number;
  readonly name: string;
  readonly seq: string | null;
  readonly hash: Buffer | null;
}

/** Of a stream that is empty from its base on, what the base says of the event before it. */
const HEADS = `
  SELECT s.id, s.name, coalesce(e.seq, b.base - 1) AS seq, coalesce(e.hash, b.hash) AS hash
  FROM althing.stream s LEFT JOIN LATERAL (
    SELECT base, hash FROM althing.stream_base WHERE stream = s.id ORDER BY base DESC LIMIT 1
  ) b ON true LEFT JOIN LATERAL (
    SELECT seq, hash FROM althing.event WHERE stream = s.id AND seq >= coalesce(b.base, 0)
      ORDER BY seq DESC LIMIT 1
  ) e ON true`;

function toHead(row: HeadRow, identity: LogIdentity): Head {
  const { id, name, seq, hash } = row;
  if (seq === null || hash === null) {
    return { streamId: id, seq: -1, hash: chainRoot(identity, name) };
  }
  return { streamId: id, seq: Number(seq), hash };
}

/** Heads of all streams by name. */
export async function readHeads(
  client: pg.Client,
  identity: LogIdentity,
): Promise<Map<string, Head>> {
  const { rows } = await client.query<HeadRow>(`${HEADS} ORDER BY s.id`);
  return new Map(rows.map((row) => [row.name, toHead(row, identity)]));
}

/** The head of one stream; null when the stream was never written. */
export async function readHead(
  client: pg.Client,
  identity: LogIdentity,
  stream: string,
): Promise<Head | null> {
  const { rows } = await client.query<HeadRow>(`${HEADS} WHERE s.name = $1`, [stream]);
  return rows[0] === undefined ? null : toHead(rows[0], identity);
}

/** Gives the stream an id if it has none, and returns its head. */
export async function openStream(
  client: pg.Client,
  identity: LogIdentity,
  stream: string,
): Promise<Head> {
  const sql = 'INSERT INTO althing.stream (name) VALUES ($1) ON CONFLICT (name) DO NOTHING';
  const known = await readHead(client, identity, stream);
  if (known !== null) return known;
  await client.query(sql, [stream]);
  const head = await readHead(client, identity, stream);
  if (head === null) throw new LogError('unavailable', `stream ${stream} could not be created`);
  return head;
}

/** Sequence number and hash (hex) of remembered heads, by stream. */
export type RememberedHeads = Readonly<
  Record<string, { readonly seq: number; readonly hash: string }>
>;

/** Null when there is no such file: nothing is remembered yet. Errors: `bad_heads`. */
export async function loadHeads(file: string): Promise<RememberedHeads | null> {
  try {
    return rememberedOf(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    // Without them a log that was cut off would pass for whole.
    throw new LogError(
      'bad_heads',
      code === undefined
        ? `${file} is not what a node wrote: put it back, or remove it if you know why it changed`
        : `${file} cannot be read: ${message}`,
      { cause: error },
    );
  }
}

function rememberedOf(value: unknown): RememberedHeads {
  if (!isRecord(value) || !Object.values(value).every(isHead)) throw new TypeError('not heads');
  return value as RememberedHeads;
}

function isHead(value: unknown): boolean {
  return isRecord(value) && Number.isSafeInteger(value['seq']) && typeof value['hash'] === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Replaces the file; it is complete at any moment. */
export async function saveHeads(file: string, heads: ReadonlyMap<string, Head>): Promise<void> {
  const remembered = [...heads]
    .filter(([, { seq }]) => seq >= 0)
    .map(([stream, { seq, hash }]) => [stream, { seq, hash: hash.toString('hex') }]);
  const scratch = `${file}.${randomBytes(4).toString('hex')}`;
  const handle = await open(scratch, 'wx', 0o600);
  try {
    await handle.writeFile(JSON.stringify(Object.fromEntries(remembered)));
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(scratch, file);
}

/** Finds remembered heads again in the log. Errors: `log_altered`. */
export async function checkHeads(client: pg.Client, remembered: RememberedHeads): Promise<void> {
  const sql = `SELECT e.hash FROM althing.event e JOIN althing.stream s ON s.id = e.stream
    WHERE s.name = $1 AND e.seq = $2
    UNION ALL SELECT b.hash FROM althing.stream_base b JOIN althing.stream s ON s.id = b.stream
    WHERE s.name = $1 AND b.base = $2 + 1`;
  for (const [stream, { seq, hash }] of Object.entries(remembered)) {
    const { rows } = await client.query<{ hash: Buffer }>(sql, [stream, seq]);
    const place = { stream, seq, part: 0 };
    if (rows[0] === undefined) {
      throw new LogAltered(
        place,
        'missing',
        'it was there before: the log was cut off, or the database is an older copy',
      );
    }
    if (rows[0].hash.toString('hex') !== hash) {
      throw new LogAltered(place, 'changed', 'its hash is not the one that was there before');
    }
  }
}
