/**
 * Which processes use the server of a folder: one file below `users/` for each use, named after its
 * process and that one's start time, so that what a killed process left counts for nothing.
 *
 * O3. Of several users who leave at once, the last to leave sees nobody: each leaves before it looks.
 *
 * Synchronous, for a process may have to leave while it exits.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, identityOf, isRunning, nameOf } from '../process-identity.ts';

let uses = 0;

function folderOf(dir: string): string {
  return join(dir, 'users');
}

/** This process uses the server of `dir` from now on. The function returned ends that, once. */
export function enter(dir: string): () => void {
  const self = identify(process.pid);
  if (self === null)
    throw new Error(`process ${process.pid} finds no trace of itself: mount /proc`);
  mkdirSync(folderOf(dir), { recursive: true, mode: 0o700 });
  const file = join(folderOf(dir), `${nameOf(self)}.${++uses}`);
  writeFileSync(file, '');
  return () => rmSync(file, { force: true });
}

/** Whether any process uses the server of `dir`. Clears away what killed ones left. */
export function isUsed(dir: string): boolean {
  const names = existsSync(folderOf(dir)) ? readdirSync(folderOf(dir)) : [];
  const left = names.filter((name) => !isRunning(identityOf(name)));
  for (const name of left) rmSync(join(folderOf(dir), name), { force: true });
  return left.length < names.length;
}
