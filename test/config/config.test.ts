/** The configuration of a node process: precedence, refusals, and that everything is checked. */
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import test from 'ava';
import { ConfigError, loadConfig, type NodeConfig } from '../../src/config/load.ts';
import { flagOf, OPTION_NAMES } from '../../src/config/options.ts';
import { initCluster } from '../../src/init/init.ts';
import { newFolder } from '../folder.ts';
import { RAFFLE, raffleText } from '../user-modules/files.ts';

const nowMs = Date.UTC(2026, 0, 1);

async function cluster(): Promise<string> {
  const data = newFolder('config');
  await initCluster({ data, nowMs });
  return data;
}

function load(argv: readonly string[], env: Record<string, string> = {}): NodeConfig {
  const loaded = loadConfig(argv, env, '/');
  if (loaded.kind !== 'config') throw new TypeError(loaded.text);
  return loaded.config;
}

function problems(argv: readonly string[], env: Record<string, string> = {}): string {
  try {
    load(argv, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

test('a folder made by init starts a node with nothing but its id', async (t) => {
  const data = await cluster();
  const config = load(['--id', 'node-3', '--data', data]);
  t.is(config.index, 2);
  t.is(config.cluster.quorum, 3);
  t.is(config.host, '127.0.0.1');
  t.deepEqual([config.httpPort, config.grpcPort, config.peerPort], [9006, 9106, 9206]);
  t.is(config.peerAddresses[0], '127.0.0.1:9204');
  t.is(config.keyPath, join(data, 'node-3', 'key.pem'));
  t.is(config.headsFile, join(data, 'node-3', 'heads.json'));
  t.deepEqual(config.database, {
    kind: 'embedded',
    folder: join(data, 'postgres'),
    port: 9432,
    name: 'althing_node_3',
  });
  t.is(config.apiToken, readFileSync(join(data, 'token'), 'utf8').trim());
  t.deepEqual([config.threads, config.dev, config.readyFile], ['auto', false, null]);
  t.deepEqual(config.warnings, []);
  t.throws(() => Object.assign(config, { dev: true }), { instanceOf: TypeError });
});

test('a shipped node folder starts by its configuration file alone', async (t) => {
  const data = await cluster();
  const moved = newFolder('shipped');
  renameSync(join(data, 'node-2'), join(moved, 'here'));
  const config = load(['--config', join(moved, 'here', 'config.json')]);
  t.is(config.id, 'node-2');
  t.is(config.caPath, join(moved, 'here', 'ca.crt'));
  t.is(config.headsFile, join(moved, 'here', 'heads.json'));
});

test('a flag goes before the environment, that before the file, that before the default', async (t) => {
  const data = await cluster();
  const env = { ALTHING_DATA: data, ALTHING_HTTP: '7001', ALTHING_GRPC: '7002', OTHER: 'x' };
  const config = load(['--id=validator-1', '--http', '7003'], env);
  t.deepEqual([config.httpPort, config.grpcPort, config.peerPort], [7003, 7002, 9204]);
  t.is(config.electionTimeoutMs, 1000);
  t.is(load([], { ...env, ALTHING_NODE_ID: 'node-2' }).id, 'node-2');
  t.is(load([], { ...env, ALTHING_ID: 'node-2', ALTHING_LOG_LEVEL: '' }).logLevel, 'info');
  t.regex(
    problems([], { ...env, ALTHING_ID: 'node-2', ALTHING_NODE_ID: 'node-3' }),
    /ALTHING_ID and ALTHING_NODE_ID contradict/,
  );
});

test('every option can be set by its flag and by its variable', async (t) => {
  const data = await cluster();
  const values: Record<string, string> = {
    id: 'node-4',
    config: join(data, 'node-4', 'config.json'),
    data,
    state: '/srv/state',
    host: '127.0.0.2',
    peers: 'a:1,b:2,[::1]:3,d:4',
    http: '0',
    grpc: '0',
    peer: '0',
    dev: 'true',
    databaseUrl: 'postgres://u:swordfish@db/x',
    redisUrl: 'rediss://u:hammerhead@redis/2',
    postgresPort: '5555',
    threads: '3',
    electionTimeout: '5000',
    heartbeat: '1000',
    readModel: 'off',
    modules: RAFFLE,
    logLevel: 'warn',
    readyFile: '/tmp/ready',
  };
  t.deepEqual(Object.keys(values).toSorted(), [...OPTION_NAMES].toSorted());
  const byFlag = load(OPTION_NAMES.map((name) => `--${flagOf(name)}=${values[name] ?? ''}`));
  const variables = OPTION_NAMES.map((name) => [
    `ALTHING_${flagOf(name).toUpperCase().replaceAll('-', '_')}`,
    values[name] ?? '',
  ]);
  const byVariable = load([], Object.fromEntries(variables));
  t.deepEqual(byVariable, byFlag);
  t.like(byFlag, {
    headsFile: '/srv/state/heads.json',
    host: '127.0.0.2',
    httpPort: 0,
    dev: true,
    threads: 3,
    electionTimeoutMs: 5000,
    heartbeatMs: 1000,
    readModel: false,
    moduleFiles: [{ file: RAFFLE, text: raffleText() }],
    logLevel: 'warn',
    readyFile: '/tmp/ready',
    database: { kind: 'url', url: 'postgres://u:swordfish@db/x' },
  });
  t.like(byFlag.redis, { host: 'redis', tls: true, password: 'hammerhead', database: 2 });
  t.false(JSON.stringify(byFlag).includes('hammerhead'));
  t.deepEqual(byFlag.peerAddresses, ['a:1', 'b:2', '[::1]:3', 'd:4']);
});

test('unknown flags and keys are refused by name, with the name that was meant', async (t) => {
  const data = await cluster();
  const start = ['--id', 'node-2', '--data', data];
  t.regex(problems([...start, '--htpp', '1']), /unknown: --htpp \(did you mean --http\?\)/);
  t.regex(problems([...start, '--zzzzzzz']), /unknown: --zzzzzzz$/m);
  t.regex(problems([...start, 'extra']), /unexpected argument "extra"/);
  t.regex(problems([...start, '--role', 'business']), /--role is not in this version: every node/);
  t.regex(problems(start, { ALTHING_ROLE: 'slim' }), /ALTHING_ROLE is not in this version/);
  const path = join(data, 'node-2', 'config.json');
  const file = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...file, logLevl: 'info', consulUrl: 'x' }));
  const said = problems(start);
  t.regex(said, /config\.json: unknown: logLevl \(did you mean logLevel\?\)/);
  t.regex(said, /consulUrl is not in this version/);
  writeFileSync(path, 'swordfish');
  t.regex(problems(start), /not valid JSON/);
  t.notRegex(problems(start), /swordfish/);
});

test('all faults are listed at once, each with where it was said', async (t) => {
  const data = await cluster();
  const said = problems(
    ['--id', 'node-2', '--data', data, '--http', '70000', '--threads', '9', '--grpc'],
    {
      ALTHING_LOG_LEVEL: 'loud',
      ALTHING_DATABASE_URL: 'mysql://u:swordfish@db/x',
      ALTHING_REDIS_URL: 'redis://u:swordfish@redis/x',
    },
  );
  t.regex(said, /--http: expected a port from 0 to 65535/);
  t.regex(said, /--threads: expected "auto" or a number from 1 to 4/);
  t.regex(said, /--grpc needs a value: --grpc PORT/);
  t.regex(said, /ALTHING_LOG_LEVEL: expected one of trace/);
  t.regex(said, /ALTHING_DATABASE_URL: expected a URL like postgres/);
  t.regex(said, /ALTHING_REDIS_URL: expected a URL like redis/);
  t.notRegex(said, /swordfish/);
});

test('a node that is not there is refused with those that are', async (t) => {
  const data = await cluster();
  const wrong = problems(['--data', data, '--id', 'node-9']);
  t.regex(
    wrong,
    /has node-2, node-3, node-4, validator-1: name one of them by --id, or the file by --config/,
  );
  t.notRegex(wrong, /althing init/);
  t.regex(problems(['--data', newFolder('config'), '--id', 'node-9']), /npx althing init/);
});

test('a missing file is named, with what it is and where to get it', async (t) => {
  const data = await cluster();
  const start = ['--id', 'node-2', '--data', data];
  for (const [name, is] of [
    ['genesis.json', 'the genesis, .* from the folder of another node'],
    ['key.pem', "this node's private key: .* backup"],
    ['tls.crt', "this node's certificate: .* backup"],
    ['ca.crt', "the certificate of the cluster's CA: .* another node"],
    ['token', 'the API token: .* another node'],
  ] as const) {
    rmSync(join(data, 'node-2', name));
    const said = problems(start);
    t.regex(said, new RegExp(`node-2/${name.replace('.', '\\.')} does not exist; it is ${is}`));
    t.notRegex(said, /ENOENT/);
  }
});

test('a configuration file that is none is refused by its flag', async (t) => {
  const data = await cluster();
  const said = problems(['--config', data]);
  t.regex(said, /cannot be read \(EISDIR.*--config/);
  t.notRegex(said, /--id is missing/);
});

test('an empty path is refused, and no other is taken in its place', (t) => {
  for (const flag of ['--data', '--config']) {
    const said = problems(['--id', 'node-2', flag, '']);
    t.regex(said, new RegExp(`${flag}: expected a path`));
    t.notRegex(said, /does not exist/);
  }
});

test('values that contradict each other are refused', async (t) => {
  const data = await cluster();
  const start = ['--id', 'node-2', '--data', data];
  t.regex(problems([...start, '--http', '8000', '--grpc', '8000']), /three different ports/);
  t.regex(problems([...start, '--heartbeat', '900']), /at most half of --election-timeout/);
  t.regex(problems([...start, '--peers', 'node-3=h:1,node-9=h:2']), /node-9: not in the genesis/);
  t.regex(problems([...start, '--peers', 'node-3=h:1']), /lacks validator-1, node-4/);
  t.regex(problems([...start, '--peers', 'h:1']), /1 addresses for 4 validators/);
  t.regex(problems([...start, '--http', '1', '--http', '2']), /--http is given twice/);
});

test('dev mode binds loopback only, and needs no token', async (t) => {
  const data = await cluster();
  const start = ['--id', 'node-2', '--data', data];
  t.regex(problems([...start, '--dev', '--host', '0.0.0.0']), /--dev listens on loopback only/);
  t.is(load([...start, '--host', '0.0.0.0']).dev, false);
  rmSync(join(data, 'node-2', 'token'));
  t.is(load([...start, '--dev', '--host', 'localhost']).apiToken, null);
  t.regex(problems(start), /token does not exist/);
});

test('files that do not belong together are refused before anything starts', async (t) => {
  const data = await cluster();
  const start = ['--id', 'node-2', '--data', data];
  const own = (name: string): string => join(data, 'node-2', name);
  const good = readFileSync(own('key.pem'));
  writeFileSync(own('key.pem'), readFileSync(join(data, 'node-3', 'key.pem')));
  t.regex(problems(start), /key\.pem is not the key of node-2/);
  t.regex(problems(start), /tls\.crt is not for .*key\.pem/);
  writeFileSync(own('key.pem'), good);
  const other = await cluster();
  writeFileSync(own('ca.crt'), readFileSync(join(other, 'node-2', 'ca.crt')));
  t.regex(problems(start), /tls\.crt is not issued by .*ca\.crt/);
  writeFileSync(own('ca.crt'), 'x');
  writeFileSync(own('genesis.json'), '{"version": 2}');
  t.regex(problems(start), /ca\.crt: not a certificate/);
  t.regex(problems(start), /genesis\.json: .*version/);
});

test('a key that others can read is worth a warning', async (t) => {
  const data = await cluster();
  chmodSync(join(data, 'node-2', 'key.pem'), 0o644);
  const { warnings } = load(['--id', 'node-2', '--data', data]);
  t.regex(warnings.join(), /key\.pem can be read by other users.*chmod 600/);
});

test('a port that others can reach is worth a warning about the token', async (t) => {
  const data = await cluster();
  const warnings = (host: string): string =>
    load(['--id', 'node-2', '--data', data, '--host', host]).warnings.join();
  for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
    t.regex(warnings(host), /API token.*in clear.*TLS/);
    t.true(warnings(host).includes(host));
  }
  for (const host of ['127.0.0.1', '127.0.0.9', '::1', 'localhost']) t.is(warnings(host), '');
});

test('the API token is in no dump of the configuration', async (t) => {
  const data = await cluster();
  const config = load(['--id', 'node-2', '--data', data]);
  const token = config.apiToken ?? '';
  t.true(token.length >= 40);
  for (const dump of [JSON.stringify(config), inspect(config), JSON.stringify({ ...config })]) {
    t.false(dump.includes(token));
  }
});

test('--help names every option, and --version the version', (t) => {
  const help = loadConfig(['--help', '--nonsense'], {}, '/');
  t.true(help.kind === 'text' && /password.* ALTHING_DATABASE_URL.*PGPASSFILE/.test(help.text));
  for (const name of OPTION_NAMES) {
    t.true(help.kind === 'text' && help.text.includes(`--${flagOf(name)}`), name);
  }
  const version = loadConfig(['--version'], {}, '/');
  t.regex(version.kind === 'text' ? version.text : '', /^\d+\.\d+\.\d+\n$/);
});
