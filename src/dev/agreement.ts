/** Whether all nodes tell the same story: the same block, and balances that add up. */
import { setTimeout as pause } from 'node:timers/promises';
import type { NodePlan } from './plan.ts';
import { fetchStatuses } from './status.ts';

const PATIENCE_MS = 15_000;
const POLL_MS = 50;

/** Resolves when every node has executed up to `height`. Rejects when one does not get there. */
export async function awaitHeight(
  nodes: readonly NodePlan[],
  height: number,
  stop: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const statuses = await fetchStatuses(nodes);
    const behind = nodes.filter((_, at) => (statuses[at]?.executedHeight ?? -1) < height);
    if (behind.length === 0) return;
    if (Date.now() > deadline) {
      throw new Error(`${behind.map(({ id }) => id).join(', ')} did not reach height ${height}`);
    }
    await pause(POLL_MS, undefined, { signal: stop });
  }
}

/** Digest of the final block at `height`, the same on all nodes. Throws when it is not. */
export async function commonBlock(nodes: readonly NodePlan[], height: number): Promise<string> {
  const path = `/api/v11/blocks/${height}`;
  const blocks = await Promise.all(
    nodes.map(async (node) => (await getJson(node, path)) as { readonly digest: string }),
  );
  const digests = new Set(blocks.map(({ digest }) => digest));
  const [digest = ''] = digests;
  if (digests.size === 1) return digest;
  throw new Error(`nodes differ at height ${height}: ${[...digests].join(', ')}`);
}

/** Sum of the balances of `accounts` at one node. */
export async function totalOf(node: NodePlan, accounts: readonly string[]): Promise<bigint> {
  const balances = await Promise.all(
    accounts.map(async (account) => {
      const found = (await getJson(node, `/api/v11/ledger/accounts/${account}`)) as {
        readonly balance: string;
      };
      return BigInt(found.balance);
    }),
  );
  return balances.reduce((sum, balance) => sum + balance, 0n);
}

async function getJson(node: NodePlan, path: string): Promise<unknown> {
  const response = await fetch(`${node.url}${path}`);
  if (response.ok) return response.json();
  throw new Error(`${node.url}${path}: ${response.status} ${await response.text()}`);
}
