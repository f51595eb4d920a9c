/** The NGINX edge before real HTTP and gRPC ports of ours, and before servers that fail. */
import { credentials } from '@grpc/grpc-js';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { start as startGrpc, TestClient } from '../grpc/start.ts';
import { BINDINGS, start as startHttp } from '../http/start.ts';
import { API_TOKEN } from '../http/test-node.ts';
import { CLOSED_PORT, NGINX, request, TestEdge } from './edge.ts';

const edgeTest =
  NGINX === null
    ? (title: string) => test.skip(`${title} (install Debian's package nginx-light)`, () => {})
    : test;

const four = (port: number): readonly number[] => [port, port, port, port];

interface Stub {
  readonly port: number;
  /** `METHOD path` of everything that came. */
  readonly seen: readonly string[];
}

/** Takes each request whole; then answers it, or breaks the connection. */
async function startStub(t: ExecutionContext, does: 'answer' | 'break'): Promise<Stub> {
  const seen: string[] = [];
  const server = createServer((message, response) => {
    message.resume().on('end', () => {
      seen.push(`${message.method} ${message.url}`);
      if (does === 'answer') response.end('done');
      else message.socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

for (const binding of BINDINGS) {
  edgeTest(`${binding}: a client reads and writes over HTTP/2 and TLS 1.3`, async (t) => {
    const { http } = await startHttp(t, binding);
    const edge = await TestEdge.start(t, { http: four(http.port) });
    const session = edge.session(t);
    const health = await request(session, 'GET', '/health');
    t.is(session.alpnProtocol, 'h2');
    t.is((session.socket as unknown as { getProtocol(): string }).getProtocol(), 'TLSv1.3');
    t.is(health.status, 200);
    t.is(health.headers['x-althing-node'], 'validator-1');
    // Without a length: nginx hands it on in chunks.
    const written = await request(session, 'PUT', '/api/v11/kv/demo/greeting', {
      headers: { authorization: `Bearer ${API_TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify('x'.repeat(10_000)),
    });
    t.is(written.status, 200, written.body);
    const read = await request(session, 'GET', '/api/v11/kv/demo/greeting');
    t.true(read.body.includes('x'.repeat(10_000)));
    t.is((await request(session, 'GET', '/metrics')).status, 404);
  });
}

edgeTest('a client that knows no newer TLS than 1.2 is served too', async (t) => {
  const edge = await TestEdge.start(t, {});
  const socket = edge.connect('TLSv1.2');
  await once(socket, 'secureConnect');
  t.is(socket.getProtocol(), 'TLSv1.2');
  t.is(socket.alpnProtocol, 'h2');
  socket.destroy();
});

edgeTest('gRPC passes through, calls and streams', async (t) => {
  const { grpc } = await startGrpc(t);
  const edge = await TestEdge.start(t, { grpc: four(grpc.port) });
  const trusted = credentials.createSsl(Buffer.from(edge.caPem));
  const address = `unix:${edge.socket}`;
  const health = new TestClient(t, address, 'grpc.health.v1.Health', trusted);
  t.like(await health.call('Check', { service: '' }), { status: 'SERVING' });
  const watch = health.watch('Watch', { service: 'althing.v1.Transactions' });
  t.like(await watch.next(), { value: { status: 'SERVING' } });
  grpc.drain();
  t.like(await watch.next(), { value: { status: 'NOT_SERVING' } });
  watch.cancel();
  const consensus = new TestClient(t, address, 'althing.v1.Consensus', trusted);
  t.like(await consensus.call('Status', {}), { nodeId: 'validator-1' });
});

for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
  edgeTest(`a ${method} that a node took and did not answer is not sent again`, async (t) => {
    const broken = await startStub(t, 'break');
    const edge = await TestEdge.start(t, { http: four(broken.port) });
    const answer = await request(edge.session(t), method, '/write', { body: '{}' });
    t.is(answer.status, 502);
    t.deepEqual(broken.seen, [`${method} /write`]);
  });
}

edgeTest('a GET that a node took and did not answer goes to another', async (t) => {
  const broken = await startStub(t, 'break');
  const good = await startStub(t, 'answer');
  const edge = await TestEdge.start(t, { http: [broken.port, broken.port, good.port, good.port] });
  const session = edge.session(t);
  for (let times = 0; times < 8; times++) {
    t.is((await request(session, 'GET', '/read')).status, 200);
  }
  t.true(broken.seen.length > 0);
  t.is(good.seen.length, 8);
});

edgeTest('a write goes to another node while the first refuses the connection', async (t) => {
  const good = await startStub(t, 'answer');
  const edge = await TestEdge.start(t, {
    http: [CLOSED_PORT, CLOSED_PORT, CLOSED_PORT, good.port],
  });
  const session = edge.session(t);
  for (let times = 0; times < 4; times++) {
    t.is((await request(session, 'POST', '/write?wait=accepted', { body: '{}' })).status, 200);
  }
  t.deepEqual(good.seen, Array(4).fill('POST /write?wait=accepted'));
});

edgeTest('four nodes share the requests', async (t) => {
  const stubs = await Promise.all([0, 1, 2, 3].map(() => startStub(t, 'answer')));
  const edge = await TestEdge.start(t, { http: stubs.map(({ port }) => port) });
  const session = edge.session(t);
  for (let times = 0; times < 40; times++) await request(session, 'GET', '/');
  t.deepEqual(
    stubs.map(({ seen }) => seen.length),
    [10, 10, 10, 10],
  );
});
