/** What the observer says of nodes that are played here. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { Cluster } from '../../bench/cluster.ts';
import { agreement } from '../../bench/observer.ts';

const STATUS = { commitIndex: 7, executedHeight: 7, certifiedHeight: 7 };
const BLOCK = {
  height: 7,
  digest: 'd',
  executed: { height: 6, stateRoot: 's', receiptsRoot: 'r' },
};

/** Two nodes that agree; of the first, `readiness` is asked each time what it answers. */
async function nodes(t: ExecutionContext, readiness: () => number): Promise<Cluster> {
  const play = async (ready: () => number): Promise<string> => {
    const server = createServer((request, response) => {
      if (request.url === '/readyz') response.writeHead(ready()).end('[-]log DOWN');
      else response.end(JSON.stringify(request.url === '/api/v11/blocks/7' ? BLOCK : STATUS));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.teardown(() => server.close());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const urls = await Promise.all([play(readiness), play(() => 200)]);
  return { urls, size: 2, id: (node: number) => `node-${node}` } as unknown as Cluster;
}

test('nodes that agree and are ready, now or a little later, break nothing', async (t) => {
  let asked = 0;
  const cluster = await nodes(t, () => (++asked < 3 ? 503 : 200));
  t.deepEqual((await agreement(cluster)).violations, []);
  t.is(asked, 3);
});

test('a node that agrees and stays unready is a violation, with what it says', async (t) => {
  const cluster = await nodes(t, () => 503);
  const { violations } = await agreement(cluster, 300);
  t.is(violations.length, 1);
  t.true(violations[0]!.includes(`${cluster.urls[0]} is ready`), violations[0]);
  t.regex(violations[0]!, /503.*\[-\]log DOWN/);
});
