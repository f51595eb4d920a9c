import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { initCluster } from '../../src/init/init.ts';
import { EXIT } from '../../src/cli/command.ts';
import { startEmbeddedPostgres } from '../../src/postgres/embedded.ts';
import { ALTHING, run } from '../cli/program.ts';
import { newFolder } from '../folder.ts';
import { processesOn } from '../processes.ts';
import { quiet, startTestServer, type TestServer } from '../postgres/server.ts';
import { append, event, IDENTITY, openTestActor, openTestLog, tamper } from './harness.ts';

let server: TestServer;
let url: string;

test.before(async () => {
  server = await startTestServer();
  url = await server.newDatabase();
  const node = await openTestLog(url);
  const log = await openTestActor(url, 'writer');
  for (let seq = 0; seq < 3; seq++) await append(log, event('votes', seq));
  await log.close();
  await node.close();
});

test.after.always(() => server.end());

test.serial('log verify says what it checked, as text and as JSON', async (t) => {
  const text = await run(['log', 'verify', '--database-url', url]);
  t.is(text.code, 0, text.stderr);
  t.regex(text.stdout, /votes {2}3 events/);
  const json = await run(['log', 'verify', '--json', '--database-url', url]);
  const result = JSON.parse(json.stdout) as { clusterId: string; events: number };
  t.is(result.clusterId, IDENTITY.clusterId);
  t.is(result.events, 3);
});

test.serial('log export writes one event a line', async (t) => {
  const words = ['log', 'export', '--database-url', url, '--from', '1'];
  const { code, stdout, stderr } = await run(words);
  t.is(code, 0, stderr);
  const seqs = stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { seq: number }).seq);
  t.deepEqual(seqs, [1, 2]);
});

test.serial('wrong usage ends with 2 and says what is right', async (t) => {
  const nowhere = await run(['log', 'verify']);
  t.is(nowhere.code, 2);
  t.regex(nowhere.stderr, /--id.*--database-url/);
  t.is((await run(['log', 'verify', '--wrong'])).code, 2);
  const position = await run(['log', 'export', '--database-url', url, '--from', 'x']);
  t.is(position.code, 2);
  t.is((await run(['log', 'verify', '--database-url', 'http://x'])).code, 2);
});

test.serial('a database that does not answer is a failure, not wrong usage', async (t) => {
  for (const command of ['verify', 'export']) {
    const down = 'postgres://user:swordfish@127.0.0.1:1/none';
    const { code, stderr } = await run(['log', command, '--database-url', down]);
    t.is(code, 1, stderr);
    t.regex(stderr, /the database user@127\.0\.0\.1:1\/none cannot be reached/);
    t.notRegex(stderr, /swordfish/);
  }
});

/** A cluster of one on the embedded server, which has run once. */
async function usedCluster(): Promise<string> {
  const data = newFolder('command');
  await initCluster({ data, nodes: 1, nowMs: Date.now() });
  const dir = join(data, 'postgres');
  await (await startEmbeddedPostgres({ dir, port: 0, log: quiet })).stop();
  return data;
}

test.serial('reading a log makes no server where there is none', async (t) => {
  const data = newFolder('command');
  await initCluster({ data, nodes: 1, nowMs: Date.now() });
  for (const command of ['verify', 'export']) {
    const words = ['log', command, '--id', 'validator-1', '--data', data];
    const { code, stderr } = await run(words);
    t.is(code, 2);
    t.regex(stderr, /holds no database server.*ALTHING_DATABASE_URL or --database-url/);
  }
  t.false(existsSync(join(data, 'postgres')));
});

test.serial('an embedded server that does not start is a failure, not wrong usage', async (t) => {
  const data = await usedCluster();
  const { port } = new URL(url);
  const config = join(data, 'validator-1', 'config.json');
  const text = readFileSync(config, 'utf8').replace('{', `{ "postgresPort": ${port},`);
  writeFileSync(config, text);
  const { code, stderr } = await run(['log', 'verify', '--id', 'validator-1', '--data', data]);
  t.is(code, 1, stderr);
  t.regex(stderr, /port \d+ on 127\.0\.0\.1 is taken.* choose another port with --postgres-port/);
  const moved = ['log', 'verify', '--id', 'validator-1', '--data', data, '--postgres-port', '0'];
  const other = await run(moved);
  t.notRegex(other.stderr, /is taken/);
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test.serial(`after ${signal} no server is left that the command started`, async (t) => {
    const data = await usedCluster();
    const place = ['--id', 'validator-1', '--data', data];
    const serverRuns = (): boolean => existsSync(join(data, 'postgres', 'data', 'postmaster.pid'));
    let code: number | null = null;
    // Where this process stands still meanwhile, the command may be over before.
    for (let times = 0; times < 5 && code !== EXIT.interrupted; times++) {
      const command = spawn(process.execPath, [ALTHING, 'log', 'verify', ...place], {
        env: { ...process.env, ALTHING_POSTGRES_PORT: '0' },
        stdio: 'ignore',
      });
      t.teardown(() => command.kill('SIGKILL'));
      const ended = once(command, 'exit') as Promise<[number | null]>;
      while (!serverRuns() && command.exitCode === null) await pause(1);
      command.kill(signal);
      [code] = await ended;
      t.deepEqual(processesOn(data), []);
    }
    t.is(code, EXIT.interrupted);
  });
}

test.serial('a place that the configuration does not have is wrong usage', async (t) => {
  const data = newFolder('command');
  const { code, stderr } = await run(['log', 'verify', '--id', 'validator-1', '--data', data]);
  t.is(code, 2, stderr);
  t.regex(stderr, /config\.json does not exist/);
});

test.serial('with --id, the log must be that of the node', async (t) => {
  const data = newFolder('command');
  await initCluster({ data, nodes: 1, nowMs: Date.now() });
  const place = ['--id', 'validator-1', '--data', data, '--database-url'];
  for (const command of ['verify', 'export']) {
    const { code, stdout, stderr } = await run(['log', command, ...place, url]);
    t.is(code, 2, stderr);
    t.true(stderr.includes(`the database belongs to cluster ${IDENTITY.clusterId}`), stderr);
    t.is(stdout, '');
  }
  writeFileSync(
    join(data, 'validator-1', 'heads.json'),
    JSON.stringify({ votes: { seq: 0, hash: 'ab' } }),
  );
  const empty = await run(['log', 'verify', ...place, await server.newDatabase()]);
  t.is(empty.code, 2, empty.stderr);
  t.regex(empty.stderr, /holds no log/);
});

test.serial('a log emptied below its remembered heads does not pass for whole', async (t) => {
  const data = newFolder('command');
  const { clusterId } = await initCluster({ data, nodes: 1, nowMs: Date.now() });
  const genesis = JSON.parse(readFileSync(join(data, 'genesis.json'), 'utf8')) as {
    validators: { publicKey: string }[];
  };
  const publicKey = genesis.validators[0]!.publicKey;
  const own = await server.newDatabase();
  await (await openTestLog(own, { clusterId, publicKey })).close();
  const words = ['log', 'verify', '--id', 'validator-1', '--data', data, '--database-url', own];
  t.is((await run(words)).code, 0);
  writeFileSync(
    join(data, 'validator-1', 'heads.json'),
    JSON.stringify({ votes: { seq: 0, hash: 'ab' } }),
  );
  const { code, stderr } = await run(words);
  t.is(code, 3);
  t.regex(stderr, /log row \(votes, 0, 0\) missing/);
});

test.serial('log verify ends with 3 and names the row when one was altered', async (t) => {
  await tamper(url, `UPDATE althing.event SET header = 'x' WHERE seq = 1`);
  const { code, stderr } = await run(['log', 'verify', '--database-url', url]);
  t.is(code, 3);
  t.regex(stderr, /log row \(votes, 1, 0\) changed/);
});
