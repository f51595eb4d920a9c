/**
 * Stops the server: fast shutdown (sessions are cut off, a checkpoint is written), and if that takes
 * too long an immediate one, which loses nothing either: the next start replays the log.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { PostgresError, type PostgresLogger } from './errors.ts';
import { worksIn } from './postmaster.ts';

const STOP_MS = 12_000;
const FAST_SHARE = 2 / 3;
const POLL_MS = 10;

/**
 * Returns when the server `pid` of `dataDir` is gone, at the latest after `timeoutMs`.
 * Errors: `stop_failed`.
 */
export async function stopPostmaster(
  dataDir: string,
  pid: number,
  log: PostgresLogger,
  timeoutMs = STOP_MS,
): Promise<void> {
  const fastMs = timeoutMs * FAST_SHARE;
  if (await signalAndWait(dataDir, pid, 'SIGINT', fastMs)) {
    return log.info({ pid }, 'PostgreSQL stopped');
  }
  log.warn(
    { pid },
    'PostgreSQL did not stop in time; it stops at once and recovers at its next start',
  );
  if (await signalAndWait(dataDir, pid, 'SIGQUIT', timeoutMs - fastMs)) return;
  throw new PostgresError(
    'stop_failed',
    `PostgreSQL (process ${pid}) did not stop within ${timeoutMs / 1000} s: end it with kill -9 ${pid}`,
  );
}

async function signalAndWait(
  dataDir: string,
  pid: number,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  if (!worksIn(pid, dataDir)) return true;
  process.kill(pid, signal);
  while (worksIn(pid, dataDir)) {
    if (performance.now() > deadline) return false;
    await pause(POLL_MS);
  }
  return true;
}
