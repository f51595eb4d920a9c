/**
 * Takes away what lies at the beginning of a stream and is no longer needed: first the stream's base moves,
 * then the rows below it go, a slice at a time, on a connection of its own. What a crash leaves of them
 * goes with the next time.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { beginAt } from './base.ts';
import { connect } from './connection.ts';
import type { LogLogger } from './errors.ts';
import { KEY_PREFIX, KEYS_OF_ROW, type LogIdentity } from './schema.ts';

/** Events that one slice takes, with their bodies and keys: some milliseconds. */
const SLICE_EVENTS = 500;
/** What is swept is not in a hurry. */
const SLICE_PAUSE_MS = 20;

/** The prefix of a key is found by its index, whatever the planner thinks that there is. */
const SETTINGS =
  'SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET statement_timeout = 0';

const SWEEP = `
  WITH swept AS (
    DELETE FROM althing.event WHERE stream = $1 AND seq < $2 AND seq IN (
      SELECT seq FROM althing.event WHERE stream = $1 AND seq < $2 ORDER BY stream, seq LIMIT ${SLICE_EVENTS})
    RETURNING stream, seq, keys
  ), bodies AS (
    DELETE FROM althing.event_body b USING swept s WHERE b.stream = s.stream AND b.seq = s.seq
  ), keys AS (
    DELETE FROM althing.event_key k USING (
      SELECT stream, seq, ${KEY_PREFIX} AS prefix FROM swept, ${KEYS_OF_ROW} WHERE keys IS NOT NULL
    ) s WHERE k.prefix = s.prefix AND k.stream = s.stream AND k.seq = s.seq
  )
  SELECT count(*)::int AS events FROM swept`;

export interface PrunerOptions extends LogIdentity {
  readonly url: string;
  readonly actor: string;
  readonly logger: LogLogger;
}

export class Pruner {
  readonly #options: PrunerOptions;
  /** By stream, what waits. */
  readonly #wanted = new Map<string, number>();
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(options: PrunerOptions) {
    this.#options = options;
  }

  /** Of `stream` nothing below `seq` is needed any more. What fails is told, and tried with the next call. */
  prune(stream: string, seq: number): void {
    if (this.#closed) return;
    this.#wanted.set(stream, Math.max(seq, this.#wanted.get(stream) ?? 0));
    this.#running ??= this.#run().finally(() => (this.#running = null));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { url, actor, logger } = this.#options;
    try {
      const link = await connect(url, `althing ${actor} pruner`);
      try {
        await link.client.query(SETTINGS);
        for (const [stream, seq] of this.#wanted) {
          this.#wanted.delete(stream);
          await this.#prune(link.client, stream, seq);
        }
      } finally {
        await link.close();
      }
    } catch (error) {
      const { message: reason } = error as Error;
      logger.warn({ actor, reason }, 'what the log no longer needs could not be taken away');
    }
  }

  async #prune(client: pg.Client, stream: string, seq: number): Promise<void> {
    const base = await beginAt(client, this.#options, stream, seq);
    if (base === null) return;
    const { streamId, seq: below } = base;
    while (!this.#closed && !(await sweep(client, streamId, below))) await pause(SLICE_PAUSE_MS);
  }
}

/** Takes away some of what lies below the stream's base. Whether there is no more of it. */
async function sweep(client: pg.Client, streamId: number, below: number): Promise<boolean> {
  const { rows } = await client.query<{ events: number }>(SWEEP, [streamId, below]);
  return (rows[0]?.events ?? 0) < SLICE_EVENTS;
}
