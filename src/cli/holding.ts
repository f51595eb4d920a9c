/**
 * One process at a time: each leaves a file beside the one that it wants, named after itself and its
 * start time, so that what a killed one left counts for nothing. Each leaves its own before it looks for
 * others: of two at once both may be refused, never neither.
 */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { identify, identityOf, isRunning, nameOf } from '../process-identity.ts';
import { UsageError } from './command.ts';

/** The function returned gives the file back. Throws UsageError while another process holds it. */
export function hold(path: string): () => void {
  const self = identify(process.pid);
  if (self === null) {
    throw new UsageError(`process ${process.pid} finds no trace of itself: mount /proc`);
  }
  const folder = dirname(path);
  const prefix = `${basename(path)}.lock.`;
  const own = `${prefix}${nameOf(self)}`;
  const release = (): void => rmSync(join(folder, own), { force: true });
  place(join(folder, own));
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix) || name === own) continue;
    const other = identityOf(name.slice(prefix.length));
    if (isRunning(other)) {
      release();
      throw new UsageError(
        `process ${other.pid} uses ${path}: wait for its end, or name another file`,
      );
    }
    rmSync(join(folder, name), { force: true });
  }
  return release;
}

function place(lock: string): void {
  try {
    writeFileSync(lock, '');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UsageError(`cannot write ${lock} (${code})`);
  }
}
