/**
 * What commands that ask a cluster have in common: which nodes, whose key, which genesis document, how
 * long. The folder that `althing init` made tells all of it; options and the environment go before it.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Signer } from '../../protocols/crypto.ts';
import { clusterOf, type Genesis } from '../../protocols/genesis.ts';
import type { Digest } from '../../protocols/types.ts';
import { abortable } from '../abortable.ts';
import { ask, type Taken } from '../client/asking.ts';
import { Client } from '../client/client.ts';
import { AlthingError } from '../client/errors.ts';
import { Nodes, type NodeAnswer } from '../client/nodes.ts';
import { notTaken } from '../client/reads.ts';
import { KeyError } from '../crypto/keys.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { loadSigner } from '../crypto/signer.ts';
import { clusterFiles } from '../init/layout.ts';
import { Interruption } from '../interruption.ts';
import { builtInModules } from '../modules/built-in.ts';
import { EXIT, UsageError } from './command.ts';
import { dataOption, folderOf, genesisFileIn, nodesIn, refuseNoFolder } from './data-folder.ts';
import { genesisIn } from './genesis-file.ts';
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
  /** A client that signs with another key. */
  as(signer: Signer): Promise<Client>;
}

export interface Flags {
  readonly url: readonly string[];
  readonly data?: string;
  readonly id?: string;
  readonly key?: string;
  readonly genesis?: string;
  readonly timeout: number;
}

/** What was signed before is sent without a key; validators vote with those in the data folder. */
type Uses = 'reads' | 'sends' | 'signs' | 'votes';

const NOTICE_AFTER_MS = 2_000;
const FALLBACK_URL = 'http://127.0.0.1:9003';

const asking = (whose: string): readonly Option[] => [
  new Option('--url <url>', 'address of a node, or several: with commas, or again')
    .env('ALTHING_URL')
    .argParser(collected),
  dataOption(),
  new Option('--id <id>', whose),
  new Option('--timeout <seconds>', 'how long to wait').default(30).argParser(seconds),
];
const reading = asking('only this node of those in the data folder');
const verifying = new Option('--genesis <file>', 'the genesis document: answers are verified').env(
  'ALTHING_GENESIS',
);
const signing = new Option('--key <file>', 'the private key that signs, in a PEM file').env(
  'ALTHING_KEY',
);
const OPTIONS: Readonly<Record<Uses, readonly Option[]>> = {
  reads: [...reading, verifying],
  sends: [...reading, verifying],
  signs: [...reading, verifying, signing],
  votes: asking('only the key of this validator, of those in the data folder'),
};

/**
 * Adds the options to `command`. Where an argument of its own has the name of one of them, it is
 * `--client-<name>` there. Returns how to read them.
 */
export function connectionOptions(
  command: Command,
  uses: Uses,
  taken: ReadonlySet<string> = new Set(),
): (given: Readonly<Record<string, unknown>>) => Flags {
  const placed = OPTIONS[uses].map((option) => {
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
  const urls = urlsOf(flags);
  const signer = uses === 'signs' ? signerOf(flags) : null;
  const genesis = flags.genesis === undefined ? null : genesisIn(flags.genesis);
  const own = genesis === null ? ownCluster(flags, uses) : null;
  const timeoutMs = flags.timeout * 1000;
  const interruption = new Interruption(() => process.exit(EXIT.interrupted));
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(lateText(flags, urls))), timeoutMs);
  const signal = AbortSignal.any([interruption.signal, late.signal]);
  const connect = async (who: Signer | null): Promise<Client> => {
    const connecting = Client.connect({
      urls,
      crypto: nodeCrypto,
      validityMs: timeoutMs,
      ...(who === null ? {} : { signer: who }),
      modules: builtInModules,
      ...(genesis === null ? {} : { genesis }),
      ...(own === null ? {} : { clusterId: own.id }),
    });
    const waiting = withNotice(`waiting for ${urls.join(', ')}`, abortable(connecting, signal));
    return own === null ? waiting : waiting.catch((error) => namingFolder(error, own));
  };
  try {
    const client = await connect(signer);
    const verifies = genesis !== null;
    const interrupted = interruption.signal;
    const as = connect;
    await work({ client, verifies, genesis, signal, interrupted, timeoutMs, as });
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
export function urlsOf(flags: Pick<Flags, 'url' | 'data' | 'id'>): readonly string[] {
  if (flags.url.length > 0) return checked(flags.url);
  const found = nodesIn(flags);
  if (found.length > 0) return found;
  const { data, id } = flags;
  if (id !== undefined) {
    throw new UsageError(`${join(folderOf(flags), id)} holds no configuration of a node`);
  }
  if (data === undefined) return [FALLBACK_URL];
  if (genesisFileIn(flags) === null) return refuseNoFolder(data);
  throw new UsageError(`${data} holds no configuration of a node: name nodes with --url`);
}

function checked(urls: readonly string[]): readonly string[] {
  try {
    return new Nodes({ urls }).urls;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function signerOf(flags: Flags): Signer {
  const { operator } = clusterFiles(folderOf(flags));
  const file = flags.key ?? (existsSync(operator) ? operator : null);
  if (file === null) {
    throw new UsageError(
      `whose key signs? Name its file with --key or ALTHING_KEY (there is no ${operator}); ` +
        '"openssl genpkey -algorithm ed25519 -out client.pem" makes one',
    );
  }
  return signerIn(file);
}

/** Throws UsageError. */
export function signerIn(file: string): Signer {
  try {
    return loadSigner(file);
  } catch (error) {
    if (error instanceof KeyError) throw new UsageError(error.message);
    throw error;
  }
}

interface OwnCluster {
  readonly id: Digest;
  /** That says so. */
  readonly file: string;
}

/**
 * The data folder's own cluster, unless other nodes are named. Votes are for it all the same, and for none
 * where it is not known: else nodes would say what is signed. Throws UsageError.
 */
function ownCluster(flags: Flags, uses: Uses): OwnCluster | null {
  const votes = uses === 'votes';
  const file = flags.url.length === 0 || votes ? genesisFileIn(flags) : null;
  if (file !== null) return { id: clusterOf(genesisIn(file), nodeCrypto).id, file };
  if (!votes) return null;
  const data = folderOf(flags);
  throw new UsageError(
    `${data} has no genesis.json, which says for which cluster its validators vote: ` +
      'put that of the cluster there',
  );
}

function namingFolder(error: unknown, { id, file }: OwnCluster): never {
  if (!(error instanceof AlthingError) || error.code !== 'other_cluster') throw error;
  const advice = 'name the folder of that cluster with --data or ALTHING_DATA';
  throw new AlthingError(error.code, `${error.message}, but ${file} is of ${id}: ${advice}`);
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
