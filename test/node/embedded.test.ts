/** Nodes that share the embedded PostgreSQL of their data folder: the last to leave stops it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { initCluster } from '../../src/init/init.ts';
import { newFolder } from '../folder.ts';
import { processesOn } from '../processes.ts';

const ENTRY = fileURLToPath(new URL('../../src/node.js', import.meta.url));

interface Nodes {
  readonly folder: string;
  /** Starts a node on the embedded server, all its ports free ones. */
  start(id: string, ...more: readonly string[]): ChildProcess;
  /** Starts a node, and resolves when it is ready. */
  ready(id: string): Promise<ChildProcess>;
  servers(): readonly string[];
}

async function clusterOf(t: ExecutionContext, nodes: number): Promise<Nodes> {
  const folder = newFolder('standalone');
  await initCluster({ data: folder, nodes, nowMs: Date.now() });
  const readyFile = (id: string): string => join(folder, id, 'ready.json');
  const start: Nodes['start'] = (id, ...more) => {
    rmSync(readyFile(id), { force: true });
    const free = ['--http', '--grpc', '--peer', '--postgres-port'].filter(
      (flag) => !more.includes(flag),
    );
    const ports = free.flatMap((flag) => [flag, '0']);
    const place = ['--id', id, '--data', folder, '--ready-file', readyFile(id)];
    const child = spawn(process.execPath, [ENTRY, ...place, ...ports, ...more], {
      stdio: 'ignore',
    });
    t.teardown(() => child.kill('SIGKILL'));
    return child;
  };
  return {
    folder,
    start,
    ready: async (id) => {
      const child = start(id);
      while (!existsSync(readyFile(id))) {
        if (child.exitCode !== null) throw new Error(`${id} ended with ${child.exitCode}`);
        await pause(20);
      }
      return child;
    },
    servers: () => processesOn(folder).filter((line) => line.includes('postgres -D')),
  };
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

function end(child: ChildProcess): Promise<number | null> {
  child.kill('SIGTERM');
  return exitOf(child);
}

test('O3: the server outlives the node that started it, and stops when the last of several leave at once', async (t) => {
  const nodes = await clusterOf(t, 4);
  const starter = await nodes.ready('validator-1');
  const others = await Promise.all(['node-2', 'node-3', 'node-4'].map(nodes.ready));
  t.is(await end(starter), 0);
  t.is(nodes.servers().length, 1);
  t.deepEqual(await Promise.all(others.map(end)), [0, 0, 0]);
  t.deepEqual(nodes.servers(), []);
});

test('a node that was killed and came back stops the server that it adopted', async (t) => {
  const nodes = await clusterOf(t, 1);
  const killed = await nodes.ready('validator-1');
  killed.kill('SIGKILL');
  await exitOf(killed);
  t.is(nodes.servers().length, 1);
  t.is(await end(await nodes.ready('validator-1')), 0);
  t.deepEqual(nodes.servers(), []);
});

test('a node whose start fails leaves no server behind', async (t) => {
  const nodes = await clusterOf(t, 1);
  const taken = createServer().listen(0, '127.0.0.1');
  t.teardown(() => taken.close());
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  for (const flag of ['--http', '--peer']) {
    t.is(await exitOf(nodes.start('validator-1', flag, String(port))), 1, flag);
    t.deepEqual(nodes.servers(), [], flag);
  }
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} drains a node, and its server stops`, async (t) => {
    const nodes = await clusterOf(t, 1);
    const node = await nodes.ready('validator-1');
    node.kill(signal);
    t.is(await exitOf(node), 0);
    t.deepEqual(nodes.servers(), []);
  });
}

test('two signals during a start leave no server behind', async (t) => {
  const nodes = await clusterOf(t, 1);
  const node = nodes.start('validator-1');
  while (nodes.servers().length === 0) await pause(1);
  node.kill('SIGTERM');
  node.kill('SIGINT');
  await exitOf(node);
  while (nodes.servers().length > 0) await pause(20);
  t.pass();
});

test('a signal at any moment of a start leaves no server behind', async (t) => {
  const nodes = await clusterOf(t, 1);
  for (const step of ['postgres/password', 'postgres/data', 'postgres/data/postmaster.pid']) {
    const child = nodes.start('validator-1');
    while (!existsSync(join(nodes.folder, step))) await pause(1);
    t.is(await end(child), 0, step);
    t.deepEqual(nodes.servers(), [], step);
    rmSync(join(nodes.folder, 'postgres'), { recursive: true });
  }
});

test('a node that ends at once tells the server that nobody else uses to stop', async (t) => {
  const nodes = await clusterOf(t, 4);
  const node = await nodes.ready('validator-1');
  node.kill('SIGTERM');
  node.kill('SIGINT');
  await exitOf(node);
  while (nodes.servers().length > 0) await pause(20);
  t.pass();
});
