/** Which folder's cluster is meant: the same for every command, and never another one in silence. */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { clusterOf } from '../../protocols/genesis.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { initCluster } from '../../src/init/init.ts';
import { nodeFiles } from '../../src/init/layout.ts';
import { newFolder } from '../folder.ts';
import { testCluster, validatorPems } from '../http/test-node.ts';
import { RAFFLE } from '../user-modules/files.ts';
import { run } from './program.ts';
import { serve } from './serving.ts';

test('ALTHING_DATA names the folder of every command, and --data goes before it', async (t) => {
  const cwd = newFolder('data-folder');
  const env = { ...process.env, ALTHING_DATA: 'data/poll' };
  const made = await run(['init', '--nodes', '1'], { cwd, env });
  t.regex(made.stdout, /with 1 nodes in .*data\/poll:/, made.stderr);
  const given = await run(['module', 'add', RAFFLE], { cwd, env });
  t.is(given.stdout, 'Given to validator-1 in data/poll: start them again, one after the other.\n');
  const config = nodeFiles(join(cwd, 'data', 'poll', 'validator-1')).config;
  t.regex(readFileSync(config, 'utf8'), /modules\/raffle-1-/);
  for (const words of [
    ['log', 'verify'],
    ['log', 'export'],
    ['read-model', 'rebuild'],
  ]) {
    const { code, stderr } = await run([...words, '--id', 'validator-1'], { cwd, env });
    t.is(code, 2, stderr);
    t.regex(stderr, /data\/poll\/postgres holds no database server/);
  }
  const other = ['module', 'add', RAFFLE, '--data', 'other'];
  const { code, stderr } = await run(other, { cwd, env });
  t.is(code, 2);
  t.regex(stderr, /^althing: other is no data folder: it has no genesis\.json/);
});

test('a folder that somebody named and that is none is told', async (t) => {
  const { run: ask, url } = await serve(t);
  const none = { ALTHING_URL: undefined };
  for (const words of [
    ['status'],
    ['get', 'block', 'latest'],
    ['module', 'list'],
    ['kv', 'set', '--namespace', 'n', '--key', 'k', '--value', 'v'],
  ]) {
    for (const [flags, env] of [
      [['--data', 'nowhere'], none],
      [[], { ...none, ALTHING_DATA: 'nowhere' }],
    ] as const) {
      const { code, stderr } = await ask([...words, ...flags], env);
      t.is(code, 2, stderr);
      t.regex(stderr, /^althing: nowhere is no data folder: it has no genesis\.json\n$/);
    }
  }
  t.is((await ask(['status', '--data', 'nowhere', '--url', url], none)).code, 0);
});

test('a folder whose nodes are elsewhere asks for their addresses', async (t) => {
  const cwd = newFolder('data-folder');
  mkdirSync(join(cwd, 'known'));
  writeFileSync(join(cwd, 'known', 'genesis.json'), '{}');
  const { code, stderr } = await run(['status', '--data', 'known'], { cwd });
  t.is(code, 2);
  t.regex(stderr, /known holds no configuration of a node: name nodes with --url/);
});

test('nodes of another cluster than that of the folder are told so, and are sent no votes', async (t) => {
  const { run: ask, folder, genesis, url, port } = await serve(t);
  const other = testCluster({ name: 'other' });
  const data = join(folder, 'data');
  const node = join(data, 'validator-1');
  mkdirSync(node, { recursive: true });
  writeFileSync(join(data, 'genesis.json'), JSON.stringify(other.genesis));
  writeFileSync(nodeFiles(node).config, JSON.stringify({ http: Number(new URL(url).port) }));
  writeFileSync(nodeFiles(node).key, validatorPems[0]!, { mode: 0o600 });
  const said =
    `althing: other_cluster: the nodes at ${url} are of cluster ${port.cluster.id}, but ` +
    `data/genesis.json is of ${clusterOf(other.genesis, nodeCrypto).id}: ` +
    'name the folder of that cluster with --data or ALTHING_DATA\n';
  const approve = ['module', 'approve', RAFFLE, '--at', '+50', '--timeout', '20'];
  for (const [words, env] of [
    [['get', 'kv', 'exists', 'namespace=n', 'key=k'], { ALTHING_URL: undefined }],
    [approve, { ALTHING_URL: undefined }],
    // Whose keys sign is said by the folder, wherever the nodes are.
    [approve, {}],
    [['module', 'withdraw', 'raffle', '--at', '50'], {}],
  ] as const) {
    const { code, stderr } = await ask(words, env);
    t.is(code, 1, stderr);
    t.is(stderr, said);
  }
  t.is(port.submitted, 0);
  copyFileSync(genesis, join(data, 'genesis.json'));
  const approved = await ask(approve);
  t.is(approved.code, 0, approved.stderr);
  t.regex(approved.stdout, /validator-1: approved/);
});

test("on a node's own machine its copy of the genesis document says which cluster is meant", async (t) => {
  const { run: ask, url, folder } = await serve(t);
  const data = join(folder, 'shipped');
  const node = join(data, 'validator-1');
  await initCluster({ data: join(folder, 'made'), nodes: 1, nowMs: Date.now() });
  mkdirSync(node, { recursive: true });
  copyFileSync(join(folder, 'made', 'genesis.json'), nodeFiles(node).genesis);
  writeFileSync(nodeFiles(node).config, JSON.stringify({ http: Number(new URL(url).port) }));
  const words = ['get', 'block', 'latest', '--data', 'shipped'];
  const { code, stderr } = await ask(words, { ALTHING_URL: undefined });
  t.is(code, 1);
  t.regex(stderr, /but shipped\/validator-1\/genesis\.json is of/);
});

test('a validator whose folder does not say of which cluster it is signs nothing', async (t) => {
  const { run: ask, folder, genesis, port } = await serve(t);
  const node = nodeFiles(join(folder, 'data', 'validator-1'));
  mkdirSync(join(folder, 'data', 'validator-1'), { recursive: true });
  writeFileSync(node.key, validatorPems[0]!, { mode: 0o600 });
  const withdraw = ['module', 'withdraw', 'raffle', '--at', '50'];
  const unknown = await ask(withdraw);
  t.is(unknown.code, 2, unknown.stderr);
  t.regex(unknown.stderr, /^althing: data has no genesis\.json, which says for which cluster/);
  // Its copy says it, also where it has no configuration.
  writeFileSync(node.genesis, JSON.stringify(testCluster({ name: 'other' }).genesis));
  const other = await ask(withdraw);
  t.is(other.code, 1, other.stderr);
  t.regex(other.stderr, /^althing: other_cluster: .* but data\/validator-1\/genesis\.json is of/);
  copyFileSync(genesis, node.genesis);
  const known = await ask(withdraw);
  t.regex(known.stderr, /no upgrade of raffle at height 50 is committed/);
  t.is(port.submitted, 0);
});
