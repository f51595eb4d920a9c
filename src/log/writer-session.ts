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
import type pg from 'pg';
import { PREPARE } from './append-message.ts';
import { connect, withTimeout, type Link } from './connection.ts';
import { send } from './raw-query.ts';
import { assertDurable } from './safety.ts';
import { endSessions, takeLock, type SessionLock } from './session-lock.ts';

/** No limits of the server's may end a session that waits, and a dead client is noticed within 25 s. */
export const SESSION_SETTINGS = `
  SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0;
  SET idle_session_timeout = 0; SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5;
  SET tcp_keepalives_count = 3`;

/** Kept by the one session that may write the log of `actor`. */
export function writerLock(actor: string, run: string): SessionLock {
  const taken = `another process writes the log of actor ${actor}: only one process may run with this node's key`;
  return { name: `${actor} writer`, run, taken };
}

/**
 * Errors: those of `takeLock`, which waits for `timeoutMs / 2`, `unsafe_server`, `unavailable`, and
 * whatever server and socket say. A session that failed may live on in the server until the next one
 * opens, or `endWriterSessions`: its process may wait for a standby unaware that we have left.
 */
export async function openWriterSession(
  url: string,
  lock: SessionLock,
  timeoutMs: number,
): Promise<Link> {
  const link = await connect(url, `althing ${lock.name}`);
  try {
    await withTimeout(link, timeoutMs, prepare(link.client, lock, timeoutMs));
    return link;
  } catch (error) {
    link.destroy();
    throw error;
  }
}

async function prepare(client: pg.Client, lock: SessionLock, timeoutMs: number): Promise<void> {
  await client.query(SESSION_SETTINGS);
  await assertDurable(client);
  await takeLock(client, lock, timeoutMs / 2);
  await client.query(`SELECT pg_logical_emit_message(true, 'althing', '')`);
  await send(client, PREPARE);
}

/** Ends what may be left of a writer's sessions, as far as that can be done in `timeoutMs`. */
export async function endWriterSessions(
  url: string,
  lock: SessionLock,
  timeoutMs: number,
): Promise<void> {
  try {
    const link = await connect(url, `althing ${lock.name} end`);
    try {
      await withTimeout(link, timeoutMs, endSessions(link.client, lock));
    } finally {
      await link.close();
    }
  } catch {
    // The server is away, and with it the sessions; or it ends them itself (SESSION_SETTINGS).
  }
}
