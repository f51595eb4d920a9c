/**
 * Reads events and verifies what it reads: a wrong row is never handed on.
 *
 * Rows come by binary COPY, so that nothing is decoded to text. A read fetches event rows until
 * their headers and wanted bodies reach `bytesMax`, then exactly the bodies of those events.
 *
 * L4. Each event returned continues the chain from the event before it, which is read too, or from the
 *     base of its stream.
 * L5. Each body returned has the digest that its event names.
 */
import type { LogEvent } from '../../protocols/machine.ts';
import { readBase, type Base } from './base.ts';
import { readBodies } from './body-reader.ts';
import { LogAltered } from './errors.ts';
import {
  chainHash,
  chainRoot,
  EVENT_COLUMNS,
  keysOf,
  readEventRow,
  type EventRow,
} from './event-row.ts';
import { copyOut } from './raw-query.ts';
import type { LogIdentity } from './schema.ts';
import { COPY_HEADER_BYTES } from './wire.ts';
import type pg from 'pg';

/** Events asked for at first, and how many more each time after that. */
const ROWS_FIRST = 64;
const ROWS_GROWTH = 4;
const ROWS_MAX = 16_384;

/** For reading sessions: without statistics the planner might sort what an index has in order. */
export const READER_SETTINGS =
  'SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; SET statement_timeout = 0';

export interface ReadRange {
  readonly stream: string;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly bytesMax: number;
  readonly bodies: boolean;
}

export interface VerifiedEvent {
  readonly event: LogEvent;
  readonly hash: Buffer;
}

export class LogReader {
  readonly #client: pg.Client;
  readonly #identity: LogIdentity;
  readonly #streams: Map<string, number>;

  /** @param streams ids of streams, filled as they become known. */
  constructor(client: pg.Client, identity: LogIdentity, streams: Map<string, number>) {
    this.#client = client;
    this.#identity = identity;
    this.#streams = streams;
  }

  /**
   * Events `from … to − 1`, cut once `bytesMax` is reached; none if the stream begins above `from`.
   * Errors: `log_altered`.
   * @param known what must come before `from`, where that is the stream's base
   */
  async read(range: ReadRange, known: Base | null = null): Promise<VerifiedEvent[]> {
    const streamId = await this.#streamId(range.stream);
    if (streamId === null || range.to <= range.from) return [];
    try {
      return await this.#read(streamId, range, known);
    } catch (error) {
      if (!(error instanceof LogAltered) || known !== null) throw error;
      // What is missing may lie below the base, which may have moved this moment.
      const base = await readBase(this.#client, streamId);
      if (base === null || base.seq < range.from) throw error;
      return base.seq > range.from ? [] : this.#read(streamId, range, base);
    }
  }

  async #read(streamId: number, range: ReadRange, base: Base | null): Promise<VerifiedEvent[]> {
    const rows = await this.#rows(streamId, range, base);
    if (!range.bodies) return rows.map((row) => verified(range.stream, row, undefined));
    const bodies = await readBodies(this.#client, range.stream, rows);
    return rows.map((row) => verified(range.stream, row, bodies.get(row.seq)));
  }

  /** The end of the stream with its body; null when the stream is empty. Errors: `log_altered`. */
  async readLast(stream: string): Promise<VerifiedEvent | null> {
    const streamId = await this.#streamId(stream);
    if (streamId === null) return null;
    const last = await this.#select(`stream = ${streamId} ORDER BY stream DESC, seq DESC LIMIT 1`);
    const seq = last[0]?.seq;
    const base = await readBase(this.#client, streamId);
    if (seq === undefined || seq < (base?.seq ?? 0)) return null;
    return (await this.#one(stream, seq)) ?? null;
  }

  /**
   * The newest event that carries the key, with its body; among several streams, which have no order
   * between them, the one at the highest position. Errors: `log_altered`.
   */
  async find(key: string): Promise<VerifiedEvent | null> {
    const prefix = BigInt.asIntN(64, BigInt(`0x${key.slice(0, 16)}`)).toString();
    const sql = `SELECT s.name, k.seq FROM althing.event_key k JOIN althing.stream s ON s.id = k.stream
      WHERE k.prefix = $1 ORDER BY k.seq DESC, s.id`;
    const { rows } = await this.#client.query<{ name: string; seq: string }>(sql, [prefix]);
    for (const { name, seq } of rows) {
      const found = await this.#one(name, Number(seq));
      if (found?.event.keys?.includes(key) === true) return found;
    }
    return null;
  }

  async #one(stream: string, seq: number): Promise<VerifiedEvent | undefined> {
    const range = { stream, from: seq, to: seq + 1, bytesMax: 1, bodies: true };
    return (await this.read(range))[0];
  }

  /** Where the stream begins; null when that is at 0. */
  async base(stream: string): Promise<Base | null> {
    const streamId = await this.#streamId(stream);
    return streamId === null ? null : readBase(this.#client, streamId);
  }

  async #streamId(stream: string): Promise<number | null> {
    const known = this.#streams.get(stream);
    if (known !== undefined) return known;
    const sql = 'SELECT id FROM althing.stream WHERE name = $1';
    const { rows } = await this.#client.query<{ id: number }>(sql, [stream]);
    if (rows[0] === undefined) return null;
    this.#streams.set(stream, rows[0].id);
    return rows[0].id;
  }

  async #rows(
    streamId: number,
    { stream, from, to, bytesMax, bodies }: ReadRange,
    base: Base | null,
  ): Promise<EventRow[]> {
    const root = from === 0 ? chainRoot(this.#identity, stream) : null;
    const chain = new ChainCheck(stream, from, base?.hash ?? root);
    const rows: EventRow[] = [];
    let bytes = 0;
    for (let limit = ROWS_FIRST; ; limit = Math.min(limit * ROWS_GROWTH, ROWS_MAX)) {
      const chunk = await this.#chunk(streamId, chain, to, limit);
      for (const row of chunk.rows) {
        rows.push(row);
        bytes += row.header.length + (bodies ? (row.bodyBytes ?? 0) : 0);
        if (bytes >= bytesMax) return rows;
      }
      if (chunk.received < limit) return rows;
    }
  }

  /** At most `limit` rows from where the chain stands, checked. */
  async #chunk(
    streamId: number,
    chain: ChainCheck,
    to: number,
    limit: number,
  ): Promise<{ rows: EventRow[]; received: number }> {
    const rows: EventRow[] = [];
    let received = 0;
    const where = `stream = ${streamId} AND seq >= ${chain.wanted} AND seq < ${to}`;
    await this.#each(`${where} ORDER BY stream, seq LIMIT ${limit}`, (row) => {
      received++;
      if (chain.accept(row)) rows.push(row);
    });
    return { rows, received };
  }

  async #select(where: string): Promise<EventRow[]> {
    const rows: EventRow[] = [];
    await this.#each(where, (row) => rows.push(row));
    return rows;
  }

  async #each(where: string, onRow: (row: EventRow) => void): Promise<void> {
    let offset = COPY_HEADER_BYTES;
    await copyOut(
      this.#client,
      `SELECT ${EVENT_COLUMNS} FROM althing.event WHERE ${where}`,
      (bytes) => {
        const row = readEventRow(bytes, offset);
        offset = 0;
        if (row !== null) onRow(row);
      },
    );
  }
}

/** Walks a stream's chain from a position on, beginning with the event before it. */
class ChainCheck {
  readonly #stream: string;
  #previous: Buffer | null;
  /** The next position that will be returned. */
  next: number;

  /** @param previous hash of the event before `from`; null where that has to be read. */
  constructor(stream: string, from: number, previous: Buffer | null) {
    this.#stream = stream;
    this.next = from;
    this.#previous = previous;
  }

  /** The next position that has to be read: before `next` while the hash to start from is unknown. */
  get wanted(): number {
    return this.#previous === null ? this.next - 1 : this.next;
  }

  /** Whether the row belongs to the result. Errors: `log_altered`. */
  accept(row: EventRow): boolean {
    const { wanted } = this;
    if (row.seq !== wanted) {
      const place = { stream: this.#stream, seq: wanted, part: 0 };
      throw new LogAltered(place, 'missing', `the log goes on with ${row.seq}`);
    }
    const anchor = this.#previous === null;
    if (this.#previous !== null && !chainHash(this.#previous, row.covered).equals(row.hash)) {
      const place = { stream: this.#stream, seq: row.seq, part: 0 };
      throw new LogAltered(
        place,
        'changed',
        'its hash does not follow from its content and the event before it',
      );
    }
    this.#previous = row.hash;
    if (!anchor) this.next = row.seq + 1;
    return !anchor;
  }
}

function verified(stream: string, row: EventRow, body: Uint8Array | undefined): VerifiedEvent {
  const { seq, kind, header, bodyDigest, hash } = row;
  const event: LogEvent = {
    stream,
    seq,
    kind,
    header,
    ...(body === undefined ? {} : { body }),
    ...(bodyDigest === null ? {} : { bodyDigest: bodyDigest.toString('hex') }),
    ...(row.keys === null ? {} : { keys: keysOf(row) }),
  };
  return { event, hash };
}
