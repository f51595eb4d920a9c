/** The stream over both transports and both bindings, from a node with the real modules. */
import test, { type ExecutionContext } from 'ava';
import { block, outrun, pay, set } from '../http/posting.ts';
import { BINDINGS, start, type BindingName, type Started } from '../http/start.ts';
import {
  open,
  openSocket,
  toldUntil,
  TRANSPORTS,
  type Message,
  type StreamClient,
} from './clients.ts';

const ALL = 'blocks=1&transactions=1';

async function begin(
  t: ExecutionContext,
  binding: BindingName,
  streamLimits = {},
): Promise<Started> {
  return start(t, binding, { streamLimits: { progressMs: 20, ...streamLimits } });
}

function opened(t: ExecutionContext, client: StreamClient): StreamClient {
  t.teardown(() => client.cut());
  return client;
}

const items = (messages: readonly Message[]): readonly Message[] =>
  messages.filter(({ kind }) => kind !== 'progress' && kind !== 'closed');

/** All items of the first `height` heights. */
async function whole(
  t: ExecutionContext,
  { url }: Started,
  height: number,
  query = ALL,
): Promise<readonly Message[]> {
  const client = opened(t, await open('events', url, `/api/v11/stream?from=1&${query}`));
  await client.first((message) => message.kind === 'progress' && message.height! >= height);
  client.cut();
  return items(client.messages).filter((item) => item.height! <= height);
}

for (const binding of BINDINGS) {
  for (const transport of TRANSPORTS) {
    const name = `${binding}, ${transport}`;
    const stream = async (
      t: ExecutionContext,
      { url }: Started,
      query: string,
      headers = {},
    ): Promise<StreamClient> =>
      opened(t, await open(transport, url, `/api/v11/stream?${query}`, { headers }));

    // S3
    test(`${name}: tells blocks, transactions and events, in order and with their places`, async (t) => {
      const started = await begin(t, binding);
      const live = await stream(t, started, ALL);
      t.like(live.messages[0] ?? (await live.first(() => true)), {
        kind: 'progress',
        height: 0,
        id: '0',
      });
      await block(started, 1, set('a'), pay(5), pay(9_999_999));
      await block(started, 2, set('b'));
      await live.first(({ id }) => id === '2.2');
      const told = items(live.messages);
      t.deepEqual(
        told.map(({ id, kind, module, name: event, command, status }) =>
          JSON.stringify([id, kind, module, event ?? command, status].filter(Boolean)),
        ),
        [
          '1.0 block',
          '1.1 transaction kv set ok',
          '1.2 event kv set',
          '1.3 transaction ledger transfer ok',
          '1.4 transaction ledger transfer failed',
          '2.0 block',
          '2.1 transaction kv set ok',
          '2.2 event kv set',
        ].map((line) => JSON.stringify(line.split(' '))),
      );
      t.like(told[0], { height: 1, txCount: 3 });
      t.regex(String(told[0]!['time']), /^20\d\d-/);
      t.like(told[2], { data: { namespace: 'n', key: 'a' }, transaction: told[1]!['transaction'] });
      t.regex(String(told[1]!['sender']), /^key:/);
    });

    test(`${name}: without parameters it tells the events from now on`, async (t) => {
      const started = await begin(t, binding);
      await block(started, 1, set('before'));
      const live = await stream(t, started, '');
      t.like(await live.first(() => true), { kind: 'progress', height: 1, id: '1' });
      await block(started, 2, set('after'));
      t.like(await live.first(({ kind }) => kind === 'event'), {
        id: '2.2',
        data: { key: 'after' },
      });
      t.is(items(live.messages).length, 1);
    });

    test(`${name}: tells all from the first height while blocks go on`, async (t) => {
      const started = await begin(t, binding);
      let height = 0;
      for (let seq = 1; seq <= 20; seq++) height = await block(started, seq, set(`a${seq}`));
      const reader = await stream(t, started, `from=1&${ALL}`);
      for (let seq = 21; seq <= 60; seq++)
        height = await block(started, seq, set(`a${seq}`), pay(1));
      await reader.first((message) => message.height === height && message.kind === 'transaction');
      const ids = items(reader.messages).map(({ id }) => id);
      t.deepEqual(ids.slice(0, 3), ['1.0', '1.1', '1.2']);
      const expected = await whole(t, started, height);
      await reader.first(({ id }) => id === expected.at(-1)!.id);
      t.deepEqual(items(reader.messages), expected);
    });

    // S7
    test(`${name}: whoever is cut off anywhere and resumes gets the rest, and nothing twice`, async (t) => {
      const started = await begin(t, binding);
      let height = 0;
      for (let seq = 1; seq <= 12; seq++) {
        const calls = Array.from({ length: 1 + (seq % 4) }, (_, at) =>
          at % 2 ? pay(1) : set(`${seq}`),
        );
        height = await block(started, seq, ...calls);
      }
      for (const query of [ALL, 'modules=kv', 'topics=kv.set&transactions=1&modules=kv']) {
        const expected = await whole(t, started, height, query);
        t.true(expected.length > 5);
        for (let at = 0; at < expected.length; at++) {
          const headers = { 'last-event-id': expected[at]!.id! };
          const rest = await stream(t, started, query, headers);
          await rest.first((message) => message.kind === 'progress' && message.height! >= height);
          t.deepEqual(items(rest.messages), expected.slice(at + 1), `${query} after ${at}`);
          rest.cut();
        }
      }
    });

    test(`${name}: filters let through what they name`, async (t) => {
      const started = await begin(t, binding);
      const height = await block(started, 1, set('a'), pay(1));
      const kinds = async (query: string): Promise<string> =>
        (await whole(t, started, height, query))
          .map(({ kind, module }) => `${kind} ${String(module)}`)
          .join();
      t.is(await kinds('events=0&blocks=1'), 'block undefined');
      t.is(await kinds('events=0&transactions=1&modules=ledger'), 'transaction ledger');
      t.is(await kinds('topics=kv.set'), 'event kv');
      t.is(await kinds('topics=kv.*'), 'event kv');
      t.is(await kinds('topics=kv.deleted'), '');
      t.is(await kinds('modules=ledger&topics=kv.*'), '');
    });

    test(`${name}: says how far it is where the filter lets nothing through`, async (t) => {
      const started = await begin(t, binding);
      const live = await stream(t, started, 'topics=kv.deleted');
      for (let seq = 1; seq <= 3; seq++) await block(started, seq, set('a'));
      const told = await live.first(({ height }) => height === 3);
      t.deepEqual(told, { kind: 'progress', height: 3, id: '3' });
    });

    test(`${name}: a node that stops tells its streams where to resume`, async (t) => {
      const started = await begin(t, binding);
      await block(started, 1, set('a'));
      const live = await stream(t, started, `from=1&${ALL}`);
      await live.first(({ id }) => id === '1.2');
      started.port.streams.close();
      const { code } = await live.ended;
      t.like(live.messages.at(-1), { kind: 'closed', code: 'draining' });
      t.true(['1', '1.2'].includes(String(live.messages.at(-1)!['resume'])));
      t.is(code, transport === 'socket' ? 1001 : 0);
      const refused = await t.throwsAsync(stream(t, started, ALL));
      t.like(refused, { status: 503, body: { code: 'draining' } });
    });

    // S7, S8
    test(`${name}: who takes nothing is told and closed, and resumes without a gap`, async (t) => {
      const started = await begin(t, binding, {
        stallMsMax: 100,
        keepAliveMs: 10,
        // Less than what a socket holds before it says that it is full.
        outletBytesMax: 4 * 1024,
      });
      const slow = await stream(t, started, `from=1&${ALL}`);
      slow.stopReading();
      const height = await outrun(started, 14);
      t.is(started.port.streams.figures().subscribers, 0);
      slow.startReading();
      await slow.ended;
      const before = items(slow.messages);
      const closed = slow.messages.at(-1)!;
      t.like(closed, { kind: 'closed', code: 'slow_consumer' });
      if (transport === 'socket') t.is((await slow.ended).code, 1013);
      const rest = await toldUntil(
        (place) => stream(t, started, `after=${place}&${ALL}`),
        String(closed['resume']),
        (message) => message.height! >= height && message.kind === 'progress',
      );
      const all = [...before, ...items(rest)];
      t.deepEqual(
        all.map(({ id }) => id),
        Array.from({ length: height }, (_, at) =>
          Array.from({ length: 2_001 }, (__, index) => `${at + 1}.${index}`),
        ).flat(),
      );
    });
  }

  test(`${binding}: a WebSocket speaks msgpack where it is asked to`, async (t) => {
    const started = await begin(t, binding);
    await block(started, 1, set('a'));
    const client = await openSocket(started.url, `/api/v11/stream?from=1&blocks=1`, {
      protocols: ['other', 'althing.v1.msgpack'],
    });
    opened(t, client);
    t.is(client.socket.protocol, 'althing.v1.msgpack');
    t.like(await client.first(({ kind }) => kind === 'event'), { id: '1.2', data: { key: 'a' } });
  });
}
