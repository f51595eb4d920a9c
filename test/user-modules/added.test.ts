/** A module that nobody had is brought into a cluster that runs and is used, node by node. */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { getJson, type Cluster } from '../../bench/cluster.ts';
import { connect, generateKey } from '../../src/client/index.ts';
import { run as althing } from '../cli/program.ts';
import { settledJson } from '../node/settled.ts';
import { RAFFLE } from './files.ts';
import { clusterOf, reach, submit } from './running.ts';

interface HistoryPage {
  readonly height: number;
  readonly rows: readonly {
    readonly id: string;
    readonly command: string;
    readonly status: string;
    readonly error: string | null;
  }[];
}

/** Writes one key after the other, through whichever nodes answer, until it is told to stop. */
function using(cluster: Cluster): () => Promise<number> {
  let isOver = false;
  const written = (async () => {
    const client = await connect({ urls: cluster.urls, signer: generateKey() });
    for (let count = 0; ; count++) {
      if (isOver) return count;
      const { status } = await client.call('kv', 'set', {
        namespace: 'n',
        key: `${count}`,
        value: count,
      });
      if (status !== 'ok') throw new Error(`write ${count} failed`);
    }
  })();
  written.catch(() => undefined);
  return () => {
    isOver = true;
    return written;
  };
}

/** What the read model of a node lists, once it has come to the height. */
async function history(url: string, query: string, height: number): Promise<HistoryPage['rows']> {
  for (;;) {
    const page = await settledJson<HistoryPage>(`${url}/api/v11/history/transactions?${query}`);
    if (page.height > height) return page.rows;
    await pause(50);
  }
}

test('a new module comes into a running cluster, and all nodes run it alike', async (t) => {
  const cluster = await clusterOf(t, []);
  const { urls, folder } = cluster;
  const stop = using(cluster);
  const open = (node: number, raffle: string) =>
    submit(urls[node]!, 'raffle', 'open', { raffle, forMs: 600_000 });
  const isUnknown = async (node: number): Promise<void> => {
    t.is(((await open(node, 'early')) as unknown as { code: string }).code, 'unknown_module');
  };
  await isUnknown(0);

  const added = await althing(['module', 'add', RAFFLE, '--data', folder]);
  t.is(added.code, 0, added.stderr);
  for (let node = 0; node < cluster.size; node++) {
    t.is(await cluster.end(node), 0);
    await cluster.start([node]);
  }
  for (let node = 0; node < cluster.size; node++) await isUnknown(node);

  // Far enough to be approved before, although all this time keys are written as fast as they can be.
  const approving = ['module', 'approve', RAFFLE, '--at', '+300', '--data', folder];
  const approved = await althing([...approving, '--url', urls.join(','), '--json']);
  t.is(approved.code, 0, approved.stdout + approved.stderr);
  const { height, approvals } = JSON.parse(approved.stdout) as {
    height: number;
    approvals: readonly { status: string }[];
  };
  t.deepEqual(
    approvals.map(({ status }) => status),
    Array(4).fill('approved'),
  );
  await reach(urls, height + 1);
  t.true((await stop()) > 50, 'it was used all the while');

  const receipts = [];
  for (let node = 0; node < cluster.size; node++) {
    receipts.push(await open(node, `r${node}`));
    const other = urls[(node + 1) % cluster.size]!;
    receipts.push(await submit(other, 'raffle', 'enter', { raffle: `r${node}` }));
    receipts.push(await submit(other, 'raffle', 'enter', { raffle: 'none' }));
  }
  t.deepEqual(
    receipts.map(({ status, error }) => error?.code ?? status),
    Array.from({ length: 4 }, () => ['ok', 'ok', 'unknown_raffle']).flat(),
  );
  const last = Math.max(...receipts.map((receipt) => receipt.height));
  await reach(urls, last);
  await alike(
    cluster,
    receipts.map(({ id }) => `/api/v11/transactions/${id}`),
    t.is.bind(t),
  );
  await alike(
    cluster,
    [0, 1, 2, 3].map((n) => `/api/v11/raffle/raffle?raffle=r${n}`),
    t.is.bind(t),
  );
  for (const url of urls) {
    const document = JSON.stringify(await getJson(`${url}/openapi.json`));
    t.true(document.includes('/api/v11/raffle/raffle') && document.includes('raffle.enter'));
    const rows = await history(url, 'module=raffle', last);
    t.deepEqual(
      rows.map(({ id }) => id),
      receipts.map(({ id }) => id).toReversed(),
    );
    t.is((await history(url, 'command=raffle.open', last)).length, 4);
    const entered = await history(url, 'command=raffle.enter', last);
    t.deepEqual(
      entered.flatMap(({ error }) => error ?? []),
      Array(4).fill('unknown_raffle'),
    );
    t.is((await history(url, 'command=raffle.nothing', last)).length, 0);
  }
  const listed = await althing(['module', 'list', '--url', urls[0]!]);
  t.regex(listed.stdout, new RegExp(`${height}  raffle 1 .*active`));
  const genesis = join(folder, 'genesis.json');
  const row = ['get', 'row', 'raffle', 'raffles', 'r0', '--genesis', genesis];
  const verified = await althing([...row, '--url', urls.join(',')]);
  t.is(verified.code, 0, verified.stderr);

  // A node that starts anew executes all of it again.
  await cluster.end(2, 'SIGKILL');
  await cluster.start([2]);
  await reach(urls, last);
  await alike(
    cluster,
    receipts.map(({ id }) => `/api/v11/transactions/${id}`),
    t.is.bind(t),
  );
});

async function alike(
  { urls }: Cluster,
  paths: readonly string[],
  is: (actual: number, expected: number, message: string) => unknown,
): Promise<void> {
  for (const path of paths) {
    const answers = await Promise.all(urls.map((url) => settledJson<object>(`${url}${path}`)));
    is(new Set(answers.map((each) => JSON.stringify(each))).size, 1, path);
  }
}
