/** What must hold on every node once the dust has settled. */
import type { ExecutionContext } from 'ava';
import { getJson, type Cluster } from '../../bench/cluster.ts';
import { unready } from '../../bench/observer.ts';
import { executedBy, statusOf, type Load } from './load.ts';
import { settledJson } from './settled.ts';

interface Block {
  readonly digest: string;
  readonly executed: { readonly height: number; readonly stateRoot: string };
}

/** Every receipt is found on all nodes, once and alike; digests are equal, and every node is ready. */
export async function assertAgreement(
  t: ExecutionContext,
  cluster: Cluster,
  load: Load,
): Promise<void> {
  const ids = load.receipts.map(({ id }) => id);
  t.is(new Set(ids).size, ids.length, 'no receipt twice');
  t.true(load.receipts.every(({ status }) => status === 'ok'));
  const heights = load.receipts.map(({ height }) => height);
  const last = Math.max(...heights);
  const places = load.receipts.map(({ height, index }) => `${height}/${index}`);
  t.is(new Set(places).size, places.length, 'no place twice');
  for (let node = 0; node < cluster.size; node++) {
    await executedBy(cluster, node, last);
    await assertFound(t, cluster, node, load);
  }
  await assertSameChain(t, cluster);
  t.deepEqual(await unready(cluster), []);
}

async function assertFound(
  t: ExecutionContext,
  cluster: Cluster,
  node: number,
  load: Load,
): Promise<void> {
  const url = cluster.urls[node];
  for (const { id, height, index, status } of load.receipts) {
    const found = await settledJson<object>(`${url}/api/v11/transactions/${id}`);
    t.like(found, { id, height, index, status }, `${cluster.id(node)} on ${id}`);
  }
  for (const [account, balance] of load.balances()) {
    const found = await getJson<{ balance: string }>(`${url}/api/v11/ledger/accounts/${account}`);
    t.is(found.balance, String(balance), `${cluster.id(node)} on ${account}`);
  }
}

/** All nodes have the same blocks, and with them the same certified state. */
async function assertSameChain(t: ExecutionContext, cluster: Cluster): Promise<void> {
  const nodes = Array.from({ length: cluster.size }, (_, node) => node);
  const statuses = await Promise.all(nodes.map((node) => statusOf(cluster, node)));
  const common = Math.min(...statuses.map(({ executedHeight }) => executedHeight));
  const digests = async (height: number): Promise<Block[]> =>
    Promise.all(
      nodes.map((node) => getJson<Block>(`${cluster.urls[node]}/api/v11/blocks/${height}`)),
    );
  for (let height = 1; height <= common; height += Math.max(1, Math.floor(common / 20))) {
    t.is(new Set((await digests(height)).map(({ digest }) => digest)).size, 1, `at ${height}`);
  }
  const latest = await digests(common);
  t.is(new Set(latest.map(({ executed }) => JSON.stringify(executed))).size, 1);
  t.true(latest[0]!.executed.height > 0, 'a checkpoint was certified');
}
