/**
 * Answers of nodes, held against the genesis document. A node that cannot prove what it says is passed
 * over for the next one. A node can answer as of an older height than it might, which the height tells.
 */
import { fromHex, isHex } from '../../protocols/bytes.ts';
import {
  verifyProof,
  verifyReceiptProof,
  verifyRowProof,
  type Fact,
} from '../../protocols/proofs/verify.ts';
import {
  ModuleRefusal,
  type QueryContext,
  type ReadTable,
} from '../../protocols/transaction/module.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import type { Digest } from '../../protocols/types.ts';
import { AlthingError } from '../client/errors.ts';
import { problemOf, type NodeAnswer } from '../client/nodes.ts';
import type { Submitted } from '../client/submitter.ts';
import type { DefinedModule } from '../modules/define.ts';
import type { Connection } from './connection.ts';

/** No node proved what it says. */
export class NotProved extends AlthingError {
  constructor(code: string, message: string) {
    super(code, `not proved: ${message}`);
  }
}

export interface Proved<T> {
  /** The executed height as of which it is so. */
  readonly height: number;
  readonly value: T;
}

type Checked<T> = { readonly ok: true; readonly value: Proved<T> } | Fault;
interface Fault {
  readonly ok: false;
  readonly code: string;
  readonly message: string;
}

/** The first answer that holds. Throws NotProved, or what the nodes refuse. */
async function proved<T>(
  { client, signal }: Connection,
  path: string,
  check: (proof: Uint8Array) => Checked<T>,
): Promise<Proved<T>> {
  const failed = new Map<number, AlthingError>();
  for await (const node of client.nodes.turns(signal)) {
    if (failed.has(node)) continue;
    const headers = { accept: 'application/json' };
    const answer = await client.nodes.ask(node, { method: 'GET', path, headers }, signal);
    if (answer === null || answer.status >= 500 || answer.status === 429) continue;
    const proof = proofIn(answer);
    const checked = proof === null ? null : check(proof);
    if (checked?.ok === true) return checked.value;
    const { url, fault } = { url: client.nodes.urls[node]!, fault: checked };
    failed.set(node, fault === null ? unproved(answer, url) : refuted(fault, url));
    if (failed.size === client.nodes.count) throw [...failed.values()][0]!;
  }
  throw signal.reason;
}

/** What a node refuses without a proof: what was asked is no question, or there is no proof of it. */
function unproved(answer: NodeAnswer, url: string): AlthingError {
  if (answer.status >= 400) return problemOf(answer);
  return new NotProved('no_proof', `${url} answered without a proof`);
}

function refuted({ code, message }: Fault, url: string): NotProved {
  return new NotProved(code, `what ${url} answered does not hold (${code}): ${message}`);
}

function proofIn({ body }: NodeAnswer): Uint8Array | null {
  try {
    const json = JSON.parse(new TextDecoder().decode(body)) as { proof?: unknown } | null;
    const hex = json?.proof;
    return typeof hex === 'string' && isHex(hex, hex.length / 2) ? fromHex(hex) : null;
  } catch {
    return null;
  }
}

export async function provenReceipts(
  connection: Connection,
  { id }: Pick<Submitted, 'id'>,
): Promise<Submitted> {
  const path = `/api/v11/transactions/${id}?proof=1`;
  const { value } = await proved(connection, path, (proof): Checked<Submitted> => {
    const verified = verifyReceiptProof(connection.trusted!, proof, id);
    if (!verified.ok) return verified;
    const { receipts, certified } = verified;
    const height = certified.executed.height;
    return { ok: true, value: { height, value: submittedOf(id, receipts) } };
  });
  return value;
}

function submittedOf(id: Digest, receipts: readonly Receipt[]): Submitted {
  return { id, height: receipts[0]?.height ?? 0, receipts };
}

/** Undefined where it is proved that there is no such row. */
export function provenRow(
  connection: Connection,
  path: string,
  wanted: { readonly table: string; readonly key: string },
): Promise<Proved<Value | undefined>> {
  return proved(connection, path, (proof) => {
    const verified = verifyRowProof(connection.trusted!, proof, wanted);
    if (!verified.ok) return verified;
    const { row, certified } = verified;
    return { ok: true, value: { height: certified.executed.height, value: row } };
  });
}

/** What a module's query says of rows that are proved: it is run here, over nothing else. */
export function provenResult(
  connection: Connection,
  path: string,
  module: DefinedModule,
  query: string,
  args: Value,
): Promise<Proved<Value | ModuleRefusal>> {
  return proved(connection, path, (proof) => {
    const verified = verifyProof(connection.trusted!, proof);
    if (!verified.ok) return verified;
    const { executed, block } = verified.certified;
    const { height } = executed;
    const tables = tablesOf(module, verified.facts);
    const context: QueryContext = { time: block.timestamp, height, tables };
    try {
      const value = module.queries.get(query)!.run(context, args);
      return { ok: true, value: { height, value } };
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      return { ok: false, code: 'not_claimed', message: error.message };
    }
  });
}

class Missing extends Error {}

function tablesOf(module: DefinedModule, facts: readonly Fact[]): QueryContext['tables'] {
  const entries = module.tables.map(({ name }) => {
    return [name, provenTable(`${module.name}/${name}`, facts)] as const;
  });
  return Object.fromEntries(entries);
}

function provenTable(table: string, facts: readonly Fact[]): ReadTable {
  const rows = new Map<string, Value | undefined>();
  for (const fact of facts) {
    if (fact.kind === 'receipts' || fact.table !== table) continue;
    rows.set(fact.key, fact.kind === 'row' ? fact.row : undefined);
  }
  const page = (): never => {
    throw new Missing(
      'no proof shows that a list is complete: ask for single things, or without --genesis',
    );
  };
  return {
    get(key) {
      if (rows.has(key)) return rows.get(key);
      throw new Missing(`nothing is proved of ${key} in ${table}`);
    },
    page,
    pageBy: page,
  };
}
