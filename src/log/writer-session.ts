/**
 * A connection that may append: to a durable server, alone under its actor's name, with everything
 * that earlier sessions committed made durable first.
 *
 * L12. The session holds the actor's advisory lock, so no earlier session of this actor, of whatever
 *     process, can still commit something once this one has looked at the log.
 * L13. Rows are visible before a synchronous standby has them if the session that wrote them was cut
 *     off while it waited. One synchronous commit here covers all that came before: only after it
 *     does anything found in the log count as durable.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { PREPARE } from './append-message.ts';
import { connect, withTimeout, type Link } from './connection.ts';
import { LogError } from './errors.ts';
import { send } from './raw-query.ts';
import { assertDurable } from './safety.ts';
import { LOCK_CLASS } from './schema.ts';

/** A server process that worked for us; its number alone may be in use again. */
export interface Backend {
  readonly pid: number;
  readonly startedAt: string;
}

const LOCK_POLL_MS = 25;

/** No limits of the server's may end a session that waits, and a dead client is noticed within 25 s. */
export const SESSION_SETTINGS = `
  SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0;
  SET idle_session_timeout = 0; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;
  SET tcp_keepalives_count = 3`;

/**
 * @param earlier sessions of this writer that may still live: ended here. Holds the new one
 * afterwards, also when opening it failed, for its server process may wait for a standby unaware
 * that we have left.
 * Errors: `identity_taken` when another holds the lock for `timeoutMs / 2`, `unsafe_server`,
 * `unavailable`, and whatever server and socket say.
 */
export async function openWriterSession(
  url: string,
  actor: string,
  earlier: Set<Backend>,
  timeoutMs: number,
): Promise<Link> {
  const link = await connect(url, `althing ${actor} writer`);
  try {
    await withTimeout(link, timeoutMs, prepare(link.client, actor, earlier, timeoutMs));
    return link;
  } catch (error) {
    link.destroy();
    throw error;
  }
}

async function prepare(
  client: pg.Client,
  actor: string,
  earlier: Set<Backend>,
  timeoutMs: number,
): Promise<void> {
  await client.query(SESSION_SETTINGS);
  await assertDurable(client);
  const others = [...earlier];
  const own = await readBackend(client);
  earlier.add(own);
  await endBackends(client, others);
  await takeLock(client, actor, performance.now() + timeoutMs / 2);
  for (const backend of others) earlier.delete(backend);
  await client.query(`SELECT pg_logical_emit_message(true, 'althing', '')`);
  await send(client, PREPARE);
}

/** Ends what may be left of a writer's sessions, as far as that can be done in `timeoutMs`. */
export async function endSessions(
  url: string,
  actor: string,
  sessions: ReadonlySet<Backend>,
  timeoutMs: number,
): Promise<void> {
  try {
    const link = await connect(url, `althing ${actor} end`);
    await withTimeout(link, timeoutMs, endBackends(link.client, sessions));
    await link.close();
  } catch {
    // The server is away, and with it the sessions; or it ends them itself (SESSION_SETTINGS).
  }
}

async function endBackends(client: pg.Client, backends: Iterable<Backend>): Promise<void> {
  const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE pid = $1 AND backend_start = $2::timestamptz`;
  for (const { pid, startedAt } of backends) await client.query(sql, [pid, startedAt]);
}

async function readBackend(client: pg.Client): Promise<Backend> {
  const sql = `SELECT pid, backend_start::text AS started_at FROM pg_stat_activity
    WHERE pid = pg_backend_pid()`;
  const { rows } = await client.query<{ pid: number; started_at: string }>(sql);
  const row = rows[0];
  if (row === undefined)
    throw new LogError('unavailable', 'the database does not know its own session');
  return { pid: row.pid, startedAt: row.started_at };
}

async function takeLock(client: pg.Client, actor: string, deadline: number): Promise<void> {
  const sql = 'SELECT pg_try_advisory_lock($1, hashtext($2)) AS taken';
  for (;;) {
    const { rows } = await client.query<{ taken: boolean }>(sql, [LOCK_CLASS, `writer ${actor}`]);
    if (rows[0]?.taken === true) return;
    if (performance.now() > deadline) {
      const message = `another process writes the log of actor ${actor}: only one process may run with this node's key`;
      throw new LogError('identity_taken', message);
    }
    await pause(LOCK_POLL_MS);
  }
}
