/** Files on disk: there for good, or not at all. */
import { closeSync, fsyncSync, openSync } from 'node:fs';

/** That files were made in it, renamed or removed is on disk when this returns. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
