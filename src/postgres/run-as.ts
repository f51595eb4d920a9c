/**
 * Decides under which user PostgreSQL runs. The server refuses to run as root, and `initdb` refuses
 * a user without an entry in /etc/passwd.
 *
 * - An ordinary user with an entry: as that user.
 * - Root, or a user without an entry: in a user namespace that maps the caller to an ordinary user.
 *   Outside it is still the caller, so folders that only the caller may enter stay usable.
 * - Root where namespaces are forbidden (many containers): as an unprivileged user, if that user may
 *   enter the folder and the programs' one.
 */
import { execFile, spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { chmod, chown, lstat, readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Binaries } from './binaries.ts';
import { PostgresError } from './errors.ts';

const run = promisify(execFile);
const WITHOUT = 'start as an ordinary user, or name a server of your own with --database-url';

export interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

export type RunAs =
  | { readonly kind: 'caller' }
  | { readonly kind: 'namespace'; readonly user: User }
  | { readonly kind: 'user'; readonly user: User };

/** How PostgreSQL can run with its files below `dir`. Errors: `cannot_run`. */
export async function chooseRunAs(dir: string, binaries: Binaries): Promise<RunAs> {
  const uid = process.getuid?.() ?? 0;
  const users = await readUsers();
  if (uid !== 0 && users.some((user) => user.uid === uid)) return { kind: 'caller' };
  const ordinary = users.filter((user) => user.uid !== 0);
  const mapped = ordinary[0];
  if (mapped && (await namespaceWorks(mapped))) return { kind: 'namespace', user: mapped };
  if (uid !== 0) throw cannotRun(`user ${uid}, who has no entry in /etc/passwd`, WITHOUT);
  const user = ordinary.find(({ name }) => name === 'postgres' || name === 'nobody');
  if (user === undefined)
    throw cannotRun('root', `there is no user postgres or nobody: ${WITHOUT}`);
  // What lies in it is protected by itself; the server only has to get through.
  await chmod(dir, 0o711);
  await requireEntry(user, dir, 'choose a folder that others may enter (--data)');
  await requireEntry(user, dirname(binaries.postgres), 'install Althing where others may enter');
  return { kind: 'user', user };
}

async function requireEntry(user: User, folder: string, way: string): Promise<void> {
  const closed = await closedTo(user, folder);
  if (closed === null) return;
  const ways = `let others pass (chmod o+x ${closed}), ${way}, ${WITHOUT}`;
  const why = `it would run as ${user.name}, who may not enter ${closed} on the way to ${folder}: ${ways}`;
  throw cannotRun('root', why);
}

function cannotRun(who: string, why: string): PostgresError {
  const message = `PostgreSQL cannot run as ${who}, and user namespaces are not allowed here: ${why}`;
  return new PostgresError('cannot_run', message);
}

async function readUsers(): Promise<User[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter((fields) => fields.length >= 4)
    .map(([name, , uid, gid]) => ({ name: name ?? '', uid: Number(uid), gid: Number(gid) }));
}

function namespaceArguments(user: User): string[] {
  return ['--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`, '--'];
}

async function namespaceWorks(user: User): Promise<boolean> {
  return run('unshare', [...namespaceArguments(user), 'true']).then(
    () => true,
    () => false,
  );
}

/** The first folder on the way to `folder`, or that itself, that the user may not enter. */
async function closedTo(user: User, folder: string): Promise<string | null> {
  const parent = dirname(folder);
  const before = parent === folder ? null : await closedTo(user, parent);
  if (before !== null) return before;
  const { uid, gid } = user;
  return run('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], { uid, gid, cwd: '/' }).then(
    () => null,
    () => folder,
  );
}

/** What the user has set for other servers (PGDATESTYLE, PGCLIENTENCODING …), the server would read too. */
function withoutPostgres(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('PG')));
}

/** Starts a PostgreSQL program under the chosen user. */
export function spawnAs(
  as: RunAs,
  program: string,
  args: readonly string[],
  more: SpawnOptions,
): ChildProcess {
  const options = { ...more, env: withoutPostgres(process.env) };
  if (as.kind === 'caller') return spawn(program, args, options);
  if (as.kind === 'user') {
    return spawn(program, args, { ...options, uid: as.user.uid, gid: as.user.gid });
  }
  return spawn('unshare', [...namespaceArguments(as.user), program, ...args], options);
}

/** Gives a tree to the user who runs the server; only root can have to. */
export async function own(as: RunAs, path: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = as.kind === 'user' ? as.user : { uid: 0, gid: 0 };
  const stat = await lstat(path);
  if (stat.uid === uid) return;
  await chown(path, uid, gid);
  if (!stat.isDirectory()) return;
  for (const name of await readdir(path)) await own(as, join(path, name));
}
