/**
 * Verifies a whole log: every row is read and everything about it computed again.
 *
 * Found: a changed, missing, added or moved row of events, bodies or keys; a missing stream; heads
 * that the node remembers (heads.ts) and the log no longer has. Not found: rows cut off at the end
 * that no remembered head covers, and a log rewritten as a whole by somebody who computes all hashes
 * anew from some row on, above the remembered heads.
 */
import type pg from 'pg';
import { LogAltered } from './errors.ts';
import { checkHeads, loadHeads, type RememberedHeads } from './heads.ts';
import { LogReader, READER_SETTINGS } from './reader.ts';
import { KEY_PREFIX, KEYS_OF_ROW, type LogIdentity } from './schema.ts';
import { openSnapshot, type Snapshot, type SnapshotOptions } from './snapshot.ts';

export interface VerifyOptions extends SnapshotOptions {
  /** Heads remembered by the node, if they can be had. */
  readonly headsFile?: string;
  readonly progress?: (progress: VerifyProgress) => void;
  /** False checks events and keys, and leaves bodies unread; default true. */
  readonly bodies?: boolean;
}

export interface VerifyProgress {
  readonly stream: string;
  readonly events: number;
  /** Headers and bodies read so far. */
  readonly bytes: number;
}

export interface VerifyResult extends LogIdentity {
  readonly streams: readonly {
    readonly name: string;
    readonly events: number;
    readonly head: string;
  }[];
  readonly events: number;
  readonly bytes: number;
}

const BYTES_PER_READ = 16 * 1024 * 1024;

/**
 * Errors: `log_altered` (a `LogAltered` names the row), `wrong_identity` when there is no log or
 * another node's, `bad_heads`, `bad_url`, `unavailable`.
 */
export async function verifyLog(options: VerifyOptions): Promise<VerifyResult> {
  // Before the view is taken: the node may remember what is newer than it.
  const remembered = options.headsFile === undefined ? null : await loadHeads(options.headsFile);
  const snapshot = await openSnapshot(options, 'althing verify');
  try {
    return await verify(snapshot, remembered, options);
  } finally {
    await snapshot.link.close();
  }
}

async function verify(
  { link: { client }, identity }: Snapshot,
  remembered: RememberedHeads | null,
  options: VerifyOptions,
): Promise<VerifyResult> {
  await client.query('SET statement_timeout = 0');
  if (remembered !== null) await checkHeads(client, remembered);
  const names = await streamNames(client);
  await client.query(READER_SETTINGS);
  const walk = new Walk(client, identity, options);
  for (const name of names) await walk.stream(name);
  await client.query('RESET ALL');
  await checkStrays(client);
  await checkKeys(client);
  return walk.result();
}

async function streamNames(client: pg.Client): Promise<string[]> {
  const sql = 'SELECT name FROM althing.stream ORDER BY id';
  return (await client.query<{ name: string }>(sql)).rows.map(({ name }) => name);
}

class Walk {
  readonly #reader: LogReader;
  readonly #identity: LogIdentity;
  readonly #options: VerifyOptions;
  readonly #streams: { name: string; events: number; head: string }[] = [];
  #events = 0;
  #bytes = 0;

  constructor(client: pg.Client, identity: LogIdentity, options: VerifyOptions) {
    this.#identity = identity;
    this.#options = options;
    this.#reader = new LogReader(client, identity, new Map());
  }

  async stream(name: string): Promise<void> {
    const bodies = this.#options.bodies ?? true;
    let head = '';
    const base = await this.#reader.base(name);
    const begin = base?.seq ?? 0;
    let from = begin;
    for (;;) {
      const range = {
        stream: name,
        from,
        to: Number.MAX_SAFE_INTEGER,
        bytesMax: BYTES_PER_READ,
        bodies,
      };
      const found = await this.#reader.read(range, from === begin ? base : null);
      if (found.length === 0) break;
      from += found.length;
      this.#events += found.length;
      for (const { event, hash } of found) {
        this.#bytes += event.header.length + (event.body?.length ?? 0);
        head = hash.toString('hex');
      }
      this.#options.progress?.({ stream: name, events: this.#events, bytes: this.#bytes });
    }
    this.#streams.push({ name, events: from - begin, head });
  }

  result(): VerifyResult {
    return { ...this.#identity, streams: this.#streams, events: this.#events, bytes: this.#bytes };
  }
}

interface StrayRow {
  readonly name: string | null;
  readonly stream: number;
  readonly seq: string;
  readonly part: number;
}

/** Rows that no walk over a stream comes by: of unknown streams, or slices without their event. */
const STRAYS = `
  SELECT s.name, x.stream, x.seq, x.part FROM (
    SELECT stream, seq, 0 AS part FROM althing.event e
      WHERE NOT EXISTS (SELECT 1 FROM althing.stream s WHERE s.id = e.stream)
    UNION ALL
    SELECT stream, seq, part FROM althing.event_body b WHERE NOT EXISTS (
      SELECT 1 FROM althing.event e
        WHERE e.stream = b.stream AND e.seq = b.seq AND e.body_bytes > 0)
  ) x LEFT JOIN althing.stream s ON s.id = x.stream
  ORDER BY x.stream, x.seq, x.part LIMIT 1`;

async function checkStrays(client: pg.Client): Promise<void> {
  const row = (await client.query<StrayRow>(STRAYS)).rows[0];
  if (row === undefined) return;
  const place = {
    stream: row.name ?? `number ${row.stream}`,
    seq: Number(row.seq),
    part: row.part,
  };
  const detail = row.name === null ? 'its stream is not known' : 'no event has such a part';
  throw new LogAltered(place, 'added', detail);
}

interface KeyRow {
  readonly name: string | null;
  readonly seq: string;
  readonly surplus: number;
}

/** Key rows must be exactly those that the events name: both sides are counted against each other. */
const KEYS = `
  SELECT s.name, x.seq, x.surplus FROM (
    SELECT stream, seq, prefix, sum(n)::int AS surplus FROM (
      SELECT stream, seq, prefix, 1 AS n FROM althing.event_key
      UNION ALL
      SELECT stream, seq, ${KEY_PREFIX}, -1 FROM althing.event, ${KEYS_OF_ROW}
        WHERE keys IS NOT NULL
    ) k GROUP BY stream, seq, prefix HAVING sum(n) <> 0
  ) x LEFT JOIN althing.stream s ON s.id = x.stream
  ORDER BY x.stream, x.seq LIMIT 1`;

async function checkKeys(client: pg.Client): Promise<void> {
  const row = (await client.query<KeyRow>(KEYS)).rows[0];
  if (row === undefined) return;
  const place = { stream: row.name ?? 'of no known name', seq: Number(row.seq), part: 0 };
  if (row.surplus < 0) throw new LogAltered(place, 'missing', 'its row in event_key is missing');
  throw new LogAltered(place, 'added', 'event_key has a row for it that it does not name');
}
