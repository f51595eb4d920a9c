/** What init makes, and S1 and S2 of staging.ts: once, whole, or not at all. */
import { X509Certificate } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import { loadSigner } from '../../src/crypto/signer.ts';
import { clusterIdOf } from '../../protocols/genesis.ts';
import { STEPS_MIN } from '../../protocols/transaction/meter.ts';
import { GenesisError, parseGenesis } from '../../src/init/genesis.ts';
import { InitError, initCluster } from '../../src/init/init.ts';
import { nodePorts } from '../../src/init/layout.ts';
import { keyOfCertificate } from '../../src/peers/identity.ts';
import { newFolder } from '../folder.ts';

const nowMs = Date.UTC(2026, 0, 1);

function folder(): string {
  return join(newFolder('init'), 'data');
}

/** Every file below, with its mode and content. */
function snapshot(path: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' })) {
    const stat = statSync(join(path, name));
    const mode = (stat.mode & 0o777).toString(8);
    files[name] = stat.isFile() ? `${mode} ${readFileSync(join(path, name), 'utf8')}` : mode;
  }
  return files;
}

const readJson = (...path: string[]): Record<string, unknown> =>
  JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>;

test('makes a cluster of four with the names and ports that the nodes are known by', async (t) => {
  const data = folder();
  const made = await initCluster({ data, nowMs });
  t.true(made.created);
  const ids = ['validator-1', 'node-2', 'node-3', 'node-4'];
  t.deepEqual(
    made.nodes.map(({ id }) => id),
    ids,
  );
  const genesis = parseGenesis(readFileSync(join(data, 'genesis.json'), 'utf8'));
  t.is(clusterIdOf(genesis, nodeCrypto), made.clusterId);
  t.deepEqual(genesis.modules, {
    ledger: { issuers: [`key:${loadSigner(join(data, 'operator.pem')).publicKey}`] },
  });
  const ports = ids.map((id) => readJson(data, id, 'config.json'));
  t.deepEqual(
    ports.map((c) => c['http']),
    [9003, 9005, 9006, 9007],
  );
  t.deepEqual(
    ports.map((c) => c['grpc']),
    [9004, 9105, 9106, 9107],
  );
  t.deepEqual(
    ports.map((c) => c['peer']),
    [9204, 9205, 9206, 9207],
  );
});

test("each certificate carries its validator's key and is issued by the cluster's CA", async (t) => {
  const data = folder();
  await initCluster({ data, nowMs, nodes: 3 });
  const genesis = parseGenesis(readFileSync(join(data, 'genesis.json'), 'utf8'));
  const ca = new X509Certificate(readFileSync(join(data, 'ca', 'ca.crt')));
  t.true(ca.ca && ca.verify(ca.publicKey));
  for (const { id, publicKey } of genesis.validators) {
    const leaf = new X509Certificate(readFileSync(join(data, id, 'tls.crt')));
    t.is(keyOfCertificate(leaf.raw), publicKey);
    t.is(loadSigner(join(data, id, 'key.pem')).publicKey, publicKey);
    t.true(leaf.verify(ca.publicKey) && !leaf.ca);
    t.is(leaf.checkHost(id), id);
  }
  t.is(new Set(genesis.validators.map(({ publicKey }) => publicKey)).size, 3);
});

test('others may pass the folder and read no secret in it', async (t) => {
  const data = folder();
  await initCluster({ data, nowMs, nodes: 1 });
  const files = snapshot(data);
  const secrets = [
    'token',
    'operator.pem',
    'ca/ca.key',
    'validator-1/key.pem',
    'validator-1/token',
  ];
  for (const name of secrets) t.regex(files[name] ?? '', /^600 /, name);
  for (const name of ['ca', 'validator-1']) t.is(files[name], '700');
  t.is(statSync(data).mode & 0o777, 0o711);
  const names = Object.keys(files).filter((name) => !name.startsWith('validator-1'));
  t.deepEqual(names.toSorted(), [
    'ca',
    'ca/ca.crt',
    'ca/ca.key',
    'genesis.json',
    'operator.pem',
    'token',
  ]);
});

test('run again, it keeps everything and says so', async (t) => {
  const data = folder();
  const first = await initCluster({ data, nowMs });
  const before = snapshot(data);
  const again = await initCluster({ data, nowMs: nowMs + 1, nodes: 4, name: 'althing' });
  t.deepEqual(again, { ...first, created: false });
  t.deepEqual(snapshot(data), before);
});

test('refuses to be another cluster than the one that is there', async (t) => {
  const data = folder();
  await initCluster({ data, nowMs });
  for (const other of [{ nodes: 7 }, { name: 'other' }, { hosts: ['10.0.0.1'] }]) {
    const error = await t.throwsAsync(initCluster({ data, nowMs, ...other }), {
      instanceOf: InitError,
    });
    t.regex(error?.message ?? '', /choose another --data/);
  }
});

test('refuses a cluster with missing files and names them; keys kept elsewhere are not missed', async (t) => {
  const data = folder();
  await initCluster({ data, nowMs });
  rmSync(join(data, 'ca', 'ca.key'));
  rmSync(join(data, 'operator.pem'));
  await t.notThrowsAsync(initCluster({ data, nowMs }));
  rmSync(join(data, 'node-2', 'key.pem'));
  rmSync(join(data, 'node-3', 'tls.crt'));
  const error = await t.throwsAsync(initCluster({ data, nowMs }), { instanceOf: InitError });
  t.regex(error?.message ?? '', /node-2\/key\.pem, node-3\/tls\.crt/);
});

test('a run that broke off before everything was written leaves nothing that counts (S1)', async (t) => {
  const data = folder();
  mkdirSync(join(data, '.staging', 'node-2'), { recursive: true });
  writeFileSync(join(data, '.staging', 'node-2', 'key.pem'), 'half');
  t.true((await initCluster({ data, nowMs })).created);
  t.false(existsSync(join(data, '.staging')));
  t.notThrows(() => loadSigner(join(data, 'node-2', 'key.pem')));
});

test('a run that broke off while moving is finished with the same keys (S2)', async (t) => {
  const data = folder();
  const made = await initCluster({ data, nowMs });
  const before = snapshot(data);
  mkdirSync(join(data, '.staging'));
  writeFileSync(join(data, '.staging', '.complete'), '');
  for (const name of ['genesis.json', 'node-3', 'token']) {
    renameSync(join(data, name), join(data, '.staging', name));
  }
  const again = await initCluster({ data, nowMs: nowMs + 5 });
  t.is(again.clusterId, made.clusterId);
  t.deepEqual(snapshot(data), before);
});

test('does not overwrite what is in its way', async (t) => {
  const data = folder();
  mkdirSync(join(data, 'node-2'), { recursive: true });
  writeFileSync(join(data, 'node-2', 'key.pem'), 'precious');
  const error = await t.throwsAsync(initCluster({ data, nowMs }));
  t.regex(error?.message ?? '', /node-2 is in the way/);
  t.is(readFileSync(join(data, 'node-2', 'key.pem'), 'utf8'), 'precious');
});

test('two runs at once make one cluster', async (t) => {
  const data = folder();
  const settled = await Promise.allSettled([
    initCluster({ data, nowMs }),
    initCluster({ data, nowMs }),
  ]);
  t.true(settled.some(({ status }) => status === 'fulfilled'));
  const { clusterId } = await initCluster({ data, nowMs });
  for (const result of settled) {
    if (result.status === 'fulfilled') t.is(result.value.clusterId, clusterId);
    else t.regex(String(result.reason), /is initialising/);
  }
});

test('for separate machines, each node listens where the others look for it', async (t) => {
  const data = folder();
  await initCluster({ data, nowMs, hosts: ['10.0.0.1', 'node-b.example', 'fd00::3', 'localhost'] });
  const configs = ['validator-1', 'node-2', 'node-3', 'node-4'].map((id) =>
    readJson(data, id, 'config.json'),
  );
  t.deepEqual(
    configs.map((c) => c['host']),
    ['10.0.0.1', '0.0.0.0', 'fd00::3', '127.0.0.1'],
  );
  for (const config of configs) {
    t.deepEqual(config['peers'], {
      'validator-1': '10.0.0.1:9204',
      'node-2': 'node-b.example:9205',
      'node-3': '[fd00::3]:9206',
      'node-4': 'localhost:9207',
    });
  }
});

test('refuses requests that make no cluster, before it writes anything', async (t) => {
  const data = folder();
  const wrong = [
    { nodes: 0 },
    { nodes: 129 },
    { nodes: 4, hosts: ['a', 'b'] },
    { hosts: ['not a host'] },
    { name: 'a/b' },
  ];
  for (const options of wrong) {
    await t.throwsAsync(initCluster({ data, nowMs, ...options }), { instanceOf: InitError });
  }
  t.false(existsSync(data));
});

test('a folder that cannot be written is named together with the flag', async (t) => {
  const file = join(newFolder('init'), 'file');
  writeFileSync(file, '');
  for (const data of [file, join(file, 'data')]) {
    const error = await t.throwsAsync(initCluster({ data, nowMs }), { instanceOf: InitError });
    t.true(error.message.startsWith(`${data} is where the cluster is kept`), error.message);
    t.regex(error.message, /choose another --data/);
  }
});

test('no two nodes get the same port', (t) => {
  const ports = Array.from({ length: 10 }, (_, at) => Object.values(nodePorts(at))).flat();
  t.is(new Set(ports).size, ports.length);
});

test('a genesis that was tampered with is refused with every fault, and any change changes the id', async (t) => {
  const data = folder();
  const { clusterId } = await initCluster({ data, nowMs });
  const text = readFileSync(join(data, 'genesis.json'), 'utf8');
  const genesis = parseGenesis(text);
  const [first, second] = genesis.validators;
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{ ...genesis, extra: 1 }, /extra/],
    [{ ...genesis, version: 2 }, /version/],
    [{ ...genesis, validators: [] }, /validators/],
    [{ ...genesis, validators: [first, first] }, /same id; two validators have the same key/],
    [{ ...genesis, validators: [{ ...second, publicKey: 'AB' }] }, /publicKey/],
    [{ ...genesis, limits: { ...genesis.limits, laneBytesMax: 1 } }, /limits must rise/],
    [
      { ...genesis, limits: { ...genesis.limits, batchBytesMax: 2 ** 24, laneBytesMax: 2 ** 25 } },
      /beyond what peers take/,
    ],
    [{ ...genesis, limits: { ...genesis.limits, batchBytesMax: -1 } }, /batchBytesMax/],
    [
      { ...genesis, limits: { ...genesis.limits, stepsMax: STEPS_MIN - 1 } },
      new RegExp(`/limits/stepsMax .* ${STEPS_MIN}$`),
    ],
    [{ ...genesis, createdAtMs: '2026-01-01' }, /createdAtMs/],
  ];
  for (const [value, fault] of wrong) {
    t.regex(
      t.throws(() => parseGenesis(JSON.stringify(value)), { instanceOf: GenesisError }).message,
      fault,
    );
  }
  t.throws(() => parseGenesis('{'), { instanceOf: GenesisError });
  t.not(clusterIdOf({ ...genesis, name: 'x' }, nodeCrypto), clusterId);
  const reordered = JSON.parse(text, (_, v: unknown) =>
    v !== null && typeof v === 'object' && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).toReversed())
      : v,
  ) as typeof genesis;
  t.is(clusterIdOf(reordered, nodeCrypto), clusterId, 'order and white space do not matter');
});
