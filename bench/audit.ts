/**
 * What a client that got answers may demand of every node:
 *
 * - each submission that was answered 200 is found there, at the place that the answer named, with
 *   the same receipts as on every other node, and no two of them share a place;
 * - every account holds what it must if each answered transfer happened exactly once: a lost or a
 *   doubled one shows in a balance.
 */
import { Pool } from 'undici';
import type { SubmissionOutcomes } from '../protocols/messages.ts';
import { OPENING_BALANCE, transfersOf, type Workload } from './workload.ts';

const CONNECTIONS = 8;
const VIOLATIONS_MAX = 20;

export interface Answered {
  /** Number of the submission in its workload. */
  readonly at: number;
  readonly receipts: Pick<SubmissionOutcomes, 'id' | 'height' | 'index'>;
}

export interface AuditInput {
  readonly urls: readonly string[];
  readonly workload: Workload;
  readonly txPerSubmission: number;
  readonly answered: readonly Answered[];
  /** Submissions that were given up: whether they happened is not known, and so no balance is. */
  readonly givenUp: number;
}

/** Sentences, one for each violation, at most VIOLATIONS_MAX; none when all is well. */
export async function audit(input: AuditInput): Promise<string[]> {
  const pools = input.urls.map((url) => new Pool(url, { connections: CONNECTIONS }));
  try {
    const found = await inParallel(input.answered, (each) => checkSubmission(pools, each));
    const balances = input.givenUp === 0 ? [...expectedBalances(input)] : [];
    const held = await inParallel(balances, ([account, balance]) =>
      checkBalance(pools, account, balance),
    );
    return [...sharedPlaces(input.answered), ...found, ...held].slice(0, VIOLATIONS_MAX);
  } finally {
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}

async function checkSubmission(pools: readonly Pool[], { receipts }: Answered): Promise<string[]> {
  const { id, height, index } = receipts;
  const answers = await Promise.all(pools.map((pool) => get(pool, `/api/v11/transactions/${id}`)));
  const missing = answers.flatMap(({ status, text }, node) =>
    status === 200 ? [] : [`submission ${id}: node ${node} says ${status} ${text.slice(0, 200)}`],
  );
  if (missing.length > 0) return missing;
  const [first] = answers;
  const place = placeIn(first?.text ?? '');
  if (place !== `${height}/${index}`) {
    return [`submission ${id}: answered at ${height}/${index}, found at ${place}`];
  }
  return answers.flatMap(({ text }, node) =>
    text === first?.text ? [] : [`submission ${id}: node ${node} has other receipts than node 0`],
  );
}

function placeIn(text: string): string {
  const { receipts } = JSON.parse(text) as {
    readonly receipts: readonly { readonly height: number; readonly index: number }[];
  };
  return `${receipts[0]?.height}/${receipts[0]?.index}`;
}

function sharedPlaces(answered: readonly Answered[]): string[] {
  const places = new Map<string, string>();
  return answered.flatMap(({ receipts: { id, height, index } }) => {
    const place = `${height}/${index}`;
    const other = places.get(place);
    places.set(place, id);
    return other === undefined ? [] : [`submissions ${other} and ${id} are both at ${place}`];
  });
}

function expectedBalances({
  workload,
  txPerSubmission,
  answered,
}: AuditInput): Map<string, number> {
  const accounts = workload.clients.flatMap((client) => client.accounts);
  const balances = new Map(accounts.map((account) => [account, OPENING_BALANCE]));
  for (const { at } of answered) {
    for (const { from, to, amount } of transfersOf(workload, at, txPerSubmission)) {
      balances.set(from, balances.get(from)! - amount);
      balances.set(to, balances.get(to)! + amount);
    }
  }
  return balances;
}

async function checkBalance(
  pools: readonly Pool[],
  account: string,
  balance: number,
): Promise<string[]> {
  const answers = await Promise.all(
    pools.map((pool) => get(pool, `/api/v11/ledger/accounts/${account}`)),
  );
  return answers.flatMap(({ status, text }, node) => {
    const held = status === 200 ? (JSON.parse(text) as { balance: string }).balance : `${status}`;
    return held === String(balance)
      ? []
      : [`account ${account} at node ${node}: ${held} instead of ${balance}`];
  });
}

async function get(pool: Pool, path: string): Promise<{ status: number; text: string }> {
  const { statusCode, body } = await pool.request({ method: 'GET', path });
  return { status: statusCode, text: await body.text() };
}

async function inParallel<T>(
  items: readonly T[],
  check: (item: T) => Promise<string[]>,
): Promise<string[]> {
  const violations: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) violations.push(...(await check(items[next++]!)));
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, worker));
  return violations;
}
