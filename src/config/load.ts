/**
 * The node's configuration: read once, checked as a whole, frozen. Whatever is wrong is reported in
 * one go, each thing with where it was said; the process then ends with exit code 2.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Cluster } from '../../protocols/genesis.ts';
import type { ValidatorIndex } from '../../protocols/types.ts';
import type { RedisPlace } from '../cache/redis-place.ts';
import { nodeFiles, stateFiles } from '../init/layout.ts';
import type { LogLevel } from '../logger.ts';
import { helpText } from './help.ts';
import type { ModuleFile } from '../modules/user/load.ts';
import { readModuleFiles } from './module-files.ts';
import { readNodeFiles } from './node-files.ts';
import type { Values } from './options.ts';
import { parseValues, readEnvironment, readFileValues, readFlags } from './sources.ts';
import type { Environment, Parsed, RawValues } from './sources.ts';
import { isLoopback, type PeerList } from './values.ts';
import { VERSION } from './version.ts';

export type Database =
  | { readonly kind: 'url'; readonly url: string }
  /** The server that the nodes of one data folder share, and this node's database on it. */
  | {
      readonly kind: 'embedded';
      readonly folder: string;
      readonly port: number;
      readonly name: string;
    };

export interface NodeConfig {
  readonly id: string;
  readonly index: ValidatorIndex;
  readonly cluster: Cluster;
  readonly host: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly peerPort: number;
  /** `host:port` of every validator's peer port by index; null for this node when not told. */
  readonly peerAddresses: readonly (string | null)[];
  /** Where the heads of the log are remembered; its folder must be writable to start the node. */
  readonly headsFile: string;
  readonly snapshotsFolder: string;
  readonly keyPath: string;
  readonly certificatePath: string;
  readonly caPath: string;
  readonly database: Database;
  readonly dev: boolean;
  /** Not enumerable: it is in no log line, copy or dump of the configuration. Null in dev mode only. */
  readonly apiToken: string | null;
  /** Null for a cache in memory alone. Not enumerable, for its password. */
  readonly redis: RedisPlace | null;
  readonly readyFile: string | null;
  readonly threads: number | 'auto';
  readonly logLevel: LogLevel;
  readonly electionTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly readModel: boolean;
  /** Users' modules, as they were read at the start. */
  readonly moduleFiles: readonly ModuleFile[];
  /** Worth a log line at start, such as a key that others can read. */
  readonly warnings: readonly string[];
}

export class ConfigError extends Error {
  readonly exitCode = 2;
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    const lines = problems.map((problem) => `  - ${problem}`);
    super(['The configuration cannot be used:', ...lines, 'See --help.'].join('\n'));
    this.problems = problems;
  }
}

export type Loaded =
  | { readonly kind: 'config'; readonly config: NodeConfig }
  /** --help or --version: print and exit 0. */
  | { readonly kind: 'text'; readonly text: string };

/** `argv` without the interpreter and the script. Throws ConfigError. */
export function loadConfig(argv: readonly string[], env: Environment, cwd: string): Loaded {
  const problems: string[] = [];
  const flags = readFlags(argv, problems);
  if (flags.help) return { kind: 'text', text: helpText() };
  if (flags.version) return { kind: 'text', text: `${VERSION}\n` };
  const sources = [flags.values, readEnvironment(env, problems)];
  const place = placeOf(parseValues(sources, []), cwd);
  const file = fileOf(place, problems);
  const parsed = parseValues([...sources, file ?? new Map()], problems);
  const { id } = parsed.values;
  // An id that is missing may stand in a file that could not be read.
  if (id === undefined && file !== null && !parsed.bad.has('id')) {
    problems.push('--id is missing: say which validator this node is, such as --id validator-1');
  }
  const config =
    id === undefined || place === null || file === null
      ? null
      : assemble(parsed, id, place, cwd, problems);
  if (config === null || problems.length > 0) throw new ConfigError(problems);
  return { kind: 'config', config };
}

interface Place {
  readonly dataFolder: string;
  /** Null while it cannot be known: no id and no --config. */
  readonly configPath: string | null;
}

/**
 * A given file decides where the node's files are; else the data folder and the id do. Null when one
 * of them is no path: another place than the one that was meant is not to be spoken of.
 */
function placeOf({ values: { config, data, id }, bad }: Parsed, cwd: string): Place | null {
  if (bad.has('config') || bad.has('data')) return null;
  if (config !== undefined) {
    const configPath = resolve(cwd, config);
    return { configPath, dataFolder: resolve(cwd, data ?? dirname(dirname(configPath))) };
  }
  const dataFolder = resolve(cwd, data ?? 'data');
  return {
    dataFolder,
    configPath: id === undefined ? null : nodeFiles(join(dataFolder, id)).config,
  };
}

/** Null when there is no file: then there is nothing beside it either. */
function fileOf(place: Place | null, problems: string[]): RawValues | null {
  if (place === null) return null;
  const { configPath, dataFolder } = place;
  if (configPath === null) return new Map();
  if (!existsSync(configPath)) {
    problems.push(`${configPath} does not exist: ${otherNode(dataFolder)}`);
    return null;
  }
  try {
    return readFileValues(readFileSync(configPath, 'utf8'), configPath, problems);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    problems.push(
      `${configPath} cannot be read (${reason}): name a node's config.json by --config, or the node by --id`,
    );
    return null;
  }
}

function otherNode(dataFolder: string): string {
  const ids = nodesIn(dataFolder);
  return ids.length === 0
    ? `make a cluster by \`npx althing init --data ${dataFolder}\`, or name the file by --config`
    : `${dataFolder} has ${ids.join(', ')}: name one of them by --id, or the file by --config`;
}

/** Nobody but its owner may list the folder: to others it looks empty. */
function nodesIn(dataFolder: string): string[] {
  try {
    const names = readdirSync(dataFolder).toSorted();
    return names.filter((name) => existsSync(nodeFiles(join(dataFolder, name)).config));
  } catch {
    return [];
  }
}

function assemble(
  parsed: Parsed,
  id: string,
  place: Place,
  cwd: string,
  problems: string[],
): NodeConfig | null {
  const { values, bad } = parsed;
  const folder = dirname(place.configPath ?? join(place.dataFolder, id, 'config.json'));
  const { dev = false, host = '127.0.0.1' } = values;
  const files = readNodeFiles(folder, id, dev, problems);
  if (dev && !isLoopback(host)) {
    problems.push(`--dev listens on loopback only, and --host is ${host}: drop one of the two`);
  }
  const ports = portsOf(parsed, problems);
  const { electionTimeout = 1000, heartbeat = 250 } = values;
  if (heartbeat * 2 > electionTimeout) {
    problems.push('--heartbeat must be at most half of --election-timeout');
  }
  if (files === null || bad.size > 0) return null;
  const state = stateFiles(values.state === undefined ? folder : resolve(cwd, values.state));
  const config = {
    id,
    index: files.index,
    cluster: files.cluster,
    host,
    ...ports,
    peerAddresses: peerAddresses(values.peers, files.cluster, files.index, problems),
    headsFile: state.heads,
    snapshotsFolder: state.snapshots,
    keyPath: files.paths.key,
    certificatePath: files.paths.certificate,
    caPath: files.paths.ca,
    database: databaseOf(values, id, place.dataFolder),
    dev,
    readyFile: values.readyFile === undefined ? null : resolve(cwd, values.readyFile),
    threads: values.threads ?? 'auto',
    logLevel: values.logLevel ?? 'info',
    electionTimeoutMs: electionTimeout,
    heartbeatMs: heartbeat,
    readModel: (values.readModel ?? 'on') === 'on',
    moduleFiles: readModuleFiles(
      values.modules ?? [],
      parsed.inFile.has('modules') ? folder : cwd,
      files.cluster,
      problems,
    ),
    warnings: [...files.warnings, ...openInClear(host)],
  };
  const secrets = { apiToken: files.apiToken, redis: values.redisUrl ?? null };
  for (const [name, value] of Object.entries(secrets)) {
    Object.defineProperty(config, name, { value, enumerable: false });
  }
  return Object.freeze(config as typeof config & typeof secrets);
}

/** The peer port has TLS of its own. */
function openInClear(host: string): string[] {
  if (isLoopback(host)) return [];
  return [
    `HTTP and gRPC listen on ${host} without TLS, so the API token crosses the network in clear: ` +
      'let clients reach them through a TLS proxy only, such as compose/nginx/nginx.conf',
  ];
}

function portsOf({ values, bad }: Parsed, problems: string[]) {
  const { http, grpc, peer } = values;
  for (const name of ['http', 'grpc', 'peer'] as const) {
    if (values[name] === undefined && !bad.has(name))
      problems.push(`--${name} is missing: give a port, or 0 for any free one`);
  }
  const fixed = [http, grpc, peer].filter((value) => value !== undefined && value !== 0);
  if (new Set(fixed).size !== fixed.length) {
    problems.push('--http, --grpc and --peer must be three different ports');
  }
  return { httpPort: http ?? 0, grpcPort: grpc ?? 0, peerPort: peer ?? 0 };
}

function peerAddresses(
  peers: PeerList | undefined,
  { n, genesis: { validators } }: Cluster,
  self: ValidatorIndex,
  problems: string[],
): (string | null)[] {
  const ids = validators.map(({ id }) => id);
  if (peers?.kind === 'inOrder') {
    if (peers.addresses.length === n) return [...peers.addresses];
    problems.push(`--peers names ${peers.addresses.length} addresses for ${n} validators`);
    return [];
  }
  const given = peers?.addresses ?? new Map<string, string>();
  const unknown = [...given.keys()].filter((id) => !ids.includes(id));
  const missing = ids.filter((id, index) => index !== self && !given.has(id));
  if (unknown.length > 0) problems.push(`--peers names ${unknown.join(', ')}: not in the genesis`);
  if (missing.length > 0) problems.push(`--peers lacks ${missing.join(', ')}`);
  return ids.map((id) => given.get(id) ?? null);
}

function databaseOf(
  { databaseUrl, postgresPort = 9432 }: Values,
  id: string,
  data: string,
): Database {
  if (databaseUrl !== undefined) return { kind: 'url', url: databaseUrl };
  const name = `althing_${id.replaceAll('-', '_')}`;
  return { kind: 'embedded', folder: join(data, 'postgres'), port: postgresPort, name };
}
