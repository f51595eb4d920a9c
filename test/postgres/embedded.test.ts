import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import {
  chmod,
  mkdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
  chown,
  readlink,
} from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import pg from 'pg';
import { repairInstallation } from '../../src/postgres/binaries.ts';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/postgres/embedded.ts';
import { PostgresError } from '../../src/postgres/errors.ts';
import { newFolder } from '../folder.ts';
import { processesOn } from '../processes.ts';
import { isRoot, namespacesWork, NOBODY, nobodyCanRunThis } from '../users.ts';
import { quiet } from './server.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows;
  } finally {
    await client.end();
  }
}

/** With more time for a stop than a machine needs on which some of its processes stand still. */
async function start(dir: string, port = 0): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dir, port, log: quiet });
  return { ...server, stop: (timeoutMs = 60_000) => server.stop(timeoutMs) };
}

const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

function isAlive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/.test(
      execFileSync('cat', [`/proc/${pid}/stat`], { stdio: 'pipe' }).toString(),
    );
  } catch {
    return false;
  }
}

/** Root needs them where others may not pass. */
const withNamespaces = isRoot && !namespacesWork() ? test.serial.skip : test.serial;

withNamespaces(
  'starts below a folder of mode 0700, keeps its secrets to itself and stops',
  async (t) => {
    const folder = newFolder('postgres');
    await chmod(folder, 0o700);
    const dir = join(folder, 'postgres');
    const server = await start(dir);
    t.is(await mode(dir), 0o700);
    t.is(await mode(join(dir, 'password')), 0o600);
    t.is(await mode(join(dir, 'data')), 0o700);
    t.is(await mode(join(dir, 'server.log')), 0o600);
    t.deepEqual(await query(server.url('postgres'), 'SELECT 1'), [[1]]);
    await server.stop();
    t.false(isAlive(server.pid));
    await rm(folder, { recursive: true });
  },
);

test.serial(
  'O2: listens on loopback only, without a socket in the file system, and wants SCRAM',
  async (t) => {
    const dir = newFolder('postgres');
    const server = await start(dir);
    const show = async (name: string) => (await query(server.url('postgres'), `SHOW ${name}`))[0];
    t.deepEqual(await show('listen_addresses'), ['127.0.0.1']);
    t.deepEqual(await show('unix_socket_directories'), ['']);
    t.deepEqual(await show('password_encryption'), ['scram-sha-256']);
    t.deepEqual(await show('fsync'), ['on']);
    t.deepEqual(await show('synchronous_commit'), ['on']);
    t.deepEqual(await show('full_page_writes'), ['on']);
    t.deepEqual(await show('server_encoding'), ['UTF8']);
    const rules = await query(
      server.url('postgres'),
      'SELECT DISTINCT auth_method FROM pg_hba_file_rules',
    );
    t.deepEqual(new Set(rules.flat()), new Set(['reject', 'scram-sha-256']));
    const wrong = server.url('postgres').replace(/:[0-9a-f]{48}@/, ':wrong@');
    await t.throwsAsync(query(wrong, 'SELECT 1'), { code: '28P01' });
    await server.stop();
    await rm(dir, { recursive: true });
  },
);

test.serial('runs in a session of its own, so that Ctrl-C does not reach it', async (t) => {
  const dir = newFolder('postgres');
  const server = await start(dir);
  const fields =
    (await readFile(`/proc/${server.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
  t.is(Number(fields[2]), server.pid, 'process group');
  t.is(Number(fields[3]), server.pid, 'session');
  await server.stop();
  await rm(dir, { recursive: true });
});

test.serial('O1: adopts the server that runs already, and the adopter can stop it', async (t) => {
  const dir = newFolder('postgres');
  const first = await start(dir);
  const second = await start(dir, 1);
  t.false(first.adopted);
  t.true(second.adopted);
  t.is(second.pid, first.pid);
  t.is(second.port, first.port);
  await second.stop();
  t.false(isAlive(first.pid));
  await rm(dir, { recursive: true });
});

test.serial('who releases it leaves it to the others, and the last stops it', async (t) => {
  const dir = newFolder('postgres');
  const [first, second] = [await start(dir), await start(dir)];
  await first.release();
  t.true(isAlive(first.pid));
  await second.release();
  t.false(isAlive(first.pid));
});

test.serial('what a killed process left does not keep the server running', async (t) => {
  const dir = newFolder('postgres');
  const server = await start(dir);
  await writeFile(join(dir, 'users', `${process.pid}.1.1`), '');
  await server.release();
  t.false(isAlive(server.pid));
});

test.serial('a start that is aborted ends what it has begun', async (t) => {
  const dir = newFolder('postgres');
  const abort = new AbortController();
  const { signal, reason } = { signal: abort.signal, reason: new Error('enough') };
  const starting = startEmbeddedPostgres({ dir, port: 0, log: quiet, signal });
  while (!existsSync(join(dir, 'data', 'postmaster.pid'))) await pause(1);
  abort.abort(reason);
  t.is(await t.throwsAsync(starting), reason);
  t.deepEqual(processesOn(dir), []);
});

test.serial('a server that does not stop is given up after the time it was given', async (t) => {
  const dir = newFolder('postgres');
  const server = await start(dir);
  process.kill(server.pid, 'SIGSTOP');
  const error = await t.throwsAsync(server.stop(300), { instanceOf: PostgresError });
  t.is(error.code, 'stop_failed');
  t.regex(error.message, new RegExp(`within 0.3 s: .*kill -9 ${server.pid}`));
  process.kill(server.pid, 'SIGCONT');
  while (isAlive(server.pid)) await pause(10);
});

test.serial('several who start it at once share one server', async (t) => {
  const dir = newFolder('postgres');
  const servers = await Promise.all([start(dir), start(dir), start(dir)]);
  t.is(new Set(servers.map(({ pid }) => pid)).size, 1);
  await servers[0]?.stop();
  await rm(dir, { recursive: true });
});

test.serial('creates a database once, and refuses names that are none', async (t) => {
  const dir = newFolder('postgres');
  const server = await start(dir);
  await Promise.all([server.createDatabase('node_1'), server.createDatabase('node_1')]);
  await server.createDatabase('node_1');
  const found = await query(server.url('node_1'), 'SELECT current_database()');
  t.deepEqual(found, [['node_1']]);
  const error = await t.throwsAsync(server.createDatabase('x"; DROP'), {
    instanceOf: PostgresError,
  });
  t.is(error.code, 'bad_name');
  await server.stop();
  await rm(dir, { recursive: true });
});

test.serial('a taken port is named together with the flag that changes it', async (t) => {
  const dir = newFolder('postgres');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const error = await t.throwsAsync(start(dir, port), { instanceOf: PostgresError });
  t.is(error.code, 'port_taken');
  t.regex(error.message, new RegExp(`port ${port} .*--postgres-port`));
  taken.close();
  await rm(dir, { recursive: true });
});

test.serial(
  'recovers after the server was killed, with everything that was committed',
  async (t) => {
    const dir = newFolder('postgres');
    const killed = await start(dir);
    await query(killed.url('postgres'), 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(killed.pid, 'SIGKILL');
    const server = await start(dir);
    t.not(server.pid, killed.pid);
    t.deepEqual(await query(server.url('postgres'), 'SELECT answer FROM kept'), [[42]]);
    await server.stop();
    await rm(dir, { recursive: true });
  },
);

test.serial(
  'starts although postmaster.pid names a process that lives and is no server of ours',
  async (t) => {
    const dir = newFolder('postgres');
    await (await start(dir)).stop();
    const file = join(dir, 'data', 'postmaster.pid');
    await writeFile(file, `${process.pid}\n${dir}/data\n1\n5432\n\n127.0.0.1\n\nready   \n`);
    const server = await start(dir);
    t.false(server.adopted);
    t.deepEqual(await query(server.url('postgres'), 'SELECT 1'), [[1]]);
    await server.stop();
    await rm(dir, { recursive: true });
  },
);

test.serial('a folder made by another version of PostgreSQL is left alone', async (t) => {
  const dir = newFolder('postgres');
  await (await start(dir)).stop();
  await writeFile(join(dir, 'data', 'PG_VERSION'), '17\n');
  const error = await t.throwsAsync(start(dir), { instanceOf: PostgresError });
  t.is(error.code, 'wrong_version');
  t.regex(error.message, /--database-url/);
  await rm(dir, { recursive: true });
});

test.serial(
  'library links that an install without scripts left out are made, others kept',
  async (t) => {
    const root = newFolder('postgres');
    const lib = join(root, 'native', 'lib');
    await mkdir(lib, { recursive: true });
    await writeFile(join(lib, 'libpq.so.5.18'), '');
    const link = (target: string) => ({ source: 'native/lib/libpq.so.5.18', target });
    const links = [link('native/lib/libpq.so.5'), link('native/lib/libpq.so')];
    await writeFile(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
    await symlink('elsewhere', join(lib, 'libpq.so'));
    await repairInstallation(root);
    t.is(await readlink(join(lib, 'libpq.so.5')), 'libpq.so.5.18');
    t.is(await readlink(join(lib, 'libpq.so')), 'elsewhere');
    await rm(root, { recursive: true });
  },
);

const RUNNER = fileURLToPath(new URL('start-stop.js', import.meta.url));

interface RunResult {
  readonly code: number | null;
  readonly output: string;
}

async function runApart(
  dir: string,
  options: { uid?: number; path?: string; env?: NodeJS.ProcessEnv },
): Promise<RunResult> {
  const child = spawn(process.execPath, [RUNNER, dir], {
    cwd: '/',
    env: { ...options.env, PATH: options.path ?? process.env['PATH'] },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  child.stderr.on('data', (text: Buffer) => (output += text.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

const asRoot = isRoot ? test.serial : test.serial.skip;
const asOther = nobodyCanRunThis() ? test.serial : test.serial.skip;

/** What pg and the server read from the environment, each so that it would break them. */
const FOR_OTHERS: NodeJS.ProcessEnv = {
  PGHOST: '192.0.2.1',
  PGPORT: '1',
  PGUSER: 'nobody',
  PGPASSWORD: 'wrong',
  PGDATABASE: 'none',
  PGSSLMODE: 'verify-full',
  PGSSLNEGOTIATION: 'direct',
  PGOPTIONS: '-c no_such_setting=1',
  PGREPLICATION: 'true',
  PGCLIENTENCODING: 'none',
  PGDATESTYLE: 'none',
  PGDATA: '/nowhere',
};

test.serial("what the user's environment says of other servers does not reach it", async (t) => {
  const { code, output } = await runApart(newFolder('postgres'), { env: FOR_OTHERS });
  t.is(code, 0, output);
});

test.serial('a server that does not take us in time is reported with its reason', async (t) => {
  const dir = newFolder('postgres');
  const server = await start(dir);
  const password = await readFile(join(dir, 'password'), 'utf8');
  await writeFile(join(dir, 'password'), 'another');
  const late = startEmbeddedPostgres({ dir, port: 0, log: quiet, startTimeoutMs: 200 });
  const error = await t.throwsAsync(late, { instanceOf: PostgresError });
  t.is(error.code, 'start_timeout');
  t.regex(error.message, /\(password authentication failed for user "althing"\); see its log/);
  await writeFile(join(dir, 'password'), password);
  await server.stop();
});

asOther('works for an ordinary user', async (t) => {
  const dir = newFolder('postgres');
  await chown(dir, NOBODY, NOBODY);
  t.deepEqual(await runApart(dir, { uid: NOBODY }), { code: 0, output: 'uid 65534 answered\n' });
  await rm(dir, { recursive: true });
});

asOther('works for root where user namespaces are not to be had', async (t) => {
  const dir = newFolder('postgres');
  const { code, output } = await runApart(join(dir, 'postgres'), { path: '/nowhere' });
  t.is(code, 0, output);
  t.regex(output, /answered/);
  t.is(await mode(join(dir, 'postgres', 'password')), 0o600);
  t.is(await mode(join(dir, 'postgres', 'data')), 0o700);
  await rm(dir, { recursive: true });
});

asRoot('without namespaces and below a folder closed to others, says what to do', async (t) => {
  const dir = newFolder('postgres');
  await chmod(dir, 0o700);
  const { code, output } = await runApart(join(dir, 'data', 'postgres'), { path: '/nowhere' });
  t.is(code, 1);
  t.regex(output, /cannot_run .*--data.*--database-url/);
  t.true(output.includes(`may not enter ${dir} on the way to ${dir}/data/postgres`), output);
  t.true(output.includes(`chmod o+x ${dir})`), output);
  await rm(dir, { recursive: true });
});
