/** What the log's tests share: an identity, events, promises around the callbacks, and tampering. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { LogEvent } from '../../protocols/machine.ts';
import { openActorLog, type ActorLog, type ActorLogOptions } from '../../src/log/actor-log.ts';
import type { LogError } from '../../src/log/errors.ts';
import { openLog, type NodeLog, type NodeLogOptions } from '../../src/log/node-log.ts';
import { newRun } from '../../src/log/session-lock.ts';
import { quiet } from '../postgres/server.ts';

export const IDENTITY = { clusterId: 'c1'.repeat(32), publicKey: 'a0'.repeat(32) };

/** As long as a server takes that stands still: what fails has to be told how long it may take. */
const PATIENCE_MS = 60_000;

export function openTestLog(url: string, more: Partial<NodeLogOptions> = {}): Promise<NodeLog> {
  const onLost = (error: LogError): void => {
    throw error;
  };
  const patience = { takeoverMs: PATIENCE_MS, reconnectMs: PATIENCE_MS, answerMs: 2 * PATIENCE_MS };
  return openLog({ url, ...IDENTITY, onLost, logger: quiet, ...patience, ...more });
}

/** For what is to fail by not being answered: it should not take long. */
export const IMPATIENT = { answerMs: 1000 };

/** An actor's log, which waits half of `answerMs` for its earlier session to be gone. */
export function openTestActor(
  url: string,
  actor: string,
  more: Partial<Pick<ActorLogOptions, 'answerMs' | 'retryMs' | 'run'>> = {},
): Promise<ActorLog> {
  const patience = { retryMs: PATIENCE_MS, answerMs: PATIENCE_MS };
  return openActorLog({ url, ...IDENTITY, actor, run: newRun(), ...patience, ...more }, quiet);
}

export function newKey(): string {
  return randomBytes(32).toString('hex');
}

export function event(stream: string, seq: number, more: Partial<LogEvent> = {}): LogEvent {
  return { stream, seq, kind: 'tested', header: Buffer.from(`${stream} ${seq}`), ...more };
}

export function append(log: ActorLog, ...events: LogEvent[]): Promise<void> {
  return new Promise((resolve, reject) => {
    log.append(events, (error) => (error ? reject(error) : resolve()));
  });
}

export interface Range {
  readonly from?: number;
  readonly to?: number;
  readonly bytesMax?: number;
  readonly bodies?: boolean;
}

export function read(
  log: ActorLog,
  stream: string,
  range: Range = {},
): Promise<readonly LogEvent[]> {
  const { from = 0, to = Number.MAX_SAFE_INTEGER, bytesMax = 1 << 30, bodies = true } = range;
  return new Promise((resolve, reject) => {
    log.read({ stream, from, to, bytesMax, bodies }, (error, events) =>
      error ? reject(error) : resolve(events),
    );
  });
}

export function readLast(log: ActorLog, stream: string): Promise<LogEvent | null> {
  return new Promise((resolve, reject) => {
    log.readLast(stream, (error, found) => (error ? reject(error) : resolve(found)));
  });
}

export function find(log: ActorLog, key: string): Promise<LogEvent | null> {
  return new Promise((resolve, reject) => {
    log.find(key, (error, found) => (error ? reject(error) : resolve(found)));
  });
}

/** The same database, asked for otherwise. */
export function withParameter(url: string, name: string, value: string): string {
  const changed = new URL(url);
  changed.searchParams.set(name, value);
  return changed.href;
}

/** Runs statements as somebody with every right; `tamper` also gets past the triggers. */
export async function sql(url: string, ...statements: string[]): Promise<pg.QueryResult[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  const results: pg.QueryResult[] = [];
  try {
    for (const statement of statements) results.push(await client.query(statement));
    return results;
  } finally {
    await client.end();
  }
}

export function tamper(url: string, ...statements: string[]): Promise<pg.QueryResult[]> {
  return sql(url, 'SET session_replication_role = replica', ...statements);
}

/** What an event reads back as: plain bytes, and no empty list of keys. */
export function plain({ stream, seq, kind, header, body, keys }: LogEvent): object {
  return {
    stream,
    seq,
    kind,
    header: Buffer.from(header).toString('hex'),
    body: body === undefined ? null : Buffer.from(body).toString('hex'),
    keys: keys ?? [],
  };
}
