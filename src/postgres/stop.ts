/**
 * Stops the server: fast shutdown (sessions are cut off, a checkpoint is written), and if that takes
 * too long an immediate one, which loses nothing either: the next start replays the log.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { PostgresError, type PostgresLogger } from './errors.ts';
import { worksIn } from './postmaster.ts';

const FAST_MS = 8000;
const IMMEDIATE_MS = 4000;
const POLL_MS = 10;

/** Returns when the server `pid` of `dataDir` is gone. Errors: `stop_failed`. */
export async function stopPostmaster(
  dataDir: string,
  pid: number,
  log: PostgresLogger,
): Promise<void> {
  if (await signalAndWait(dataDir, pid, 'SIGINT', FAST_MS)) {
    return log.info({ pid }, 'PostgreSQL stopped');
  }
  log.warn(
    { pid },
    'PostgreSQL did not stop in time; it stops at once and recovers at its next start',
  );
  if (await signalAndWait(dataDir, pid, 'SIGQUIT', IMMEDIATE_MS)) return;
  throw new PostgresError(
    'stop_failed',
    `PostgreSQL (process ${pid}) does not stop: end it with kill -9 ${pid}`,
  );
}

async function signalAndWait(
  dataDir: string,
  pid: number,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  if (!(await worksIn(pid, dataDir))) return true;
  process.kill(pid, signal);
  while (await worksIn(pid, dataDir)) {
    if (Date.now() > deadline) return false;
    await pause(POLL_MS);
  }
  return true;
}
