/** Clients that do not read what they asked for: what they may make a node hold, and for how long. */
import { EventEmitter, once } from 'node:events';
import { status, type ServiceError } from '@grpc/grpc-js';
import test from 'ava';
import { CallOutlet, type WatchCall } from '../../src/grpc/call-outlet.ts';
import { Item, progressItem } from '../../src/stream/item.ts';
import { set, signed } from '../http/posting.ts';
import { frame, openSession, RawCall } from './raw-call.ts';
import { start, TestClient } from './start.ts';

const SUBSCRIBE = '/althing.v1.Stream/Subscribe';
const MODULES = '/althing.v1.State/Modules';
const EMPTY = frame(new Uint8Array(0));

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

// G8
for (const method of [SUBSCRIBE, MODULES]) {
  test(`${method}: a client that takes no answer loses its connection`, async (t) => {
    const { address, port } = await start(t, false, { limits: { unreadMsMax: 100 } });
    const session = openSession(t, address, { initialWindowSize: 0 });
    const call = new RawCall(session, method);
    call.stream.end(EMPTY);
    await once(session, 'close');
    t.is(call.bytesReceived, 0);
    while (port.streams.figures().subscribers > 0) await pause();
  });
}

// G8
test('a client that takes its answers, however long it stays, keeps its connection', async (t) => {
  const { address } = await start(t, false, {
    limits: { unreadMsMax: 100 },
    streamLimits: { progressMs: 20 },
  });
  const session = openSession(t, address);
  const call = new RawCall(session, SUBSCRIBE);
  call.stream.end(EMPTY);
  const client = new TestClient(t, address, 'althing.v1.State');
  for (let round = 0; round < 30; round++) {
    await client.call('Modules', {});
    await pause();
  }
  t.false(session.closed);
  call.cancel();
  t.is((await call.status).status, null);
});

// G8
test('streams of answers are bounded in number, and one that is cancelled makes room', async (t) => {
  const { address, port } = await start(t, false, { limits: { watchersMax: 8 } });
  const session = openSession(t, address);
  const open = [1, 2].map(() => new RawCall(session, SUBSCRIBE));
  for (const { stream } of open) stream.end(EMPTY);
  while (port.streams.figures().subscribers < 2) await pause();
  const busy = new RawCall(session, SUBSCRIBE);
  busy.stream.end(EMPTY);
  t.deepEqual(await busy.status, { status: status.UNAVAILABLE, code: 'busy' });
  // Others have their places, and calls with one answer are none of these.
  const other = new RawCall(openSession(t, address), SUBSCRIBE);
  other.stream.end(EMPTY);
  while (port.streams.figures().subscribers < 3) await pause();
  const unary = new RawCall(session, MODULES);
  unary.stream.end(EMPTY);
  t.is((await unary.status).status, status.OK);
  open[0]!.cancel();
  while (port.streams.figures().subscribers > 2) await pause();
  const again = new RawCall(session, SUBSCRIBE);
  again.stream.end(EMPTY);
  while (port.streams.figures().subscribers < 3) await pause();
  t.pass();
});

// G8
test('a stream that has ended keeps its place until its end was read', async (t) => {
  const { address, port } = await start(t, false, {
    limits: { watchersMax: 4 },
    streamLimits: { stallMsMax: 50, progressMs: 20 },
  });
  const session = openSession(t, address, { initialWindowSize: 0 });
  const unread = new RawCall(session, SUBSCRIBE);
  unread.stream.end(EMPTY);
  while (port.streams.figures().closedSlow === 0) await pause();
  const busy = new RawCall(session, SUBSCRIBE);
  busy.stream.end(EMPTY);
  t.deepEqual(await busy.status, { status: status.UNAVAILABLE, code: 'busy' });
  session.settings({ initialWindowSize: 65_535 });
  const told = { status: status.RESOURCE_EXHAUSTED, code: 'slow_consumer' };
  t.deepEqual(await unread.status, told);
  const again = new RawCall(session, SUBSCRIBE);
  again.stream.end(EMPTY);
  while (port.streams.figures().subscribers === 0) await pause();
  t.pass();
});

// S8
test('however much becomes final, a subscriber that does not read holds a bounded part of it', async (t) => {
  const outletBytesMax = 16 * 1024;
  const { address, port } = await start(t, false, {
    streamLimits: { outletBytesMax, stallMsMax: 60_000 },
  });
  const session = openSession(t, address, { initialWindowSize: 0 });
  new RawCall(session, SUBSCRIBE).stream.end(EMPTY);
  while (port.streams.figures().subscribers === 0) await pause();
  let items = 0;
  for (let seq = 0; seq < 8; seq++) {
    const calls = Array.from({ length: 1_000 }, (_, at) => set(`${at}`.padEnd(100, 'x'), seq));
    await port.submit(signed(port, seq, calls));
    await pause();
    items = port.streams.figures().items;
  }
  // Each item is longer than 200 bytes: these fill its outlet, and one batch is on its way.
  t.true(items > 0 && items < outletBytesMax / 200 + 64, `${items}`);
});

/** A call whose client takes when the test says so. */
class FakeCall extends EventEmitter {
  readonly written: string[] = [];
  readonly errors: ServiceError[] = [];
  #taken: (() => void) | null = null;

  constructor() {
    super();
    this.on('error', (error: ServiceError) => this.errors.push(error));
  }

  write(bytes: Uint8Array, taken: () => void): void {
    this.written.push(Buffer.from(bytes).toString());
    this.#taken = taken;
  }

  take(): void {
    const taken = this.#taken;
    this.#taken = null;
    taken?.();
  }
}

function outletOf(): {
  call: FakeCall;
  outlet: CallOutlet;
  resumed: () => number;
  ended: () => number;
} {
  const call = new FakeCall();
  const encoder = ({ id }: Item): Uint8Array => Buffer.from(id.padEnd(100, ' '));
  const outlet = new CallOutlet(call as unknown as WatchCall, encoder, 1_000);
  let resumed = 0;
  let ended = 0;
  outlet.feeds({ resume: () => void resumed++, end: () => void ended++ });
  return { call, outlet, resumed: () => resumed, ended: () => ended };
}

const items = (count: number, height: number): Item[] =>
  Array.from({ length: count }, (_, at) => new Item(`${height}.${at}`, {}));
const ENDING = { code: 'slow_consumer', detail: 'slow', resume: '9' } as const;
const resumeOf = ({ errors }: FakeCall): unknown => errors[0]!.metadata.get('althing-resume')[0];

// G9
test('one message at a time is with the connection, and there is room again when half was taken', (t) => {
  const { call, outlet, resumed } = outletOf();
  outlet.send([progressItem(0, '0')]);
  outlet.send(items(11, 1));
  t.is(call.written.length, 1);
  t.deepEqual([outlet.waitingBytes(), outlet.takenBytes()], [1_200, 0]);
  for (let taken = 1; taken <= 7; taken++) call.take();
  t.deepEqual([outlet.waitingBytes(), outlet.takenBytes()], [500, 700]);
  t.deepEqual([call.written.length, resumed()], [8, 0]);
  call.take();
  t.is(resumed(), 1);
  for (let taken = 0; taken < 5; taken++) call.take();
  t.is(outlet.waitingBytes(), 0);
  t.deepEqual(
    call.written.map((text) => text.trim()),
    ['0', ...items(11, 1).map(({ id }) => id)],
  );
});

// G9
test('what was not written when the stream ends is left to where it is resumed', (t) => {
  const { call, outlet } = outletOf();
  outlet.send([progressItem(0, '0'), ...items(5, 1)]);
  call.take();
  call.take();
  outlet.close(ENDING);
  t.is(resumeOf(call), '1.1');
  t.is(call.written.at(-1)?.trim(), '1.1');
  call.take();
  outlet.send(items(1, 2));
  t.is(call.written.length, 3);
});

// G9
test('where all was written the stream is resumed where it has come', (t) => {
  const { call, outlet } = outletOf();
  outlet.send([progressItem(0, '0')]);
  outlet.close(ENDING);
  t.is(resumeOf(call), '9');
});

test('in silence it says again how far it is, once the client has taken all', (t) => {
  const { call, outlet } = outletOf();
  outlet.keepAlive();
  outlet.send([...items(1, 1), progressItem(1, '1')]);
  outlet.keepAlive();
  call.take();
  outlet.keepAlive();
  call.take();
  outlet.keepAlive();
  const ids = (): readonly string[] => call.written.map((text) => text.trim());
  t.deepEqual(ids(), ['1.0', '1', '1']);
  call.take();
  outlet.send(items(1, 2));
  call.take();
  outlet.keepAlive();
  t.deepEqual(ids(), ['1.0', '1', '1', '2.0']);
});

test('who has gone is told nothing more, and is no subscriber', (t) => {
  const { call, outlet, ended } = outletOf();
  outlet.send(items(3, 1));
  call.emit('cancelled');
  t.is(ended(), 1);
  call.take();
  outlet.send(items(3, 2));
  outlet.close(ENDING);
  t.deepEqual([call.written.length, call.errors.length], [1, 0]);
  const late = new CallOutlet(call as unknown as WatchCall, () => Buffer.of(1), 10);
  call.emit('cancelled');
  let gone = 0;
  late.feeds({ resume: () => undefined, end: () => void gone++ });
  t.is(gone, 1);
});
