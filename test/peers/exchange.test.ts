/** Peer networks over real sockets: W1 to W3 of network.ts and K1 to K3 of link.ts. */
import { connect, createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { PEER_CLASSES } from '../../src/peers/service.ts';
import { freePort } from '../../bench/free-port.ts';
import { createTestCluster, text, type Node, type TestCluster } from './cluster.ts';

async function startAll(cluster: TestCluster): Promise<Node[]> {
  const nodes: Node[] = [];
  for (let index = cluster.cluster.n - 1; index >= 0; index--) {
    nodes.unshift(await cluster.start(index));
  }
  for (const [self, { events }] of nodes.entries()) {
    for (const peer of nodes.keys()) {
      if (peer !== self) await events.next((e) => e.kind === 'connected' && e.peer === peer);
    }
  }
  return nodes;
}

test('four nodes connect to each other and exchange frames of both classes', async (t) => {
  const cluster = await createTestCluster(4);
  t.teardown(cluster.close);
  const nodes = await startAll(cluster);
  nodes.forEach(({ network }, self) => {
    t.deepEqual(
      network.connected(),
      [0, 1, 2, 3].filter((peer) => peer !== self),
    );
    network.broadcast('control', text(`vote of ${self}`));
    network.broadcast('data', text(`batch of ${self}`), Buffer.alloc(300_000, self + 1));
  });
  for (const [self, { events }] of nodes.entries()) {
    for (const peer of [0, 1, 2, 3].filter((other) => other !== self)) {
      const vote = await events.next((e) => e.peer === peer && e.text === `vote of ${peer}`);
      t.is(vote.body, undefined);
      const batch = await events.next((e) => e.peer === peer && e.text === `batch of ${peer}`);
      t.true(Buffer.alloc(300_000, peer + 1).equals(batch.body ?? Buffer.alloc(0)));
    }
  }
});

test('frames of one tick leave in one message and arrive in order (W2, W3)', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const [a, b] = await startAll(cluster);
  if (a === undefined || b === undefined) return t.fail();
  const sent = (): number => a.network.stats().links[0]?.sentMessages ?? 0;
  const before = sent();
  for (let i = 0; i < 1000; i++) a.network.send(1, 'control', text(`m${i}`));
  // The tick is over, and the answers to it have not come: a heartbeat is all that can be beside it.
  await new Promise(setImmediate);
  const messages = sent() - before;
  t.true(messages === 1 || messages === 2, `${messages} messages`);
  await b.events.next((e) => e.text === 'm999');
  const received = b.events.entries.filter((e) => e.kind === 'frame').map((e) => e.text);
  t.deepEqual(
    received,
    Array.from({ length: 1000 }, (_, i) => `m${i}`),
  );
});

test('a node that dies is noticed at once, and met again when it is back (W1)', async (t) => {
  const cluster = await createTestCluster(3);
  t.teardown(cluster.close);
  const [a, b, c] = await startAll(cluster);
  if (a === undefined || b === undefined || c === undefined) return t.fail();
  await b.network.close();
  await a.events.next((e) => e.kind === 'disconnected' && e.peer === 1);
  await c.events.next((e) => e.kind === 'disconnected' && e.peer === 1);
  t.deepEqual(a.network.connected(), [2]);
  a.network.send(1, 'control', text('lost: said again on reconnecting'));
  const again = await cluster.start(1);
  await again.events.next((e) => e.kind === 'connected' && e.peer === 0);
  await again.events.next((e) => e.kind === 'connected' && e.peer === 2);
  again.network.broadcast('control', text('back'));
  await a.events.next((e) => e.text === 'back');
  await c.events.next((e) => e.text === 'back');
  const story = a.events.entries.filter((e) => e.peer === 1 && e.kind !== 'frame');
  t.deepEqual(
    story.map((e) => e.kind),
    ['connected', 'disconnected', 'connected'],
  );
  t.false(again.events.entries.some((e) => e.text?.startsWith('lost')));
});

test('data sent while a peer is away waits for it, up to the bound, and the rest is counted (K1)', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const a = await cluster.start(0, { queueBytesMax: 1000 });
  for (let i = 0; i < 10; i++) a.network.send(1, 'data', text(`d${i}`), Buffer.alloc(290));
  const waiting = a.network.stats().links.find(({ peerClass }) => peerClass === 'data');
  t.is(waiting?.queuedFrames, 3);
  t.is(waiting?.droppedFrames, 7);
  const b = await cluster.start(1);
  await b.events.next((e) => e.text === 'd2');
  t.false(b.events.entries.some((e) => e.text === 'd3'));
});

test('a paused peer holds its sender within bounds, and nothing is lost when it resumes (K1, K2)', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const [a, b] = await startAll(cluster);
  if (a === undefined || b === undefined) return t.fail();
  b.network.pause(0, 'data');
  const body = Buffer.alloc(256 * 1024, 5);
  const bound = 32 * 1024 * 1024;
  let sent = 0;
  const data = (): { queuedBytes: number; droppedFrames: number } => {
    const link = a.network.stats().links.find(({ peerClass }) => peerClass === 'data');
    return link ?? { queuedBytes: 0, droppedFrames: 0 };
  };
  while (data().droppedFrames === 0) {
    a.network.send(1, 'data', text(`d${sent++}`), body);
    t.true(data().queuedBytes <= bound);
    if (sent % 8 === 0) await new Promise(setImmediate);
    // Without back-pressure the queue would drain into gRPC for ever.
    if (sent > 1000) return t.fail('nothing held the sender back');
  }
  a.network.send(1, 'control', text('votes pass by'));
  await b.events.next((e) => e.text === 'votes pass by');
  b.network.resume(0, 'data');
  await b.events.next((e) => e.text === `d${sent - 2}`);
  const received = b.events.entries.filter((e) => e.text?.startsWith('d'));
  t.is(received.length, sent - 1);
});

test('a sender is told when a frame can never be sent', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const a = await cluster.start(0);
  const tooLarge = Buffer.alloc(16 * 1024 * 1024);
  t.throws(() => a.network.send(1, 'data', text('x'), tooLarge), { instanceOf: RangeError });
  t.throws(() => a.network.send(0, 'data', text('x')), { message: /not a peer/ });
});

test('a taken port is refused with the address and the flag to change it', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const { network } = await cluster.start(0);
  const second = cluster.start(1, { listen: { host: '127.0.0.1', port: network.port } });
  const error = await t.throwsAsync(second);
  t.true(error?.message.includes(String(network.port)));
  t.true(error?.message.includes('--peer'));
});

test('a peer that comes up late is not called again by calls that were in vain', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const late = await cluster.start(1);
  let calls = 0;
  let connections = 0;
  const door = createServer((socket) => {
    connections++;
    const behind = connect(late.network.port, '127.0.0.1');
    socket.on('error', () => behind.destroy()).pipe(behind);
    behind.on('error', () => socket.destroy()).pipe(socket);
  });
  const port = await freePort();
  const caller = await cluster.start(0, {
    addressOf: () => {
      calls++;
      return `127.0.0.1:${port}`;
    },
  });
  while (calls < 3 * PEER_CLASSES.length) await pause(10);
  const inVain = calls;
  door.listen(port, '127.0.0.1');
  t.teardown(() => door.close());
  await caller.events.next((e) => e.kind === 'connected');
  // Heartbeats tell the time: longer than gRPC waits before it tries a failed connection again.
  const before = caller.network.stats().links[0]?.sentMessages ?? 0;
  while ((caller.network.stats().links[0]?.sentMessages ?? 0) < before + 4) await pause(10);
  // Those that were under way, and where answers take long, further calls.
  const expected = PEER_CLASSES.length + calls - inVain;
  t.true(connections >= PEER_CLASSES.length);
  t.true(connections <= expected, `${connections} connections, ${expected} calls`);
});
