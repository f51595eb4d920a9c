/** althing.v1.Stream: what src/stream tells, from any place, and how it ends. */
import test, { type ExecutionContext } from 'ava';
import { status } from '@grpc/grpc-js';
import { block, outrun, pay, set } from '../http/posting.ts';
import { start, TestClient, type Started } from './start.ts';
import { toldUntil, Watching } from './watching.ts';

interface Message {
  readonly id: string;
  readonly height: number;
  readonly time: string;
  readonly item: 'progress' | 'block' | 'transaction' | 'event';
  readonly block?: { readonly txCount: number };
  readonly transaction?: { readonly module: string; readonly status: string };
  readonly event?: { readonly module: string; readonly name: string };
}

const ALL = { from: 1, blocks: true, transactions: true };

const begin = (t: ExecutionContext, streamLimits = {}): Promise<Started> =>
  start(t, false, { streamLimits: { progressMs: 20, ...streamLimits } });

function subscribe(t: ExecutionContext, { address }: Started, request: object): Watching<Message> {
  const client = new TestClient(t, address, 'althing.v1.Stream');
  return new Watching(t, client.answers<Message>('Subscribe', request));
}

/** Everything up to the end of `height`. */
async function whole(
  t: ExecutionContext,
  started: Started,
  height: number,
  request: object = ALL,
): Promise<readonly Message[]> {
  const isLast = (each: Message): boolean => each.item === 'progress' && each.height >= height;
  const items = await toldUntil((asked) => subscribe(t, started, asked), request, isLast);
  return items.filter((item) => item.height <= height);
}

test('tells blocks, transactions and events, in order and with their places', async (t) => {
  const started = await begin(t);
  const live = subscribe(t, started, { blocks: true, transactions: true });
  t.like(await live.first(() => true), { id: '0', item: 'progress', height: 0 });
  await block(started, 1, set('a'), pay(5), pay(9_999_999));
  await live.first(({ id }) => id === '1.4');
  t.deepEqual(
    live.items.map(({ id, item, transaction, event }) =>
      [id, item, transaction?.status ?? event?.name ?? ''].join(' ').trim(),
    ),
    [
      '1.0 block',
      '1.1 transaction STATUS_OK',
      '1.2 event set',
      '1.3 transaction STATUS_OK',
      '1.4 transaction STATUS_FAILED',
    ],
  );
  t.like(live.items[0], { height: 1, block: { txCount: 3 } });
  t.regex(live.items[0]!.time, /^20\d\d-/);
  t.like(live.items[1], {
    transaction: { module: 'kv', command: 'set', error: null },
  });
  t.like(live.items[2], {
    event: { module: 'kv', data: { structValue: { fields: { key: { stringValue: 'a' } } } } },
  });
  t.like(live.items[4], { transaction: { error: { code: 'exceeds_credits' } } });
});

test('begins with what becomes final from now on, with events alone, and without them', async (t) => {
  const started = await begin(t);
  await block(started, 1, set('before'));
  const events = subscribe(t, started, {});
  const none = subscribe(t, started, { withoutEvents: true });
  t.like(await events.first(() => true), { id: '1', item: 'progress' });
  await none.first(() => true);
  await block(started, 2, set('after'));
  t.like(await events.first(({ item }) => item === 'event'), { id: '2.2' });
  await none.first(({ id }) => id === '2');
  t.deepEqual(none.items, []);
});

test('filters let through what they name', async (t) => {
  const started = await begin(t);
  const height = await block(started, 1, set('a'), pay(1));
  const told = async (request: object): Promise<string> =>
    (await whole(t, started, height, { from: 1, ...request }))
      .map(({ item, transaction, event }) => `${item} ${(transaction ?? event)?.module ?? ''}`)
      .join();
  t.is(await told({ withoutEvents: true, blocks: true }), 'block ');
  t.is(
    await told({ withoutEvents: true, transactions: true, modules: ['ledger'] }),
    'transaction ledger',
  );
  t.is(await told({ topics: ['kv.set'] }), 'event kv');
  t.is(await told({ topics: ['kv.deleted'] }), '');
  t.is(await told({ modules: ['ledger'], topics: ['kv.*'] }), '');
});

// S7
test('whoever is cut off anywhere and resumes gets the rest, and nothing twice', async (t) => {
  const started = await begin(t);
  let height = 0;
  for (let seq = 1; seq <= 8; seq++) {
    const calls = Array.from({ length: 1 + (seq % 4) }, (_, at) =>
      at % 2 ? pay(1) : set(`${seq}`),
    );
    height = await block(started, seq, ...calls);
  }
  const expected = await whole(t, started, height);
  t.true(expected.length > 20);
  for (const [at, { id }] of expected.entries()) {
    const { from: _, ...filter } = ALL;
    t.deepEqual(
      await whole(t, started, height, { ...filter, after: id }),
      expected.slice(at + 1),
      id,
    );
  }
});

// S7, S8
test('who takes nothing is told where to resume, and loses nothing', async (t) => {
  const limits = { stallMsMax: 100, outletBytesMax: 16 * 1024 };
  const started = await begin(t, limits);
  const slow = subscribe(t, started, ALL);
  slow.stopReading();
  const height = await outrun(started, 4);
  t.is(started.port.streams.figures().subscribers, 0);
  slow.startReading();
  const ended = await slow.ended;
  t.like(ended, { status: status.RESOURCE_EXHAUSTED, code: 'slow_consumer' });
  t.is(ended.resume, slow.messages.at(-1)!.id);
  const { from: _, ...filter } = ALL;
  const rest = await whole(t, started, height, { ...filter, after: ended.resume });
  t.deepEqual(
    [...slow.ids, ...rest.map(({ id }) => id)],
    Array.from({ length: height }, (__, at) =>
      Array.from({ length: 2_001 }, (___, index) => `${at + 1}.${index}`),
    ).flat(),
  );
});

test('a slow reader that takes something now and then gets everything', async (t) => {
  // Longer than a busy machine stands still: test/stream/hub.test.ts shows by its own clock what is too slow.
  const started = await begin(t, { stallMsMax: 60_000, outletBytesMax: 4 * 1024 });
  const reader = subscribe(t, started, ALL);
  const height = await block(started, 1, ...Array.from({ length: 1_000 }, (_, at) => set(`${at}`)));
  const beat = setInterval(() => {
    reader.stopReading();
    setTimeout(() => reader.startReading(), 5);
  }, 10);
  t.teardown(() => clearInterval(beat));
  await reader.first((each) => each.item === 'progress' && each.height === height);
  t.deepEqual(
    reader.ids,
    Array.from({ length: 2_001 }, (_, index) => `1.${index}`),
  );
});

test('a node that stops tells its streams where to resume, and takes no more', async (t) => {
  const started = await begin(t);
  await block(started, 1, set('a'));
  const live = subscribe(t, started, ALL);
  await live.first(({ id }) => id === '1.2');
  started.port.streams.close();
  const ended = await live.ended;
  t.like(ended, { status: status.UNAVAILABLE, code: 'draining' });
  t.true(['1', '1.2'].includes(ended.resume));
  const refused = await subscribe(t, started, ALL).ended;
  t.like(refused, { status: status.UNAVAILABLE, code: 'draining', resume: '' });
});

test('a stream on which nothing happens says again how far it is', async (t) => {
  const started = await begin(t, { keepAliveMs: 40 });
  const live = subscribe(t, started, {});
  while (live.messages.length < 3) await pause();
  t.deepEqual([...new Set(live.messages.map(({ id }) => id))], ['0']);
});

test('who cancels, or goes without a word, is no subscriber any more', async (t) => {
  const started = await begin(t);
  const watching = [subscribe(t, started, ALL), subscribe(t, started, ALL)];
  for (const each of watching) await each.first(() => true);
  t.is(started.port.streams.figures().subscribers, 2);
  for (const each of watching) each.cancel();
  while (started.port.streams.figures().subscribers > 0) await pause();
  t.is((await watching[0]!.ended).status, status.CANCELLED);
});

// S9
test('as many subscribe as the limits say', async (t) => {
  const started = await begin(t, { streamsMax: 3, streamsPerAddressMax: 2 });
  const open = [subscribe(t, started, {}), subscribe(t, started, {})];
  for (const each of open) await each.first(() => true);
  const third = await subscribe(t, started, {}).ended;
  t.like(third, { status: status.RESOURCE_EXHAUSTED, code: 'too_many_streams' });
  open[0]!.cancel();
  while (started.port.streams.figures().subscribers > 1) await pause();
  t.like(await subscribe(t, started, {}).first(() => true), { item: 'progress' });
});

test('what is malformed, or names what is not there, is refused by name', async (t) => {
  const started = await begin(t);
  const many = Array.from({ length: 65 }, () => 'kv');
  for (const [request, code, field] of [
    [{ from: 0 }, 'malformed', 'from'],
    [{ from: 2 ** 60 }, 'malformed', 'from'],
    [{ after: '' }, 'malformed', 'after'],
    [{ after: '1.' }, 'malformed', 'after'],
    [{ after: '-1' }, 'malformed', 'after'],
    [{ modules: many }, 'malformed', 'modules'],
    [{ modules: ['bank'] }, 'unknown_module', 'modules'],
    [{ modules: ['toString'] }, 'unknown_module', 'modules'],
    [{ topics: ['kv'] }, 'malformed', 'topics'],
    [{ topics: ['kv.toString'] }, 'unknown_event', 'topics'],
    [{ topics: ['bank.*'] }, 'unknown_module', 'topics'],
  ] as const) {
    const ended = await subscribe(t, started, request).ended;
    const expected = { status: status.INVALID_ARGUMENT, code, field };
    t.like(ended, expected, JSON.stringify(request));
  }
  t.is(started.port.streams.figures().subscribers, 0);
});

test('while the log is away a stream from now on is refused for the moment', async (t) => {
  const started = await begin(t);
  started.port.streams.newest = () => Promise.resolve('unavailable');
  const ended = await subscribe(t, started, {}).ended;
  t.like(ended, { status: status.UNAVAILABLE, code: 'log_unavailable' });
});

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}
