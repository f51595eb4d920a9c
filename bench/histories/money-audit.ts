/**
 * What every node must say of the transfers when all is over: what a client was told is there, at the
 * place that it was told; what was refused is nowhere; of what nobody told, all nodes say the same; and
 * the accounts hold exactly what that adds up to.
 */
import { Pool } from 'undici';
import { OPENING, type Transfer } from './money.ts';

const CONNECTIONS = 8;
const VIOLATIONS_MAX = 20;

interface Found {
  readonly status: string;
  readonly height: number;
  readonly index: number;
}

/** Sentences, one for each violation, at most VIOLATIONS_MAX. */
export async function auditMoney(
  urls: readonly string[],
  accounts: readonly string[],
  transfers: readonly Transfer[],
): Promise<string[]> {
  const pools = urls.map((url) => new Pool(url, { connections: CONNECTIONS }));
  try {
    const happened: Transfer[] = [];
    const violations: string[] = [];
    const queue = transfers.values();
    const worker = async (): Promise<void> => {
      for (const transfer of queue) {
        const everywhere = await Promise.all(pools.map((pool) => find(pool, transfer.id)));
        violations.push(...wrongWith(transfer, everywhere));
        if (everywhere[0]?.status === 'ok') happened.push(transfer);
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, worker));
    const expected = balancesAfter(accounts, happened);
    for (const [node, pool] of pools.entries()) {
      violations.push(...(await wrongBalances(pool, node, expected)));
    }
    return violations.slice(0, VIOLATIONS_MAX);
  } finally {
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}

/** Null where a node knows of none. */
async function find(pool: Pool, id: string): Promise<Found | null> {
  const { statusCode, body } = await pool.request({
    method: 'GET',
    path: `/api/v11/transactions/${id}`,
  });
  const text = await body.text();
  if (statusCode === 404) return null;
  if (statusCode !== 200) throw new Error(`transaction ${id}: ${statusCode} ${text}`);
  const [found] = (JSON.parse(text) as { readonly receipts: readonly Found[] }).receipts;
  return { status: found!.status, height: found!.height, index: found!.index };
}

/** Sentences about one transfer, given what each node says of it. */
export function wrongWith(transfer: Transfer, everywhere: readonly (Found | null)[]): string[] {
  const { label, outcome, place } = transfer;
  const said = everywhere.map((found) =>
    found === null ? 'nothing' : `${found.status} at ${found.height}/${found.index}`,
  );
  const wrong = (what: string): string[] => [
    `transfer ${label} (${transfer.id}) ${what}; nodes say: ${said.join(', ')}`,
  ];
  if (new Set(said).size > 1) return wrong('is not the same everywhere');
  if (outcome === 'unknown') return [];
  if (outcome === 'refused') {
    return said[0] === 'nothing' ? [] : wrong('was refused, and happened');
  }
  const told = `${outcome} at ${place?.height}/${place?.index}`;
  return said[0] === told ? [] : wrong(`was answered ${told}`);
}

export function balancesAfter(
  accounts: readonly string[],
  happened: readonly Transfer[],
): ReadonlyMap<string, number> {
  const balances = new Map(accounts.map((account) => [account, OPENING]));
  for (const { from, to, amount } of happened) {
    balances.set(from, balances.get(from)! - amount);
    balances.set(to, balances.get(to)! + amount);
  }
  return balances;
}

async function wrongBalances(
  pool: Pool,
  node: number,
  expected: ReadonlyMap<string, number>,
): Promise<string[]> {
  const violations: string[] = [];
  for (const [account, balance] of expected) {
    const path = `/api/v11/ledger/accounts/${account}`;
    const { body } = await pool.request({ method: 'GET', path });
    const held = ((await body.json()) as { readonly balance?: string }).balance;
    if (held !== String(balance)) {
      violations.push(`account ${account} at node ${node}: ${held} instead of ${balance}`);
    }
  }
  return violations;
}
