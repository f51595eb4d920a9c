/** One node as a process: how it starts, what stops it, and with which exit code. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { Cluster, getJson } from '../../bench/cluster.ts';
import { initCluster } from '../../src/init/init.ts';
import { run as althing } from '../cli/program.ts';
import { newFolder } from '../folder.ts';

const ENTRY = fileURLToPath(new URL('../../src/node.js', import.meta.url));

async function clusterOf(t: ExecutionContext, nodes: number): Promise<Cluster> {
  const folder = newFolder('process');
  const cluster = await Cluster.create({ folder, nodes, dev: true });
  t.teardown(() => cluster.close());
  return cluster;
}

/** Runs the node with these arguments to its end. */
async function run(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; stderr: string }> {
  const child = spawn(process.execPath, [ENTRY, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stderr };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The last record of the node's log. */
function lastRecord(cluster: Cluster, node: number): { level: string; msg: string } {
  const lines = readFileSync(cluster.logFile(node), 'utf8').trimEnd().split('\n');
  return JSON.parse(lines.at(-1) ?? '{}') as { level: string; msg: string };
}

async function exitOf(cluster: Cluster, node: number): Promise<number | null> {
  const [code] = (await once(cluster.spawn(node), 'exit')) as [number | null];
  return code;
}

test('a bad configuration ends with 2 and names every fault', async (t) => {
  const data = newFolder('process');
  const { code, stderr } = await run(['--id', 'validator-1', '--data', data, '--threads', '9']);
  t.is(code, 2);
  t.regex(stderr, /threads/);
  t.regex(stderr, /config\.json does not exist/);
  const unknown = await run(['--id', 'validator-1', '--colour', 'red']);
  t.is(unknown.code, 2);
  t.regex(unknown.stderr, /--colour/);
});

test('a folder for its state that cannot be written ends with 2, before anything starts', async (t) => {
  const data = newFolder('process');
  await initCluster({ data, nodes: 1, nowMs: Date.now() });
  const file = join(data, 'genesis.json');
  const start = ['--id', 'validator-1', '--data', data];
  const { code, stderr } = await run([...start, '--state', file]);
  t.is(code, 2);
  t.true(stderr.includes(`${file} is where this node remembers how far its log reached`), stderr);
  t.regex(stderr, /make it writable, or name another folder by --state/);
  t.false(existsSync(join(data, 'postgres')));
});

test('a ready file that cannot be written ends with 2, before anything starts', async (t) => {
  const data = newFolder('process');
  await initCluster({ data, nodes: 1, nowMs: Date.now() });
  const start = ['--id', 'validator-1', '--data', data];
  for (const file of [join(data, 'genesis.json', 'x'), join(data, 'nowhere', 'x'), data]) {
    const { code, stderr } = await run([...start, '--ready-file', file]);
    t.is(code, 2);
    t.true(stderr.includes(`${file} is where this node says that it is ready`), stderr);
    t.regex(stderr, /name another file by --ready-file/);
  }
  t.false(existsSync(join(data, 'postgres')));
});

test('a node alone in its cluster starts, serves, drains on SIGTERM and starts again', async (t) => {
  const cluster = await clusterOf(t, 1);
  await cluster.start();
  const [url] = cluster.urls;
  const state = async (): Promise<string> =>
    (await getJson<{ state: string }>(`${url}/api/v11/consensus/status`)).state;
  // A database that is slow for long may have it become ready before.
  while ((await state()) !== 'LEADER') await pause(20);
  t.is((await fetch(`${url}/readyz`)).status, 200);
  const page = await (await fetch(`${url}/metrics`)).text();
  for (const name of [
    'althing_consensus_tps_current',
    'althing_consensus_block_height',
    'althing_transaction_processed_total',
    'althing_actor_mailbox_length{actor="voting"',
    'althing_thread_event_loop_lag_seconds',
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_heap_size_used_bytes',
  ]) {
    t.true(page.includes(name), name);
  }
  const accepted = await fetch(`${url}/api/v11/transactions?wait=accepted`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"module":"kv","command":"set","args":{"namespace":"n","key":"k","value":1}}',
  });
  t.is(accepted.status, 202);
  const { statusUrl } = (await accepted.json()) as { statusUrl: string };
  while ((await fetch(url + statusUrl)).status !== 200) await pause(20);
  t.is(await cluster.end(0, 'SIGTERM'), 0);
  t.is(lastRecord(cluster, 0).msg, 'stopped');
  await cluster.start();
  t.is(await cluster.end(0, 'SIGINT'), 0);
});

test('a validator without its peers says so, and is up all the same', async (t) => {
  const cluster = await clusterOf(t, 4);
  await cluster.start([0]);
  const [url] = cluster.urls;
  t.is((await fetch(`${url}/readyz`)).status, 200);
  t.is((await fetch(`${url}/readyz?for=writes`)).status, 503);
  t.regex(readFileSync(cluster.logFile(0), 'utf8'), /ready without a quorum/);
});

test('a second process with one identity ends with 5, and the first lives on', async (t) => {
  const cluster = await clusterOf(t, 1);
  await cluster.start();
  const first = cluster.pid(0);
  const [url] = cluster.urls;
  const readyFile = join(cluster.folder, cluster.id(0), 'ready.json');
  const same = ['--id', cluster.id(0), '--data', cluster.folder, '--ready-file', readyFile];
  const { code, stderr } = await run(same, { ALTHING_DATABASE_URL: cluster.databaseUrl(0) });
  t.is(code, 5, stderr);
  t.regex(stderr, /another process/);
  t.true(readFileSync(readyFile, 'utf8').includes(String(first)));
  t.is((await fetch(`${url}/readyz`)).status, 200);
  process.kill(first, 'SIGTERM');
  while (isAlive(first)) await pause(20);
});

test('an altered log ends with 3 and the row is named', async (t) => {
  const cluster = await clusterOf(t, 1);
  await cluster.start();
  t.is(await cluster.end(0), 0);
  const client = new pg.Client({ connectionString: cluster.databaseUrl(0) });
  await client.connect();
  await client.query('ALTER TABLE althing.event DISABLE TRIGGER ALL');
  const altered = await client.query<{ seq: string; name: string }>(
    `UPDATE althing.event SET header = header || '\\x00'::bytea
      WHERE (stream, seq) IN (SELECT stream, seq FROM althing.event ORDER BY stream, seq LIMIT 1)
      RETURNING seq`,
  );
  await client.end();
  t.is(altered.rowCount, 1);
  t.is(await exitOf(cluster, 0), 3);
  const { level, msg } = lastRecord(cluster, 0);
  t.is(level, 'fatal');
  t.regex(msg, /log row \(.+, \d+, 0\) changed/);
});

test('what was cut off the end of a log is found missing by log verify --id and by the node', async (t) => {
  const cluster = await clusterOf(t, 1);
  await cluster.start();
  t.is(await cluster.end(0), 0);
  const url = cluster.databaseUrl(0);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('ALTER TABLE althing.event DISABLE TRIGGER ALL');
  const cut = await client.query<{ seq: string }>(
    `DELETE FROM althing.event WHERE (stream, seq) IN (
        SELECT stream, seq FROM althing.event JOIN althing.stream s ON s.id = stream
          WHERE s.name = 'consensus' ORDER BY seq DESC LIMIT 2)
      RETURNING seq`,
  );
  await client.end();
  const last = Math.max(...cut.rows.map(({ seq }) => Number(seq)));
  const row = `log row (consensus, ${last}, 0) missing`;
  const verify = ['log', 'verify', '--data', cluster.folder, '--database-url', url];
  const { code, stderr } = await althing([...verify, '--id', cluster.id(0)]);
  t.is(code, 3, stderr);
  t.true(stderr.includes(row), stderr);
  t.is(await exitOf(cluster, 0), 3);
  t.true(lastRecord(cluster, 0).msg.includes(row));
});

test('a second signal ends the process at once', async (t) => {
  const cluster = await clusterOf(t, 4);
  await cluster.start([0, 1]);
  const child = cluster.pid(0);
  // Both are there before it has drained, however slow this process is.
  process.kill(child, 'SIGSTOP');
  const ended = cluster.end(0, 'SIGTERM');
  process.kill(child, 'SIGINT');
  process.kill(child, 'SIGCONT');
  t.is(await ended, 1);
  t.regex(readFileSync(cluster.logFile(0), 'utf8'), /SIG(?:INT|TERM): stopped at once/);
});
