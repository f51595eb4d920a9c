/** New folders for tests. Others may pass, as PostgreSQL may have to that root starts. */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DATA_FOLDER_MODE } from '../src/init/layout.ts';

const folders: string[] = [];
process.once('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** It goes when the test file's process ends, whatever the outcome. */
export function newFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `althing-${name}-`));
  folders.push(folder);
  chmodSync(folder, DATA_FOLDER_MODE);
  return folder;
}
