/**
 * Makes the server's folder: `password` (0600), `data/` (0700) and `server.log` below `dir`.
 *
 * Two starters may race: the password file is linked into place complete or not at all, and each
 * runs initdb in a folder of its own and renames it; the first rename wins and the loser's is thrown
 * away. A crash leaves nothing that looks finished.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Binaries } from './binaries.ts';
import { PostgresError } from './errors.ts';
import { own, spawnAs, type RunAs } from './run-as.ts';

export const SUPERUSER = 'althing';
const MAJOR = '18';
const SCRATCH = 'tmp-';

export function dataDirOf(dir: string): string {
  return join(dir, 'data');
}

/** Whether the folder holds a server's data, so that a start makes no new ones. */
export function isInitialised(dir: string): boolean {
  return existsSync(join(dataDirOf(dir), 'PG_VERSION'));
}

/** Gives the superuser's password, made on the first call. */
export async function ensurePassword(dir: string): Promise<string> {
  const file = join(dir, 'password');
  const scratch = join(dir, `${SCRATCH}${randomBytes(8).toString('hex')}`);
  await writeFile(scratch, randomBytes(24).toString('hex'), { mode: 0o600, flag: 'wx' });
  try {
    await link(scratch, file).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(scratch);
  }
  return (await readFile(file, 'utf8')).trim();
}

/** Makes the data folder if there is none. Errors: `wrong_version`, `initialise_failed`. */
export async function ensureCluster(
  dir: string,
  password: string,
  binaries: Binaries,
  as: RunAs,
): Promise<void> {
  const dataDir = dataDirOf(dir);
  const version = await readFile(join(dataDir, 'PG_VERSION'), 'utf8').catch(() => null);
  if (version === null) return initialise(dir, password, binaries, as);
  if (version.trim() !== MAJOR) {
    const message = `${dataDir} was made by PostgreSQL ${version.trim()}, and this is ${MAJOR}: move it over with pg_upgrade, or name a server of that version with --database-url`;
    throw new PostgresError('wrong_version', message);
  }
  await own(as, dataDir);
}

async function initialise(
  dir: string,
  password: string,
  binaries: Binaries,
  as: RunAs,
): Promise<void> {
  const scratch = join(dir, `${SCRATCH}${randomBytes(8).toString('hex')}`);
  await mkdir(scratch, { mode: 0o700 });
  try {
    const pwfile = join(scratch, 'pwfile');
    await writeFile(pwfile, password, { mode: 0o600 });
    await own(as, scratch);
    await runInitdb(join(scratch, 'data'), pwfile, binaries, as);
    await rename(join(scratch, 'data'), dataDirOf(dir)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The log's own hash chain covers every byte, so page checksums would be paid for twice. */
function initdbArguments(dataDir: string, pwfile: string): string[] {
  return [
    `--pgdata=${dataDir}`,
    `--username=${SUPERUSER}`,
    `--pwfile=${pwfile}`,
    '--auth-host=scram-sha-256',
    '--auth-local=reject',
    '--encoding=UTF8',
    '--locale=C',
    '--no-data-checksums',
    '--no-instructions',
  ];
}

async function runInitdb(
  dataDir: string,
  pwfile: string,
  binaries: Binaries,
  as: RunAs,
): Promise<void> {
  const args = initdbArguments(dataDir, pwfile);
  const child = spawnAs(as, binaries.initdb, args, {
    cwd: '/',
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code === 0) return;
  const message = `initdb could not make ${dataDir}: ${errors.trim() || `exit code ${code}`}; mend that, choose another folder (--data), or name a server of your own with --database-url`;
  throw new PostgresError('initialise_failed', message);
}

/** Removes what starters that were killed have left. Call only while the server runs for us. */
export async function removeScratch(dir: string, olderThan: number): Promise<void> {
  for (const name of await readdir(dir)) {
    if (!name.startsWith(SCRATCH)) continue;
    const path = join(dir, name);
    const made = await stat(path).catch(() => null);
    if (made && made.mtimeMs < olderThan) await rm(path, { recursive: true, force: true });
  }
}
