/** What the peer port refuses, and that the log says who, with what and why (rule M3, A1 to A3). */
import {
  Client,
  credentials,
  type ClientDuplexStream,
  type Metadata,
  type StatusObject,
} from '@grpc/grpc-js';
import test from 'ava';
import { once } from 'node:events';
import { connect as connectTcp, Server } from 'node:net';
import { connect as connectTls, createSecureContext, type ConnectionOptions } from 'node:tls';
import { generateKey } from '../../src/crypto/keys.ts';
import { createAuthority } from '../../src/init/certificates.ts';
import { opening, passThrough, PATHS } from '../../src/peers/service.ts';
import { createTestCluster, text, type Node, type Pems, type TestCluster } from './cluster.ts';

const refusals = (node: Node, reason: RegExp) =>
  node.log.next(
    ({ message, fields }) =>
      message === 'peer connection refused' && reason.test(String(fields['reason'])),
  );

function tlsTo(node: Node, cluster: TestCluster, pems: Pems | null, more: ConnectionOptions = {}) {
  const socket = connectTls({
    host: '127.0.0.1',
    port: node.network.port,
    ca: cluster.ca.certificatePem,
    checkServerIdentity: () => undefined,
    ALPNProtocols: ['h2'],
    servername: 'node',
    ...(pems === null ? {} : { key: pems.key, cert: pems.crt }),
    ...more,
  });
  socket.on('error', () => {});
  return socket;
}

/** A gRPC client with these keys, which says what a peer would say, or something else. */
function call(
  node: Node,
  cluster: TestCluster,
  pems: Pems,
  metadata: Metadata,
  path = PATHS.control,
) {
  const context = createSecureContext({
    key: pems.key,
    cert: pems.crt,
    ca: cluster.ca.certificatePem,
  });
  const channel = credentials.createFromSecureContext(context, {
    checkServerIdentity: () => undefined,
  });
  const client = new Client(`dns:127.0.0.1:${node.network.port}`, channel, {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.ssl_target_name_override': 'node',
  });
  const stream: ClientDuplexStream<Buffer, Buffer> = client.makeBidiStreamRequest(
    path,
    passThrough,
    passThrough,
    metadata,
    {},
  );
  stream.on('error', () => {});
  stream.resume();
  const ended = new Promise<StatusObject>((resolve) => {
    stream.once('status', (status: StatusObject) => {
      client.close();
      resolve(status);
    });
  });
  return { stream, ended };
}

function pemsOf(cluster: TestCluster, index: number): Pems {
  const pems = cluster.pems[index];
  if (pems === undefined) throw new RangeError(`no validator ${index}`);
  return pems;
}

test("a stranger's certificate is refused, and the log names address, fingerprint and reason", async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  const foreign = await createAuthority('foreign', generateKey().pem, Date.UTC(2026, 0, 1));
  const socket = tlsTo(node, cluster, await cluster.pemsFor('node-0', foreign));
  const { fields } = await refusals(node, /certificate not accepted/);
  t.regex(String(fields['address']), /^127\.0\.0\.1:\d+$/);
  t.regex(String(fields['fingerprint']), /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
  await once(socket, 'close');
  t.deepEqual(node.network.connected(), []);
});

test("the cluster's own CA is not enough: the key must be a validator's (A3)", async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  tlsTo(node, cluster, await cluster.pemsFor('node-0'));
  const { fields } = await refusals(node, /carries no validator key/);
  t.truthy(fields['fingerprint']);
});

test("a validator's key under a foreign CA is refused", async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  const foreign = await createAuthority('foreign', generateKey().pem, Date.UTC(2026, 0, 1));
  tlsTo(node, cluster, await cluster.pemsFor('node-0', foreign, pemsOf(cluster, 0).key));
  await t.notThrowsAsync(refusals(node, /certificate not accepted/));
});

/** The server that listens there, in this process. */
function serverAt(port: number): Server | undefined {
  const { _getActiveHandles: handles } = process as unknown as { _getActiveHandles(): unknown[] };
  return handles.call(process).find((handle): handle is Server => {
    const address = handle instanceof Server ? handle.address() : null;
    return typeof address === 'object' && address?.port === port;
  });
}

test('a connection that the system cannot give is a line in the log, however often', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  for (let times = 0; times < 3; times++) {
    serverAt(node.network.port)?.emit('error', new Error('accept EMFILE'));
    await t.notThrowsAsync(refusals(node, /could not be accepted: accept EMFILE/));
  }
});

test('a client without a certificate is refused', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  tlsTo(node, cluster, null);
  const { fields } = await refusals(node, /no client certificate/);
  t.is(fields['fingerprint'], null);
});

test('TLS 1.2 is refused', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  tlsTo(node, cluster, pemsOf(cluster, 0), { maxVersion: 'TLSv1.2', minVersion: 'TLSv1.2' });
  await t.notThrowsAsync(refusals(node, /older than TLS 1\.3/));
});

test('plain text is refused, be it HTTP or noise', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  for (const first of [
    'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\0\0\0',
  ]) {
    const refused = node.network.stats().refused;
    const socket = connectTcp(node.network.port, '127.0.0.1', () => socket.end(first));
    socket.on('error', () => {});
    socket.resume();
    await once(socket, 'close');
    t.is(node.network.stats().refused, refused + 1, first);
  }
});

test('a connection that never starts or never finishes its handshake is cut', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  const silent = connectTcp(node.network.port, '127.0.0.1');
  silent.resume();
  const halfway = connectTcp(node.network.port, '127.0.0.1', () =>
    halfway.write(Buffer.from('1603010200010001fc0303', 'hex')),
  );
  halfway.resume();
  const authenticated = tlsTo(node, cluster, pemsOf(cluster, 0));
  authenticated.resume();
  await Promise.all([once(silent, 'close'), once(halfway, 'close'), once(authenticated, 'close')]);
  await refusals(node, /not finished in time/);
  await t.notThrowsAsync(refusals(node, /opened no stream in time/));
});

test('strangers that only knock cannot fill the port for validators (A2)', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  const sockets = Array.from({ length: 40 }, () => connectTcp(node.network.port, '127.0.0.1'));
  for (const socket of sockets) socket.on('error', () => {}).resume();
  await refusals(node, /too many connections/);
  for (const socket of sockets) socket.destroy();
  const peer = await cluster.start(0);
  await t.notThrowsAsync(peer.events.next((e) => e.kind === 'connected'));
});

test("a validator's certificate in another validator's place is refused", async (t) => {
  const cluster = await createTestCluster(3);
  t.teardown(cluster.close);
  const node = await cluster.start(2);
  const { ended } = call(node, cluster, pemsOf(cluster, 0), opening(cluster.cluster.id, 1));
  const status = await ended;
  t.regex(status.details, /speaks for validator 1 with the key of validator 0/);
  const { fields } = await refusals(node, /with the key of validator 0/);
  t.truthy(fields['fingerprint']);
  t.deepEqual(node.network.connected(), []);
});

test('a dialled peer that shows another key than the genesis names is refused', async (t) => {
  const cluster = await createTestCluster(3);
  t.teardown(cluster.close);
  await cluster.start(2);
  cluster.ports[1] = cluster.ports[2];
  const node = await cluster.start(0);
  await node.events.next((e) => e.kind === 'connected' && e.peer === 2);
  const { fields } = await node.log.next(({ fields: f }) =>
    /key of node-1/.test(String(f['reason'])),
  );
  t.is(fields['peer'], 'node-1');
  t.deepEqual(node.network.connected(), [2]);
});

test('another cluster is refused on both sides with a reason that says what to compare', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  const other = await cluster.start(0, {
    cluster: { ...cluster.cluster, id: '2'.repeat(64) as typeof cluster.cluster.id },
  });
  await refusals(node, /compare genesis\.json/);
  await other.log.next(({ fields }) => /compare genesis\.json/.test(String(fields['reason'])));
  t.deepEqual(node.network.connected(), []);
  t.deepEqual(other.network.connected(), []);
});

test('the higher index does not dial (A1), and unknown channel versions are refused', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(0);
  const higher = call(node, cluster, pemsOf(cluster, 1), opening(cluster.cluster.id, 1));
  t.regex((await higher.ended).details, /lower index calls/);
  const callee = await cluster.start(1);
  await callee.events.next((e) => e.kind === 'connected');
  const metadata = opening(cluster.cluster.id, 0);
  metadata.set('althing-channel', '9');
  const { ended } = call(callee, cluster, pemsOf(cluster, 0), metadata);
  t.regex((await ended).details, /channel version 9/);
  t.deepEqual(callee.network.connected(), [0], 'the good stream is untouched');
});

test('garbage after the handshake closes that stream alone, and is reported as a fault', async (t) => {
  const cluster = await createTestCluster(3);
  t.teardown(cluster.close);
  const node = await cluster.start(2);
  const good = await cluster.start(1);
  await good.events.next((e) => e.kind === 'connected' && e.peer === 2);
  const bad = call(node, cluster, pemsOf(cluster, 0), opening(cluster.cluster.id, 0));
  bad.stream.write(Buffer.alloc(0));
  await node.events.next((e) => e.kind === 'connected' && e.peer === 0);
  bad.stream.write(Buffer.from('0000000501', 'hex'));
  const fault = await node.events.next((e) => e.kind === 'fault');
  t.is(fault.peer, 0);
  await node.events.next((e) => e.kind === 'disconnected' && e.peer === 0);
  t.regex((await bad.ended).details, /broke the framing/);
  await node.events.next(({ kind }) => kind === 'fault');
  good.network.send(2, 'control', text('still here'));
  await node.events.next((e) => e.text === 'still here');
  t.deepEqual(node.network.connected(), [1]);
});

test('a message beyond the limit ends its stream and costs no memory', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  const { stream, ended } = call(node, cluster, pemsOf(cluster, 0), opening(cluster.cluster.id, 0));
  stream.write(Buffer.alloc(18 * 1024 * 1024));
  t.regex((await ended).details, /larger than max/);
  t.is(node.network.stats().links[0]?.receivedBytes, 0);
});

test('a newer stream of a peer replaces the older one, and the node hears of both (W1)', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  const first = call(node, cluster, pemsOf(cluster, 0), opening(cluster.cluster.id, 0));
  first.stream.write(Buffer.alloc(0));
  await node.events.next((e) => e.kind === 'connected');
  const second = call(node, cluster, pemsOf(cluster, 0), opening(cluster.cluster.id, 0));
  second.stream.write(Buffer.alloc(0));
  t.regex((await first.ended).details, /replaced by a newer stream/);
  await node.events.next(() => node.events.entries.length === 3);
  t.deepEqual(
    node.events.entries.map((e) => e.kind),
    ['connected', 'disconnected', 'connected'],
  );
  second.stream.cancel();
});

test('a peer that falls silent with its connection open is given up (K3)', async (t) => {
  const cluster = await createTestCluster(2);
  t.teardown(cluster.close);
  const node = await cluster.start(1);
  const { stream, ended } = call(node, cluster, pemsOf(cluster, 0), opening(cluster.cluster.id, 0));
  stream.write(Buffer.alloc(0));
  await node.events.next((e) => e.kind === 'connected');
  await node.events.next((e) => e.kind === 'disconnected');
  t.regex((await ended).details, /silent/);
});
