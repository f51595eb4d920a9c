/** New folders for tests, with mode 0700. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const made: string[] = [];

process.once('exit', () => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** It goes when the test file's process ends, whatever the outcome. */
export function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `althing-${name}-`));
  made.push(folder);
  return folder;
}
