/**
 * What commands that ask a cluster have in common: which nodes, whose key, which genesis document, how
 * long. The folder that `althing init` made tells all of it; options and the environment go before it.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Signer } from '../../protocols/crypto.ts';
import { clusterOf, type Genesis } from '../../protocols/genesis.ts';
import { abortable } from '../abortable.ts';
import { ask, type Taken } from '../client/asking.ts';
import { Client } from '../client/client.ts';
import { Nodes, type NodeAnswer } from '../client/nodes.ts';
import { notTaken } from '../client/reads.ts';
import { KeyError } from '../crypto/keys.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { loadSigner } from '../crypto/signer.ts';
import { runningUrls } from '../dev/running-record.ts';
import { GenesisError, parseGenesis } from '../init/genesis.ts';
import { clusterFiles, nodeFiles } from '../init/layout.ts';
import { Interruption } from '../interruption.ts';
import { builtInModules } from '../modules/built-in.ts';
import { EXIT, readText, UsageError } from './command.ts';
import { goesOnUnread } from './output.ts';

export interface Connection {
  readonly client: Client;
  /** A genesis document was given: no node is believed. */
  readonly verifies: boolean;
  readonly genesis: Genesis | null;
  /** Aborted when the time is over or somebody interrupts: for reads. */
  readonly signal: AbortSignal;
  /** Aborted when somebody interrupts: for submissions, which expire by themselves. */
  readonly interrupted: AbortSignal;
  readonly timeoutMs: number;
}

interface Flags {
  readonly url: readonly string[];
  readonly data: string;
  readonly id?: string;
  readonly key?: string;
  readonly genesis?: string;
  readonly timeout: number;
}

/** What was signed before is sent without a key. */
type Uses = 'reads' | 'sends' | 'signs';

const NOTICE_AFTER_MS = 2_000;
const FALLBACK_URL = 'http://127.0.0.1:9003';

const reading: readonly Option[] = [
  new Option('--url <url>', 'address of a node, or several: with commas, or again')
    .env('ALTHING_URL')
    .argParser(collected),
  new Option('--data <dir>', 'the folder that "althing init" made')
    .default('data')
    .env('ALTHING_DATA'),
  new Option('--id <id>', 'only this node of those in the data folder'),
  new Option('--genesis <file>', 'the genesis document: answers are verified').env(
    'ALTHING_GENESIS',
  ),
  new Option('--timeout <seconds>', 'how long to wait').default(30).argParser(seconds),
];
const signing = new Option('--key <file>', 'the private key that signs, in a PEM file').env(
  'ALTHING_KEY',
);

/**
 * Adds the options to `command`. Where an argument of its own has the name of one of them, it is
 * `--client-<name>` there. Returns how to read them.
 */
export function connectionOptions(
  command: Command,
  uses: Uses,
  taken: ReadonlySet<string> = new Set(),
): (given: Readonly<Record<string, unknown>>) => Flags {
  const options = uses === 'signs' ? [...reading, signing] : reading;
  const placed = options.map((option) => {
    const name = option.attributeName();
    const own = taken.has(name) ? clientOption(option) : option;
    command.addOption(own);
    return [name, own.attributeName()] as const;
  });
  return (given) => {
    const values = placed.map(([name, attribute]) => [name, given[attribute]]);
    return { url: [], ...Object.fromEntries(values.filter(([, value]) => value !== undefined)) };
  };
}

function clientOption(option: Option): Option {
  const flags = option.flags.replace('--', '--client-');
  const { envVar, defaultValue, parseArg } = option;
  const other = new Option(flags, option.description).default(defaultValue);
  if (envVar !== undefined) other.env(envVar);
  return parseArg === undefined ? other : other.argParser(parseArg);
}

/** A list with commas, of an option that may be repeated. */
export function collected(text: string, before: readonly string[] | undefined): readonly string[] {
  const more = text.split(',').map((each) => each.trim());
  return [...(before ?? []), ...more.filter((each) => each !== '')];
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 3600) return value;
  throw new InvalidArgumentError('It takes seconds, up to 3600.');
}

/** Connects, works, and leaves nothing behind. Rejects with Interrupted after a signal. */
export async function withCluster(
  flags: Flags,
  uses: Uses,
  work: (connection: Connection) => Promise<void>,
): Promise<void> {
  if (uses !== 'reads') goesOnUnread();
  const signer = uses === 'signs' ? signerOf(flags) : null;
  const urls = urlsOf(flags);
  const genesis = flags.genesis === undefined ? null : genesisIn(flags.genesis);
  const own = genesis === null ? ownCluster(flags) : null;
  const timeoutMs = flags.timeout * 1000;
  const interruption = new Interruption(() => process.exit(EXIT.interrupted));
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(lateText(flags, urls))), timeoutMs);
  const signal = AbortSignal.any([interruption.signal, late.signal]);
  try {
    const connecting = Client.connect({
      urls,
      crypto: nodeCrypto,
      validityMs: timeoutMs,
      ...(signer === null ? {} : { signer }),
      modules: builtInModules,
      ...(genesis === null ? {} : { genesis }),
      ...(own === null ? {} : { clusterId: clusterOf(own, nodeCrypto).id }),
    });
    const client = await withNotice(
      `waiting for ${urls.join(', ')}`,
      abortable(connecting, signal),
    );
    const verifies = genesis !== null;
    const interrupted = interruption.signal;
    await work({ client, verifies, genesis, signal, interrupted, timeoutMs });
  } finally {
    clearTimeout(timer);
    interruption.close();
  }
}

function lateText({ timeout }: Flags, urls: readonly string[]): string {
  return `no answer within ${timeout} s from ${urls.join(', ')}: does a node run there? --url names others`;
}

/** Tells on stderr what is waited for, when it takes long. */
export async function withNotice<T>(text: string, work: Promise<T>): Promise<T> {
  const timer = setTimeout(() => process.stderr.write(`${text} …\n`), NOTICE_AFTER_MS);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** Throws UsageError. */
export function urlsOf({ url, data, id }: Pick<Flags, 'url' | 'data' | 'id'>): readonly string[] {
  if (url.length > 0) return checked(url);
  const found = nodesIn(data, id);
  if (id !== undefined && found.length === 0) {
    throw new UsageError(`${join(data, id)} holds no configuration of a node`);
  }
  return found.length > 0 ? found : [FALLBACK_URL];
}

function checked(urls: readonly string[]): readonly string[] {
  try {
    return new Nodes({ urls }).urls;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Where the nodes whose folders lie here serve clients, as a launcher or their configurations say. */
function nodesIn(data: string, id: string | undefined): readonly string[] {
  const ids = id === undefined ? foldersIn(data) : [id];
  const running = runningUrls(data);
  return ids.flatMap((each) => {
    if (running[each] !== undefined) return running[each];
    const { config } = nodeFiles(join(data, each));
    return existsSync(config) ? addressIn(config) : [];
  });
}

function foldersIn(data: string): readonly string[] {
  try {
    return readdirSync(data).sort();
  } catch {
    return [];
  }
}

function addressIn(config: string): readonly string[] {
  let values: { readonly http?: unknown; readonly host?: unknown } | null;
  try {
    values = JSON.parse(readText(config)) as typeof values;
  } catch (error) {
    throw new UsageError(`${config}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { http, host } = values ?? {};
  if (typeof http !== 'number') return [];
  // What listens on every address is reached on this machine's own.
  const isAny = typeof host !== 'string' || host === '0.0.0.0' || host === '::';
  const name = isAny ? '127.0.0.1' : host;
  return [`http://${name.includes(':') ? `[${name}]` : name}:${http}`];
}

function signerOf({ key, data }: Flags): Signer {
  const { operator } = clusterFiles(data);
  const file = key ?? (existsSync(operator) ? operator : null);
  if (file === null) {
    throw new UsageError(
      `whose key signs? Name its file with --key or ALTHING_KEY (there is no ${operator}); ` +
        '"openssl genpkey -algorithm ed25519 -out client.pem" makes one',
    );
  }
  try {
    return loadSigner(file);
  } catch (error) {
    if (error instanceof KeyError) throw new UsageError(error.message);
    throw error;
  }
}

function genesisIn(file: string): Genesis {
  try {
    return parseGenesis(readText(file));
  } catch (error) {
    if (error instanceof GenesisError) throw new UsageError(`${file}: ${error.message}`);
    throw error;
  }
}

/** The data folder's own cluster, unless other nodes are named. */
function ownCluster({ url, data }: Flags): Genesis | null {
  const { genesis } = clusterFiles(data);
  return url.length === 0 && existsSync(genesis) ? genesisIn(genesis) : null;
}

/** What a node says in JSON, as it says it, if `take` holds with it. Throws AlthingError. */
export function answerOf(
  { client, signal, timeoutMs }: Connection,
  path: string,
  take: (answer: NodeAnswer) => Taken<NodeAnswer> = (value) => ({ kind: 'holds', value }),
): Promise<NodeAnswer> {
  const request = { method: 'GET', path, headers: { accept: 'application/json' } } as const;
  return ask<NodeAnswer>(client.nodes, request, { ms: timeoutMs, signal, refusals: 1 }, (answer) =>
    answer.status === 200 ? take(answer) : notTaken(answer),
  );
}
