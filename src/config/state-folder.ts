/** The folder in which a node remembers what its database must not be the only one to know. */
import { accessSync, constants, mkdirSync } from 'node:fs';
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
