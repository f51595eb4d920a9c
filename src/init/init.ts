/**
 * Makes a cluster's files (layout.ts), once. Run again, it keeps what is there, finishes what an
 * earlier run began, and refuses what it cannot make whole: a key is never replaced.
 */
import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, relative } from 'node:path';
import { clusterIdOf } from '../../protocols/genesis.ts';
import { VALIDATORS_MAX } from '../../protocols/structures.ts';
import type { Digest } from '../../protocols/types.ts';
import { generateKey } from '../crypto/keys.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { createAuthority, issueLeaf, type Authority } from './certificates.ts';
import { createGenesis, parseGenesis } from './genesis.ts';
import { clusterFiles, DATA_FOLDER_MODE, nodeFiles, nodeId, nodePorts } from './layout.ts';
import { builtInModules } from '../modules/built-in.ts';
import { ModuleFileError } from '../modules/user/load.ts';
import { notInGenesis, placeOf, readModule, type ReadModule } from './modules.ts';
import { finishStaged, locked, placeFiles, type NewFile } from './staging.ts';

export const DEFAULT_NODES = 4;
const DEFAULT_NAME = 'althing';
const LOOPBACK = '127.0.0.1';

export interface InitOptions {
  readonly data: string;
  /** How many validators; default 4, or as many as there are already. */
  readonly nodes?: number;
  /** One host for each node, or one for all. Default: this machine's loopback. */
  readonly hosts?: readonly string[];
  readonly name?: string;
  /** Files of users' modules that run from height 1 on. */
  readonly modules?: readonly string[];
  readonly nowMs: number;
}

export interface InitResult {
  /** False when a whole cluster was there before. */
  readonly created: boolean;
  readonly clusterId: Digest;
  readonly data: string;
  readonly nodes: readonly { readonly id: string; readonly folder: string }[];
}

/** What the caller asked for cannot be done; the message says what can. */
export class InitError extends Error {}

/** Makes it if it is not there. Throws InitError when nothing can be written there. */
export function makeDataFolder(data: string): void {
  try {
    mkdirSync(data, { recursive: true, mode: DATA_FOLDER_MODE });
    accessSync(data, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const ways = 'make it a folder that you may write to, or choose another --data';
    throw new InitError(`${data} is where the cluster is kept (${reason}): ${ways}`);
  }
}

/** Rejects with InitError. */
export async function initCluster(options: InitOptions): Promise<InitResult> {
  const faults = faultsOf(options);
  if (faults.length > 0) throw new InitError(faults.join('; '));
  const modules = modulesOf(options);
  makeDataFolder(options.data);
  return locked(options.data, async () => {
    const finished = finishStaged(options.data);
    if (existsSync(clusterFiles(options.data).genesis)) {
      return { ...existing(options, modules), created: finished };
    }
    placeFiles(options.data, await newFiles(options, modules));
    return { ...existing(options, modules), created: true };
  });
}

function modulesOf({ modules = [] }: InitOptions): ReadModule[] {
  try {
    const read = modules.map(readModule);
    const names = [...builtInModules, ...read.map(({ module }) => module)].map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice === undefined) return read;
    throw new InitError(`two modules have the name ${twice}: give yours another one`);
  } catch (error) {
    if (error instanceof ModuleFileError) throw new InitError(error.message);
    throw error;
  }
}

function faultsOf({ data, nodes, hosts, name }: InitOptions): string[] {
  const faults: string[] = [];
  if (data === '') faults.push('--data takes a folder, such as data, and is empty');
  const n = nodes ?? hosts?.length ?? DEFAULT_NODES;
  if (!Number.isInteger(n) || n < 1 || n > VALIDATORS_MAX) {
    faults.push(`--nodes must be from 1 to ${VALIDATORS_MAX}`);
  }
  if (hosts !== undefined && hosts.length !== 1 && hosts.length !== n) {
    faults.push(
      `--hosts names ${hosts.length} hosts for ${n} nodes: give one for each, or one for all`,
    );
  }
  for (const host of hosts ?? []) {
    if (isIP(host) === 0 && !/^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$/.test(host)) {
      faults.push(`"${host}" is neither an address nor a host name`);
    }
  }
  if (name !== undefined && !/^[\w.-]{1,64}$/.test(name)) {
    faults.push('--name may hold letters, digits, ".", "_" and "-", at most 64');
  }
  return faults;
}

/** Reads a cluster that is there; refuses one with missing files or of another shape than asked. */
function existing(
  { data, nodes, hosts, name }: InitOptions,
  modules: readonly ReadModule[],
): Omit<InitResult, 'created'> {
  const genesis = parseGenesis(readFileSync(clusterFiles(data).genesis, 'utf8'));
  const folders = genesis.validators.map(({ id }) => ({ id, folder: join(data, id) }));
  // The CA's and the operator's keys are rightly kept elsewhere once they are made.
  const files = folders.flatMap(({ folder }) => Object.values(nodeFiles(folder)));
  const missing = files.filter((path) => !existsSync(path));
  if (missing.length > 0) {
    throw new InitError(
      `${data} holds cluster "${genesis.name}", but not all of its files: put back ` +
        `${missing.map((path) => relative(data, path)).join(', ')}, or choose another --data`,
    );
  }
  const asked = nodes ?? (hosts !== undefined && hosts.length > 1 ? hosts.length : folders.length);
  if (asked !== folders.length || (name ?? genesis.name) !== genesis.name) {
    throw new InitError(
      `${data} holds cluster "${genesis.name}" of ${folders.length} nodes already: choose another --data`,
    );
  }
  if (hosts !== undefined && !sameHosts(folders, hosts)) {
    throw new InitError(
      `${data} was made for other hosts: change "peers" and "host" in each config.json, or choose another --data`,
    );
  }
  const [other] = notInGenesis(data, modules);
  if (other !== undefined) {
    const { module } = other;
    throw new InitError(
      `${data} holds a cluster whose genesis does not name ${module.name} ${module.version} with digest ` +
        `${module.digest} (${other.file}): bring it by "althing module add" and "althing module approve"`,
    );
  }
  return { data, clusterId: clusterIdOf(genesis, nodeCrypto), nodes: folders };
}

function sameHosts(folders: InitResult['nodes'], hosts: readonly string[]): boolean {
  return folders.every(({ folder }, index) => {
    const { peers } = JSON.parse(readFileSync(nodeFiles(folder).config, 'utf8')) as {
      peers?: Record<string, string>;
    };
    return peers?.[nodeId(index)] === peerAddress(hostOf(hosts, index), index);
  });
}

async function newFiles(options: InitOptions, modules: readonly ReadModule[]): Promise<NewFile[]> {
  const { nowMs, name = DEFAULT_NAME } = options;
  const hosts = options.hosts ?? [LOOPBACK];
  const n = options.nodes ?? (hosts.length > 1 ? hosts.length : DEFAULT_NODES);
  const validators = Array.from({ length: n }, (_, index) => ({
    id: nodeId(index),
    ...generateKey(),
  }));
  const operator = generateKey();
  const authority = await createAuthority(name, generateKey().pem, nowMs);
  const genesis = createGenesis({
    name,
    nowMs,
    validators: validators.map(({ id, publicKey }) => ({ id, publicKey })),
    issuers: [operator.publicKey],
    modules: modules.map(({ module }) => module),
  });
  const shared = {
    genesis: `${JSON.stringify(genesis, null, 2)}\n`,
    token: `${randomBytes(32).toString('base64url')}\n`,
    modules,
    peers: Object.fromEntries(
      validators.map(({ id }, index) => [id, peerAddress(hostOf(hosts, index), index)]),
    ),
  };
  const nodes = await Promise.all(
    validators.map(({ pem }, index) =>
      nodeFolder(index, pem, hostOf(hosts, index), authority, shared, nowMs),
    ),
  );
  const paths = clusterFiles('');
  return [
    { path: paths.genesis, content: shared.genesis, secret: false },
    { path: paths.ca, content: authority.certificatePem, secret: false },
    { path: paths.caKey, content: authority.keyPem, secret: true },
    { path: paths.token, content: shared.token, secret: true },
    { path: paths.operator, content: operator.pem, secret: true },
    ...nodes.flat(),
  ];
}

async function nodeFolder(
  index: number,
  keyPem: string,
  host: string,
  authority: Authority,
  shared: {
    readonly genesis: string;
    readonly token: string;
    readonly peers: Readonly<Record<string, string>>;
    readonly modules: readonly ReadModule[];
  },
  nowMs: number,
): Promise<NewFile[]> {
  const id = nodeId(index);
  const paths = nodeFiles(id);
  const named = shared.modules.length === 0 ? {} : { modules: shared.modules.map(placeOf) };
  const ports = nodePorts(index);
  const config = { id, host: bindAddress(host), ...ports, peers: shared.peers, ...named };
  return [
    ...shared.modules.map((each) => ({
      path: join(id, placeOf(each)),
      content: each.text,
      secret: false,
    })),
    { path: paths.config, content: `${JSON.stringify(config, null, 2)}\n`, secret: false },
    { path: paths.genesis, content: shared.genesis, secret: false },
    { path: paths.ca, content: authority.certificatePem, secret: false },
    {
      path: paths.certificate,
      content: await issueLeaf(authority, { id, keyPem, hosts: [host] }, nowMs),
      secret: false,
    },
    { path: paths.key, content: keyPem, secret: true },
    { path: paths.token, content: shared.token, secret: true },
  ];
}

function hostOf(hosts: readonly string[], index: number): string {
  return hosts[hosts.length === 1 ? 0 : index] ?? LOOPBACK;
}

function peerAddress(host: string, index: number): string {
  return `${isIP(host) === 6 ? `[${host}]` : host}:${nodePorts(index).peer}`;
}

/** An address is bound as it is; behind a name there may be any, so all are. */
function bindAddress(host: string): string {
  if (host === 'localhost') return LOOPBACK;
  return isIP(host) === 0 ? '0.0.0.0' : host;
}
