/** What is asked of a cluster about upgrades of its modules, and in whose name. */
import type { Command } from 'commander';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '../../protocols/crypto.ts';
import { isSameProgram, type Program } from '../../protocols/genesis.ts';
import { Client } from '../client/client.ts';
import { Nodes } from '../client/nodes.ts';
import type { Answer } from '../client/reads.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import { loadSigner } from '../crypto/signer.ts';
import { nodeFiles } from '../init/layout.ts';
import { UsageError } from './command.ts';
import { urlsOf } from './connection.ts';
import { askJson } from './status.ts';

/** How long a node may take to say what it can run. */
const HOLDINGS_MS = 5_000;

export interface UpgradeFlags {
  readonly url?: string;
  readonly data: string;
  readonly id?: string;
}

export interface Proposed extends Program {
  readonly height: number;
}

export interface Upgrade extends Proposed {
  readonly outcome: string;
  readonly reason?: string;
  /** Keys of the validators that want it withdrawn. */
  readonly withdrawals: readonly string[];
}

export interface Proposal extends Proposed {
  /** Keys of the validators that have approved it. */
  readonly approvals: readonly string[];
}

/** Of a command that validators sign: whose keys, and which nodes are asked. */
export function validatorOptions(command: Command): Command {
  return command
    .option('--data <dir>', 'the folder that has the keys of validators', 'data')
    .option('--id <id>', 'only this validator of those in the data folder')
    .option(
      '--url <list>',
      'addresses of nodes, separated by commas (default: those in the data folder)',
    );
}

function urls({ url, data }: UpgradeFlags): readonly string[] {
  return urlsOf({ url: url === undefined ? [] : url.split(',').map((each) => each.trim()), data });
}

export function connect(flags: UpgradeFlags, signer?: Signer): Promise<Client> {
  const common = { urls: urls(flags), crypto: nodeCrypto };
  return Client.connect(signer === undefined ? common : { ...common, signer });
}

/** Of the validators whose folders lie here: on their own machines, each has one. */
export function signersOf({ data, id }: UpgradeFlags): (readonly [string, Signer])[] {
  const ids = id === undefined ? foldersIn(data) : [id];
  const keys = ids.map((each) => [each, nodeFiles(join(data, each)).key] as const);
  const there = keys.filter(([, key]) => existsSync(key));
  if (there.length === 0) {
    const where = id === undefined ? data : join(data, id);
    throw new UsageError(`${where} has no key of a validator: name its folder by --data and --id`);
  }
  return there.map(([each, key]) => [each, loadSigner(key)]);
}

function foldersIn(data: string): string[] {
  return existsSync(data) ? readdirSync(data).toSorted() : [];
}

export function upgradesOf(client: Client): Promise<readonly Upgrade[]> {
  return pagesOf<Upgrade, number>(client, 'upgrades');
}

export function proposalsOf(client: Client): Promise<readonly Proposal[]> {
  return pagesOf<Proposal, string>(client, 'proposals');
}

/** All that a query of `programs` lists, page by page. */
async function pagesOf<Row, Key extends string | number>(
  client: Client,
  name: 'upgrades' | 'proposals',
): Promise<readonly Row[]> {
  type Page = { readonly next: Key | null } & { readonly [K in typeof name]: readonly Row[] };
  const all: Row[] = [];
  let next: Key | null | undefined;
  while (next !== null) {
    const args = next === undefined ? {} : { after: next };
    const { result }: Answer<Page> = await client.query<Page>('programs', name, args);
    all.push(...result[name]);
    next = result.next;
  }
  return all;
}

/** As far as they are compared. */
function isPrograms(value: unknown): value is readonly Program[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'object' && each !== null);
}

interface Holding {
  readonly node: string;
  /** Null when it does not say. */
  readonly programs: readonly Program[] | null;
}

/** Which programs each node can run. */
export class Holdings {
  readonly #nodes: readonly Holding[];

  private constructor(nodes: readonly Holding[]) {
    this.#nodes = nodes;
  }

  static async of(flags: UpgradeFlags): Promise<Holdings> {
    const nodes = new Nodes({ urls: urls(flags), attemptMs: HOLDINGS_MS });
    const asked = nodes.urls.map(async (url, node) => {
      const status = await askJson(nodes, node, '/api/v11/consensus/status');
      const programs = status?.['availablePrograms'];
      return {
        node: typeof status?.['nodeId'] === 'string' ? status['nodeId'] : url,
        programs: isPrograms(programs) ? programs : null,
      };
    });
    return new Holdings(await Promise.all(asked));
  }

  /** Names of the nodes that cannot run it. */
  lacking(program: Program): readonly string[] {
    return this.#nodes.flatMap(({ node, programs }) =>
      programs === null || programs.some((each) => isSameProgram(each, program)) ? [] : [node],
    );
  }

  /** Those of which it is not known. */
  get silent(): readonly string[] {
    return this.#nodes.flatMap(({ node, programs }) => (programs === null ? [node] : []));
  }
}
