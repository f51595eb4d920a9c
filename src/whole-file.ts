/** Files on disk: there for good, or not at all. */
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, statSync } from 'node:fs';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** That files were made in it, renamed or removed is on disk when this returns. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * `fill` writes what `path` holds once all of it is on disk: until then it is under a name of its own, and
 * gone if `fill` rejects. What is no file, such as /dev/stdout, is written as it is.
 */
export async function writeWhole(
  path: string,
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const isDevice = statSync(path, { throwIfNoEntry: false })?.isFile() === false;
  if (isDevice) return filled(path, 'w', fill);
  const partial = `${path}.${randomBytes(4).toString('hex')}.partial`;
  try {
    await filled(partial, 'wx', async (file) => {
      await fill(file);
      await file.sync();
    });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

async function filled(
  path: string,
  flags: string,
  fill: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags);
  try {
    await fill(file);
  } finally {
    await file.close();
  }
}
