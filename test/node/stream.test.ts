/** The stream of four real processes under load, one of which is killed. */
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Cluster } from '../../bench/cluster.ts';
import { newFolder } from '../folder.ts';
import { open, TRANSPORTS, type Message, type StreamClient } from '../stream/clients.ts';
import { Load } from './load.ts';

const PATH = '/api/v11/stream?blocks=1&transactions=1';

const items = (messages: readonly Message[]): readonly Message[] =>
  messages.filter(({ kind }) => kind !== 'progress' && kind !== 'closed');

// S3, S4, S7
test('a reader that is cut off again and again, by clients and by nodes, reads what every node tells', async (t) => {
  const cluster = await Cluster.create({ folder: newFolder('stream'), nodes: 4 });
  t.teardown(() => cluster.close());
  await cluster.start();
  const load = await new Load(cluster).start();
  const { urls } = cluster;
  const read: Message[] = [];
  let last = '0';
  const follow = async (node: number, at: number, count: number): Promise<void> => {
    const headers = { 'last-event-id': last };
    const client = await open(TRANSPORTS[at % 2]!, urls[node]!, PATH, { headers });
    await enough(client, count);
    client.cut();
    read.push(...items(client.messages));
    last = client.messages.findLast(({ id }) => id !== undefined)?.id ?? last;
  };
  await load.more(20);
  for (let at = 0; at < 8; at++) await follow(at % 4, at, 1 + 5 * at);
  const doomed = follow(1, 0, 1_000_000);
  await load.more(10);
  cluster.kill(1, 'SIGKILL');
  await doomed;
  await follow(2, 1, 40);
  await cluster.start([1]);
  await follow(1, 0, 40);
  await load.stop();
  const end = Math.max(...load.receipts.map(({ height }) => height));
  for (const [node, url] of urls.entries()) {
    const client = await open('events', url, `${PATH}&from=1`);
    await client.first(({ height }) => height! > end);
    client.cut();
    const all = items(client.messages);
    t.deepEqual(read, all.slice(0, read.length), `node ${node}`);
    const told = new Set(all.map(({ transaction }) => transaction));
    for (const { id } of load.receipts) t.true(told.has(id), `node ${node}: ${id}`);
    const heights = all.filter(({ kind }) => kind === 'block').map(({ height }) => height);
    t.deepEqual(
      heights,
      heights.map((_, at) => at + 1),
    );
  }
});

/** Until so many items have come, or its node has gone. */
async function enough(client: StreamClient, count: number): Promise<void> {
  let isOver = false;
  void client.ended.then(() => (isOver = true));
  while (!isOver && items(client.messages).length < count) await pause(5);
}
