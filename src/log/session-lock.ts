/**
 * The locks that say who writes: advisory locks of the database, each held by one session and gone
 * with it.
 *
 * L17. A lock that an earlier session of the same run still holds is not in another's hands. The server
 *     is told to end that session, and until it has, the lock is `unavailable`: to be tried again, as
 *     for a database that is away. `identity_taken` is said of a stranger only.
 *
 * The server may hear late that we have given a session up, and a server process that hangs hears
 * nothing. So a session carries its run in its application_name, whoever of the run opened it.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type pg from 'pg';
import { LogError } from './errors.ts';
import { LOCK_CLASS } from './schema.ts';

export interface SessionLock {
  /** What the session is for, such as `consensus writer`. */
  readonly name: string;
  /** Made by `newRun`: the same for all that one process opens on a database, and nobody else's. */
  readonly run: string;
  /** What `identity_taken` says. */
  readonly taken: string;
}

const POLL_MS = 25;

export function newRun(): string {
  return randomBytes(8).toString('hex');
}

/** At most 63 bytes, or the server would cut it. */
function sessionName({ name, run }: SessionLock): string {
  return `althing ${name} ${run}`;
}

/**
 * Gives the lock to the session of `client`, and ends what is left of earlier sessions for it.
 * Errors: `identity_taken`, or `unavailable` (L17), when it cannot be had within `waitMs`.
 */
export async function takeLock(
  client: pg.Client,
  lock: SessionLock,
  waitMs: number,
): Promise<void> {
  // Not left to the connection: a database URL may set another.
  await client.query(`SELECT set_config('application_name', $1, false)`, [sessionName(lock)]);
  await endSessions(client, lock);
  const deadline = performance.now() + waitMs;
  while (!(await tryLock(client, lock))) {
    if (performance.now() > deadline) await refuseHeld(client, lock);
    await pause(POLL_MS);
  }
}

/** Tells the server to end the lock's sessions of this run, but for that of `client`. */
export async function endSessions(client: pg.Client, lock: SessionLock): Promise<void> {
  const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = $1 AND usename = current_user AND datname = current_database()
      AND pid <> pg_backend_pid()`;
  await client.query(sql, [sessionName(lock)]);
}

async function tryLock(client: pg.Client, { name }: SessionLock): Promise<boolean> {
  const sql = 'SELECT pg_try_advisory_lock($1, hashtext($2)) AS taken';
  const { rows } = await client.query<{ taken: boolean }>(sql, [LOCK_CLASS, name]);
  return rows[0]?.taken === true;
}

interface Holder {
  readonly pid: number;
  /** Null when we may not see it: then it is not ours. */
  readonly session: string | null;
}

/** Returns only if the lock has become free since it was tried. */
async function refuseHeld(client: pg.Client, lock: SessionLock): Promise<void> {
  const sql = `SELECT a.pid, a.application_name AS session
    FROM pg_locks l JOIN pg_stat_activity a USING (pid) JOIN pg_database d ON d.oid = l.database
    WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()
      AND l.classid = $1::int4::oid AND l.objid = hashtext($2)::oid AND l.objsubid = 2`;
  const { rows } = await client.query<Holder>(sql, [LOCK_CLASS, lock.name]);
  const holder = rows[0];
  if (holder === undefined) return;
  if (holder.session !== sessionName(lock)) throw new LogError('identity_taken', lock.taken);
  const message = `server process ${holder.pid}, which holds an earlier session of this node (${lock.name}), does not end`;
  throw new LogError('unavailable', message);
}
