/**
 * Writing many files as if at once. They are written under `DIR/.staging`, sealed by a marker, then
 * moved into place one by one, the marker's folder last.
 *
 * S1. A crash before the seal leaves nothing that counts: the next run starts over.
 * S2. A crash after the seal is finished by the next run: no file is ever written twice with
 *     different content, and keys that were sealed are the keys of the cluster.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { syncFolder } from '../whole-file.ts';

const STAGING = '.staging';
const SEAL = '.complete';
const LOCK = '.init.lock';

export interface NewFile {
  /** Relative to the target folder. */
  readonly path: string;
  readonly content: string;
  readonly secret: boolean;
}

export class StagingError extends Error {}

/** Locks of this very process. */
const held = new Set<string>();

/** Runs `work` while no other process initialises the same folder. */
export async function locked<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const lock = join(folder, LOCK);
  take(lock, folder);
  held.add(lock);
  try {
    return await work();
  } finally {
    held.delete(lock);
    rmSync(lock, { force: true });
  }
}

function take(lock: string, folder: string): void {
  try {
    writeFile(lock, `${process.pid}\n`, 0o600);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    const owner = Number(readFileSync(lock, 'utf8'));
    if (isRunning(owner, lock)) {
      throw new StagingError(`process ${owner} is initialising ${folder}: wait for it to finish`);
    }
    rmSync(lock, { force: true });
    take(lock, folder);
  }
}

function isRunning(pid: number, lock: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  // In a container every first process is number 1: our own number may be an earlier one's.
  if (pid === process.pid) return held.has(lock);
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Completes or discards what an earlier run left behind. True when it completed something. */
export function finishStaged(folder: string): boolean {
  const staging = join(folder, STAGING);
  if (!existsSync(staging)) return false;
  const sealed = existsSync(join(staging, SEAL));
  if (sealed) moveAll(staging, folder);
  rmSync(staging, { recursive: true, force: true });
  return sealed;
}

/** Writes the files and moves them into `folder`; none of them may be there yet. */
export function placeFiles(folder: string, files: readonly NewFile[]): void {
  const staging = join(folder, STAGING);
  for (const { path, content, secret } of files) {
    const target = join(staging, path);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    writeFile(target, content, secret ? 0o600 : 0o644);
  }
  writeFile(join(staging, SEAL), '', 0o600);
  syncFolder(staging);
  finishStaged(folder);
  syncFolder(folder);
}

function moveAll(staging: string, folder: string): void {
  for (const name of readdirSync(staging)) {
    const target = join(folder, name);
    if (name === SEAL) continue;
    if (existsSync(target)) {
      throw new StagingError(
        `cannot finish an initialisation that broke off: ${target} is in the way of ${join(staging, name)}. ` +
          'Move one of the two away and run init again.',
      );
    }
    renameSync(join(staging, name), target);
  }
}

function writeFile(path: string, content: string, mode: number): void {
  const file = openSync(path, 'wx', mode);
  try {
    writeSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
