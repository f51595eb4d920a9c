/**
 * The folder in which a node remembers what its database must not be the only one to know, and that of
 * the file by which it says that it is ready.
 */
import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { ConfigError, type NodeConfig } from './load.ts';

/**
 * Makes the folder if it is not there. Only the process that will write it needs it: others read the
 * same configuration where nothing can be written. Throws ConfigError.
 */
export function claimStateFolder({ headsFile }: NodeConfig): void {
  const folder = dirname(headsFile);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([
      `${folder} is where this node remembers how far its log reached, and it cannot write there ` +
        `(${reason}): make it writable, or name another folder by --state`,
    ]);
  }
}

/** The file's folder must be there. Throws ConfigError. */
export function checkReadyFile({ readyFile }: NodeConfig): void {
  if (readyFile === null) return;
  try {
    const folder = dirname(readyFile);
    if (!statSync(folder).isDirectory()) throw new Error(`${folder} is no folder`);
    accessSync(folder, constants.W_OK | constants.X_OK);
    const there = statSync(readyFile, { throwIfNoEntry: false });
    if (there?.isDirectory() === true) throw new Error('it is a folder');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ConfigError([
      `${readyFile} is where this node says that it is ready, and it cannot write that (${reason}): ` +
        'make its folder, writable, or name another file by --ready-file',
    ]);
  }
}
