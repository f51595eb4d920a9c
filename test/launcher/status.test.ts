/** What the launcher learns from a node, played here. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { planCluster, type NodePlan } from '../../src/dev/plan.ts';
import { askNode } from '../../src/dev/status.ts';

async function node(t: ExecutionContext, answer: RequestListener): Promise<NodePlan> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { ...planCluster('data').nodes[0]!, url: `http://127.0.0.1:${port}` };
}

test('a node tells its status and whether it is ready', async (t) => {
  const status = { state: 'FOLLOWER' };
  let ready = true;
  const plan = await node(t, ({ url }, response) => {
    if (url !== '/readyz') return response.end(JSON.stringify(status));
    return response.writeHead(ready ? 200 : 503).end(ready ? 'ok\n' : '[-]log DOWN\nnot ok\n');
  });
  // Asked again where this process stood still for as long as a node has for its answer.
  const answers = async (): Promise<object> => {
    const { status: told, failed } = await askNode(plan);
    return told === null || failed.includes('no answer') ? answers() : { status: told, failed };
  };
  t.deepEqual(await answers(), { status, failed: [] });
  ready = false;
  t.deepEqual(await answers(), { status, failed: ['log'] });
});

test('a node that cuts every connection has no status and is not ready', async (t) => {
  const plan = await node(t, ({ socket }) => socket.destroy());
  t.deepEqual(await askNode(plan), { status: null, failed: ['no answer'] });
});
