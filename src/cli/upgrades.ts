/** What is asked of a cluster about upgrades of its modules, and in whose name. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '../../protocols/crypto.ts';
import { isSameProgram, type Program } from '../../protocols/genesis.ts';
import { AlthingError } from '../client/errors.ts';
import { Nodes } from '../client/nodes.ts';
import type { Answer } from '../client/reads.ts';
import { loadSigner } from '../crypto/signer.ts';
import { nodeFiles } from '../init/layout.ts';
import { UsageError } from './command.ts';
import { withCluster, type Connection, type Flags } from './connection.ts';
import { folderOf, idsIn, type DataFlags } from './data-folder.ts';
import { askJson } from './status.ts';

/** How long a node may take to say what it can run. */
const HOLDINGS_MS = 5_000;

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

/** Each of the validators whose folders lie here votes, and all nodes are asked. */
export async function withValidators(
  flags: Flags,
  work: (connection: Connection, signers: readonly Voter[]) => Promise<void>,
): Promise<void> {
  const signers = signersOf(flags);
  const { id: _id, ...all } = flags;
  await withCluster(all, 'votes', (connection) => work(connection, signers));
}

/** The name of its folder, and its key. */
export type Voter = readonly [string, Signer];

/** On their own machines, each has one. */
function signersOf(flags: DataFlags): readonly Voter[] {
  const data = folderOf(flags);
  const keys = idsIn(flags).map((id) => [id, nodeFiles(join(data, id)).key] as const);
  const there = keys.filter(([, key]) => existsSync(key));
  if (there.length > 0) return there.map(([id, key]) => [id, loadSigner(key)]);
  const where = flags.id === undefined ? data : join(data, flags.id);
  throw new UsageError(`${where} has no key of a validator: name its folder by --data and --id`);
}

export function upgradesOf(connection: Connection): Promise<readonly Upgrade[]> {
  return pagesOf<Upgrade, number>(connection, 'upgrades');
}

export function proposalsOf(connection: Connection): Promise<readonly Proposal[]> {
  return pagesOf<Proposal, string>(connection, 'proposals');
}

/** All that a query of `programs` lists, page by page. */
async function pagesOf<Row, Key extends string | number>(
  { client, signal, timeoutMs }: Connection,
  name: 'upgrades' | 'proposals',
): Promise<readonly Row[]> {
  type Page = { readonly next: Key | null } & { readonly [K in typeof name]: readonly Row[] };
  const options = { patienceMs: timeoutMs, signal };
  const all: Row[] = [];
  let next: Key | null | undefined;
  while (next !== null) {
    const before: Key | undefined = next;
    const args = before === undefined ? {} : { after: before };
    const { result }: Answer<Page> = await client.query<Page>('programs', name, args, options);
    all.push(...result[name]);
    next = result.next;
    const goesOn = before === undefined ? next !== undefined : next! > before;
    // Else a node that lies has us ask without end.
    if (next !== null && !goesOn) {
      throw new AlthingError('bad_answer', `the list of ${name} does not go on: ask another node`);
    }
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

  static async of({
    client: {
      nodes: { urls },
    },
  }: Connection): Promise<Holdings> {
    const nodes = new Nodes({ urls, attemptMs: HOLDINGS_MS });
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
