/** What is asked of a cluster about upgrades of its modules, and in whose name. */
import { Value } from '@sinclair/typebox/value';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '../../protocols/crypto.ts';
import { isSameProgram, type Program } from '../../protocols/genesis.ts';
import { ask } from '../client/asking.ts';
import { AlthingError } from '../client/errors.ts';
import { Nodes } from '../client/nodes.ts';
import { answerIn, reading, type Answer } from '../client/reads.ts';
import { nodeFiles } from '../init/layout.ts';
import { programs } from '../modules/programs/programs.ts';
import { UsageError } from './command.ts';
import { signerIn, withCluster, type Connection, type Flags } from './connection.ts';
import { folderOf, idsIn, type DataFlags } from './data-folder.ts';
import { askJson } from './status.ts';
import { togetherOf, type Verified } from './verified.ts';

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
  if (there.length > 0) return there.map(([id, key]) => [id, signerIn(key)]);
  const where = flags.id === undefined ? data : join(data, flags.id);
  throw new UsageError(`${where} has no key of a validator: name its folder by --data and --id`);
}

/** What a query lists, and what is known of it. */
export interface Listed<Row> extends Verified {
  readonly rows: readonly Row[];
}

export function upgradesOf(connection: Connection): Promise<Listed<Upgrade>> {
  return pagesOf<Upgrade>(connection, 'upgrades');
}

export function proposalsOf(connection: Connection): Promise<Listed<Proposal>> {
  return pagesOf<Proposal>(connection, 'proposals');
}

type Name = 'upgrades' | 'proposals';
type Key = string | number;
type Page<Row> = { readonly next: Key | null } & {
  readonly [K in Name]: readonly Row[];
};

/** All that a query of `programs` lists, page by page. */
async function pagesOf<Row>(connection: Connection, name: Name): Promise<Listed<Row>> {
  const pages: Answer<Page<Row>>[] = [];
  let after: Key | undefined;
  do {
    const page: Answer<Page<Row>> = await pageOf<Row>(connection, name, after);
    pages.push(page);
    after = page.result.next ?? undefined;
  } while (after !== undefined);
  return { rows: pages.flatMap(({ result }) => result[name]), ...togetherOf(pages) };
}

/** Where nodes are believed, what one makes up is no answer, and the next is asked. */
async function pageOf<Row>(
  connection: Connection,
  name: Name,
  after: Key | undefined,
): Promise<Answer<Page<Row>>> {
  const { client, signal, timeoutMs, verifies } = connection;
  const args = after === undefined ? {} : { after };
  if (verifies) {
    return client.query<Page<Row>>('programs', name, args, { patienceMs: timeoutMs, signal });
  }
  const request = reading(`/api/v11/programs/${name}`, args);
  const patience = { ms: timeoutMs, signal, refusals: 1 };
  return ask<Answer<Page<Row>>>(client.nodes, request, patience, (each) => {
    const taken = answerIn<Page<Row>>(each);
    const wrong = taken.kind === 'holds' ? faultIn(name, taken.value.result, after) : null;
    if (wrong === null) return taken;
    const error = new AlthingError('bad_answer', `its list of ${name} ${wrong}`);
    return { kind: 'unfit', error };
  });
}

function faultIn<Row>(name: Name, result: Page<Row>, after: Key | undefined): string | null {
  if (!Value.Check(programs.queryDefinitions[name].result, result)) return 'is none';
  const { next } = result;
  // Else a node that lies has us ask without end.
  const goesOn = after === undefined || next === null || next > after;
  return goesOn ? null : 'does not go on';
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
