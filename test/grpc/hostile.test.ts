import test from 'ava';
import { once } from 'node:events';
import { connect } from 'node:net';
import { status, type ServiceError } from '@grpc/grpc-js';
import { messageBytesMax } from '../../src/grpc/limits.ts';
import { message, text as textField } from '../../src/grpc/protobuf-writer.ts';
import { signSubmission } from '../../protocols/transaction/submission.ts';
import { client, type TestPort } from '../http/test-node.ts';
import { endSession, frame, framed, openSession, RawCall } from './raw-call.ts';
import { start, TestClient } from './start.ts';

const SERVICE = 'althing.v1.Transactions';

function signed(port: TestPort, seq: number): Uint8Array {
  const args = { from: 'alice', to: 'bob', amount: 1 };
  const content = {
    kind: 'client',
    clusterId: port.cluster.id,
    key: client.publicKey,
    seq,
    validUntil: Date.now() + 60_000,
    transactions: [{ module: 'ledger', command: 'transfer', args }],
  } as const;
  return signSubmission(content, client);
}

const text = (stringValue: string) => ({ stringValue, kind: 'stringValue' });
const set = (key: string, value: object) => ({
  module: 'kv',
  command: 'set',
  args: { fields: { namespace: text('n'), key: text(key), value } },
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

// G3
for (const [what, sent] of [
  ['of which not one byte comes', Buffer.alloc(0)],
  ['of which a part comes', framed('Submit', { requestId: 'x'.repeat(100) }).subarray(0, 50)],
  ['that comes without an end', framed('Submit', { requestId: 'x' })],
] as const) {
  test(`a request ${what} is refused after its time`, async (t) => {
    const { address } = await start(t, false, { limits: { requestMsMax: 50 } });
    const call = new RawCall(openSession(t, address), 'Submit');
    if (sent.length > 0) call.stream.write(sent);
    t.deepEqual(await call.status, { status: status.DEADLINE_EXCEEDED, code: 'body_too_slow' });
  });
}

// G3
test('requests that arrive are read in turn, and too many are told to come back', async (t) => {
  const limits = { readingMax: 1, waitingMax: 1 };
  const { address, port } = await start(t, false, { limits });
  const session = openSession(t, address);
  const slow = new RawCall(session, 'Submit');
  const next = new RawCall(session, 'Submit');
  next.stream.end(framed('Submit', { submission: signed(port, 0) }));
  const late = await new RawCall(session, 'Submit').status;
  t.deepEqual(late, { status: status.UNAVAILABLE, code: 'busy' });
  t.is(port.submitted, 0);
  slow.cancel();
  t.is((await next.status).status, status.OK);
  const grpc = new TestClient(t, address, SERVICE);
  await grpc.call('Submit', { submission: signed(port, 1) });
  t.is(port.submitted, 2);
});

// G3
test('calls that are cancelled while they wait or are read leave their turn to others', async (t) => {
  const { address, port } = await start(t, false, { limits: { readingMax: 2, waitingMax: 2 } });
  const session = openSession(t, address);
  const grpc = new TestClient(t, address, SERVICE);
  for (let seq = 0; seq < 20; seq++) {
    const calls = [1, 2, 3, 4, 5].map(() => new RawCall(session, 'Submit'));
    t.is((await calls[4]!.status).code, 'busy');
    for (const call of seq % 2 === 0 ? calls : calls.toReversed()) call.cancel();
    await Promise.all(calls.map((call) => call.status));
    t.like(await grpc.call('Submit', { submission: signed(port, seq) }), { final: true });
  }
});

// G4, G1
test('a client that does not read its answers is not read either', async (t) => {
  const { address, port } = await start(t);
  const unread = openSession(t, address, { initialWindowSize: 0 });
  const call = new RawCall(unread, 'SubmitStream');
  const count = 600;
  for (let seq = 0; seq < count; seq++) {
    call.stream.write(framed('SubmitStream', { submission: signed(port, seq) }));
  }
  call.stream.end();
  while (port.submitted < 256) await turn();
  // The node has every chance to take more, and does not.
  const grpc = new TestClient(t, address, SERVICE);
  for (let seq = 0; seq < 50; seq++) {
    await grpc.call('Submit', { submission: signed(port, count + seq) });
  }
  t.is(port.submitted, 256 + 50);
  t.is(call.bytesReceived, 0);
  unread.settings({ initialWindowSize: 1_000_000 });
  t.is((await call.status).status, status.OK);
  t.is(port.submitted, count + 50);
});

// G4
test('streams of requests are bounded in number, and one that ends makes room', async (t) => {
  const { address } = await start(t, false, { limits: { streamsMax: 8 } });
  const session = openSession(t, address);
  const open = [1, 2].map(() => new RawCall(session, 'SubmitStream'));
  const busy = await new RawCall(session, 'SubmitStream').status;
  t.deepEqual(busy, { status: status.UNAVAILABLE, code: 'busy' });
  for (const { stream } of open) stream.end();
  for (const { status: ended } of open) t.is((await ended).status, status.OK);
  const again = new RawCall(session, 'SubmitStream');
  again.stream.end();
  t.is((await again.status).status, status.OK);
});

test('a client is told how many calls it may have at once, and gets no more connections than there are', async (t) => {
  const { address, grpc } = await start(t, false, { limits: { connectionsMax: 2 } });
  const session = openSession(t, address);
  await once(session, 'remoteSettings');
  t.is(session.remoteSettings.maxConcurrentStreams, 128);
  const second = connect(grpc.port, '127.0.0.1');
  t.teardown(() => second.destroy());
  await once(second, 'data');
  const third = connect(grpc.port, '127.0.0.1');
  third.on('error', () => undefined);
  await once(third, 'close');
  second.destroy();
  await endSession(session);
  const later = new TestClient(t, address, 'althing.v1.Consensus');
  t.like(await later.call('Status', {}), { nodeId: 'validator-1' });
});

test('a full submission fits as a Struct, and a message beyond the bound is refused', async (t) => {
  const { address, port } = await start(t, true);
  const grpc = new TestClient(t, address, SERVICE);
  const names = Array.from({ length: 115 }, (_, at) => `f${at + 100}`);
  const value = { structValue: { fields: Object.fromEntries(names.map((n) => [n, text('xy')])) } };
  const many = Array.from({ length: 1_000 }, (_, at) => set(`k${at}`, value));
  const taken = await grpc.call('Submit', { transactions: { transactions: many } });
  t.like(taken, { final: true, receipts: { length: 1_000 } });
  const bytesMax = messageBytesMax(port.cluster.genesis.limits.submissionBytesMax);
  for (const [bytes, code] of [
    [bytesMax - 16, status.INVALID_ARGUMENT],
    [bytesMax, status.RESOURCE_EXHAUSTED],
  ] as const) {
    const submission = new Uint8Array(bytes);
    const error = await t.throwsAsync<ServiceError>(grpc.call('Submit', { submission }));
    t.is(error?.code, code);
  }
});

test('in dev mode a call under a name from elsewhere is refused', async (t) => {
  const { address, grpc, port } = await start(t, true);
  const session = openSession(t, address);
  const ask = (authority: string) => {
    const call = new RawCall(session, 'Submit', { ':authority': authority });
    call.stream.end(framed('Submit', { transactions: { transactions: [set('a', text('b'))] } }));
    return call.status;
  };
  for (const name of ['evil.example', `evil.example:${grpc.port}`, '192.168.0.1', 'localhost.x']) {
    t.deepEqual(await ask(name), { status: status.PERMISSION_DENIED, code: 'foreign_host' }, name);
  }
  t.is(port.submitted, 0);
  for (const name of ['localhost', `LOCALHOST:${grpc.port}`, '127.0.0.1', '[::1]:80']) {
    t.is((await ask(name)).status, status.OK, name);
  }
});

test('outside dev mode the name does not matter: the token does', async (t) => {
  const { address, port } = await start(t);
  const call = new RawCall(openSession(t, address), 'Submit', { ':authority': 'node.example' });
  call.stream.end(framed('Submit', { submission: signed(port, 0) }));
  t.is((await call.status).status, status.OK);
});

const HEALTH = 'grpc.health.v1.Health';
const CHECK = `/${HEALTH}/Check`;

/** Open calls of one connection, as many as it may have. */
function crowd(session: ReturnType<typeof openSession>, method: string): RawCall[] {
  return Array.from({ length: 128 }, () => new RawCall(session, method));
}

// G3, G5
test('requests that one connection never ends keep neither requests nor health of others waiting', async (t) => {
  const { address, port } = await start(t);
  const session = openSession(t, address);
  await once(session, 'remoteSettings');
  crowd(session, 'Submit');
  const alone = openSession(t, address);
  const flood = crowd(alone, CHECK);
  // The last of them has come when the ping behind it is answered.
  for (const each of [session, alone])
    await new Promise<void>((resolve) => each.ping(() => resolve()));
  t.like(await new TestClient(t, address, HEALTH).call('Check', { service: '' }), {
    status: 'SERVING',
  });
  const grpc = new TestClient(t, address, SERVICE);
  t.like(await grpc.call('Submit', { submission: signed(port, 0) }), { final: true });
  for (const call of flood) call.cancel();
});

// G3, G4
test('health and reflection have places of their own', async (t) => {
  const limits = { readingMax: 1, waitingMax: 1, streamsMax: 1 };
  const { address } = await start(t, false, { limits });
  const session = openSession(t, address);
  const busy = ['Submit', 'Submit', 'Submit', 'SubmitStream', 'SubmitStream'].map(
    (method) => new RawCall(session, method),
  );
  for (const at of [2, 4]) t.is((await busy[at]!.status).code, 'busy');
  t.like(await new TestClient(t, address, HEALTH).call('Check', { service: '' }), {
    status: 'SERVING',
  });
  const reflection = new TestClient(t, address, 'grpc.reflection.v1.ServerReflection');
  const stream = reflection.stream('ServerReflectionInfo');
  stream.write({ listServices: '*' });
  t.truthy((await stream[Symbol.asyncIterator]().next()).value);
});

// G4, G5
test('streams that one connection opens leave others theirs, and reflection its own', async (t) => {
  const { address, port } = await start(t);
  const session = openSession(t, address);
  const calls = crowd(session, 'SubmitStream');
  // A quarter is open, and all others are refused.
  await Promise.all(
    calls.slice(32).map(async ({ status: ended }) => t.is((await ended).code, 'busy')),
  );
  const other = new RawCall(openSession(t, address), 'SubmitStream');
  other.stream.end(framed('SubmitStream', { submission: signed(port, 0) }));
  t.is((await other.status).status, status.OK);
  const reflection = new TestClient(t, address, 'grpc.reflection.v1.ServerReflection');
  const stream = reflection.stream('ServerReflectionInfo');
  stream.write({ listServices: '*' });
  const answers = stream[Symbol.asyncIterator]();
  t.truthy((await answers.next()).value);
  stream.end();
});

// G7
test('a stream on which nothing moves is ended, and one that works is not', async (t) => {
  const { address, port } = await start(t, false, { limits: { idleMsMax: 2_000 } });
  const session = openSession(t, address);
  const silent = new RawCall(session, 'SubmitStream');
  const slow = new RawCall(session, 'SubmitStream');
  const working = new RawCall(session, 'SubmitStream');
  slow.stream.write(framed('SubmitStream', { submission: signed(port, 0) }).subarray(0, 20));
  let seq = 0;
  const busy = setInterval(() => {
    working.stream.write(framed('SubmitStream', { submission: signed(port, seq++) }));
  }, 5);
  const late = { status: status.DEADLINE_EXCEEDED, code: 'stream_idle' };
  t.deepEqual(await silent.status, late);
  t.deepEqual(await slow.status, late);
  clearInterval(busy);
  working.stream.end();
  t.is((await working.status).status, status.OK);
});

// G7
test('a node that stood still does not take for idle whose request waited meanwhile', async (t) => {
  const { address, port } = await start(t, false, { limits: { idleMsMax: 1_000 } });
  const call = new RawCall(openSession(t, address), 'SubmitStream');
  call.stream.write(framed('SubmitStream', { submission: signed(port, 0) }));
  while (call.bytesReceived === 0) await turn();
  call.stream.write(framed('SubmitStream', { submission: signed(port, 1) }));
  // By then it has left the client, and nobody has read it.
  await turn();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
  call.stream.end();
  t.is((await call.status).status, status.OK);
  t.is(port.submitted, 2);
});

// G7
test('a connection whose client does not even read the end of its idle stream is cut', async (t) => {
  const { address } = await start(t, false, { limits: { idleMsMax: 100 } });
  const session = openSession(t, address, { initialWindowSize: 0 });
  const closed = once(session, 'close');
  const call = new RawCall(session, 'SubmitStream');
  call.stream.write(framed('SubmitStream', { requestId: 'x' }));
  await closed;
  t.is(call.bytesReceived, 0);
});

/** Answered, at the second time where this process stood still between the connection and its first word. */
async function served(client: TestClient): Promise<object> {
  for (;;) {
    try {
      return await client.call<object>('Check', { service: '' });
    } catch (error) {
      if ((error as ServiceError).code !== status.UNAVAILABLE) throw error;
    }
  }
}

// G5, G6
test('connections that say nothing lose their places to those that speak', async (t) => {
  const { address, grpc } = await start(t, false, {
    limits: { connectionsMax: 8, prefaceMsMax: 2_000 },
  });
  const speaking = new TestClient(t, address, HEALTH);
  await served(speaking);
  const silent = Array.from({ length: 20 }, () => connect(grpc.port, '127.0.0.1'));
  for (const socket of silent) socket.on('error', () => undefined).resume();
  await Promise.all(silent.map((socket) => once(socket, 'close')));
  t.like(await speaking.call('Check', { service: '' }), { status: 'SERVING' });
  const late = new TestClient(t, address, HEALTH);
  t.like(await served(late), { status: 'SERVING' });
});

/** `Submit` with a Struct so deep inside that a decoder gives up. */
function deep(levels: number): Uint8Array {
  let value = textField(3, 'x');
  for (let level = 0; level < levels; level++) {
    value = message(5, [message(1, [textField(1, 'a'), message(2, [value])])]);
  }
  const args = message(1, [textField(1, 'value'), message(2, [value])]);
  const call = [textField(1, 'kv'), textField(2, 'set'), message(3, [args])];
  return Uint8Array.from(message(2, [message(1, call)]));
}

for (const [what, bytes] of [
  ['nested 40 deep', deep(40)],
  ['nested 400 deep', deep(400)],
  ['that is no message', Uint8Array.of(0x0a, 0xff)],
] as const) {
  for (const method of ['Submit', 'SubmitStream']) {
    test(`${method}: a request ${what} is the client's mistake`, async (t) => {
      const { address, port } = await start(t, true);
      const call = new RawCall(openSession(t, address), method);
      call.stream.end(frame(bytes));
      const answer = await call.status;
      t.is(port.submitted, 0);
      // A stream answers what it can read, and ends at what it cannot.
      if (method === 'SubmitStream' && what === 'nested 40 deep') t.is(answer.status, status.OK);
      else t.deepEqual(answer, { status: status.INVALID_ARGUMENT, code: 'malformed' });
    });
  }
}
