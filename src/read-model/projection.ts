/**
 * Brings the read model a step further along the log.
 *
 * D2. What is projected next follows from the position alone, and positions of a stream have no gaps:
 *     in whatever order events are committed, none is passed over.
 * D3. A block is there before its transactions are.
 */
import type pg from 'pg';
import { CHAIN_STREAM } from '../../protocols/chain.ts';
import type { Crypto } from '../../protocols/crypto.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import { readReceiptsHeader, RECEIPTS_STREAM } from '../../protocols/transaction/receipt-log.ts';
import { blockDigest } from '../../protocols/structures.ts';
import { fromHex } from '../../protocols/bytes.ts';
import type { Digest } from '../../protocols/types.ts';
import type { LogReader } from '../log/reader.ts';
import {
  BLOCK_COLUMNS,
  blockRow,
  entryOf,
  TRANSACTION_COLUMNS,
  type ExecutedRow,
  executedRows,
  VOTE_COLUMNS,
  voteRows,
} from './rows.ts';
import { projectEvents } from './events.ts';
import { insert } from './insert.ts';
import { lockReached, type Reached } from './schema.ts';

export interface ProjectionSource {
  readonly clusterId: Digest;
  /** Names of the validators by index. */
  readonly validators: readonly string[];
  readonly crypto: Crypto;
  readonly reader: LogReader;
  /** Another session than the reader's. */
  readonly client: pg.Client;
}

export interface Step {
  readonly reached: Reached;
  readonly rows: number;
  /** The step took all that the log had when it read it. */
  readonly isAtEnd: boolean;
}

const BLOCKS_PER_STEP = 256;
const BYTES_PER_STEP = 256 * 1024;
/** Some tens of milliseconds of the database: whoever needs it more waits no longer. */
const TRANSACTIONS_PER_STEP = 2_000;

/** Told to whoever listens, with the height that the read model has reached. */
export const PROJECTED_CHANNEL = 'althing_projected';

/** One step: some blocks, and the receipts of blocks that are in the tables. */
export async function project(source: ProjectionSource): Promise<Step> {
  const { client } = source;
  await client.query('BEGIN');
  try {
    const before = await lockReached(client);
    const blocks = await projectBlocks(source, before);
    const receipts = await projectReceipts(source, before, blocks);
    const reached = {
      ...before,
      chain: before.chain + blocks.taken,
      receipts: before.receipts + receipts.taken,
      offset: receipts.offset,
      height: blocks.height,
      settled: receipts.settled,
    };
    const rows = blocks.rows + receipts.rows;
    if (rows > 0) await writeReached(client, reached);
    await client.query('COMMIT');
    return { reached, rows, isAtEnd: blocks.isAtEnd && receipts.isAtEnd };
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function writeReached(client: pg.Client, reached: Reached): Promise<void> {
  await client.query(
    `UPDATE althing.read_model
     SET chain = $1, receipts = $2, receipts_offset = $3, height = $4, settled = $5`,
    [reached.chain, reached.receipts, reached.offset, reached.height, reached.settled],
  );
  const payload = JSON.stringify({ height: reached.height });
  await client.query('SELECT pg_notify($1, $2)', [PROJECTED_CHANNEL, payload]);
}

interface Taken {
  readonly taken: number;
  readonly rows: number;
  readonly isAtEnd: boolean;
}

interface TakenReceipts extends Taken {
  readonly offset: number;
  readonly settled: number;
}

interface TakenBlocks extends Taken {
  /** Of the newest block in the tables. */
  readonly height: number;
  readonly times: ReadonlyMap<number, Date>;
}

async function projectBlocks(source: ProjectionSource, before: Reached): Promise<TakenBlocks> {
  const { reader, client, clusterId, crypto, validators } = source;
  const events = await readFrom(reader, CHAIN_STREAM, before.chain, BLOCKS_PER_STEP, false);
  const entries = events.map(entryOf);
  const blocks = entries.map((entry) =>
    blockRow(entry, fromHex(blockDigest(crypto, clusterId, entry.block))),
  );
  const votes = entries.flatMap((entry) => voteRows(entry, validators));
  await insert(client, 'block', BLOCK_COLUMNS, blocks);
  await insert(client, 'consensus_vote', VOTE_COLUMNS, votes);
  return {
    taken: events.length,
    rows: blocks.length,
    isAtEnd: !isFull(events),
    height: entries.at(-1)?.block.height ?? before.height,
    times: new Map(entries.map(({ block }) => [block.height, new Date(block.timestamp)])),
  };
}

async function projectReceipts(
  { reader, client }: ProjectionSource,
  before: Reached,
  { height, times }: TakenBlocks,
): Promise<TakenReceipts> {
  const events = await readFrom(reader, RECEIPTS_STREAM, before.receipts, BLOCKS_PER_STEP, true);
  const ready = events.filter((event) => readReceiptsHeader(event).height <= height);
  const timeOf = await timesOf(client, ready, times);
  const rows: ExecutedRow[] = [];
  let taken = 0;
  let { offset, settled } = before;
  for (const event of ready) {
    const { transactions, height: executed } = readReceiptsHeader(event);
    const to = Math.min(transactions, offset + TRANSACTIONS_PER_STEP - rows.length);
    rows.push(...executedRows(event, timeOf, offset, to));
    offset = to;
    if (offset < transactions) break;
    taken++;
    offset = 0;
    settled = executed;
  }
  const executed = rows.map(({ row }) => row);
  await insert(client, 'transaction', TRANSACTION_COLUMNS, executed);
  await projectEvents(
    client,
    rows.flatMap(({ events: emitted }) => emitted),
  );
  return {
    taken,
    offset,
    settled,
    rows: rows.length,
    isAtEnd: taken === events.length && !isFull(events),
  };
}

/** Times of the blocks whose receipts these are: from this step, or from the tables. */
async function timesOf(
  client: pg.Client,
  events: readonly LogEvent[],
  known: ReadonlyMap<number, Date>,
): Promise<(height: number) => Date> {
  const heights = events.map((event) => readReceiptsHeader(event).height);
  const missing = heights.filter((height) => !known.has(height));
  const times = new Map(known);
  if (missing.length > 0) {
    const sql = 'SELECT height, created_at FROM althing.block WHERE height = ANY($1)';
    const { rows } = await client.query<{ height: string; created_at: Date }>(sql, [missing]);
    for (const row of rows) times.set(Number(row.height), row.created_at);
  }
  return (height) => {
    const time = times.get(height);
    if (time === undefined) throw new Error(`block ${height} is missing from althing.block`);
    return time;
  };
}

/** Whether these are so many that the log may have had more (`readFrom`). */
function isFull(events: readonly LogEvent[]): boolean {
  const bytes = events.reduce(
    (sum, { header, body }) => sum + header.length + (body?.length ?? 0),
    0,
  );
  return events.length === BLOCKS_PER_STEP || bytes >= BYTES_PER_STEP;
}

async function readFrom(
  reader: LogReader,
  stream: string,
  from: number,
  count: number,
  bodies: boolean,
): Promise<LogEvent[]> {
  const range = { stream, from, to: from + count, bytesMax: BYTES_PER_STEP, bodies };
  return (await reader.read(range)).map(({ event }) => event);
}
