import test, { type ExecutionContext } from 'ava';
import type { Client } from '../../src/client/client.ts';
import { AlthingError } from '../../src/client/errors.ts';
import type { ProvedEvent } from '../../src/client/lanes.ts';
import type { StreamItem, SubscribeOptions } from '../../src/client/subscription.ts';
import { addressed, known, problem, type Addressed, type Behaviour } from './cluster.ts';
import { isStream, subscribedUpTo } from './subscribed.ts';

/** `count` keys, two to a submission. */
async function fill(client: Client, count: number): Promise<void> {
  const write = (at: number) => ({
    module: 'kv',
    command: 'set',
    args: { namespace: 'n', key: `k${at}`, value: at },
  });
  for (let at = 0; at < count; at += 2) {
    await client.submit([write(at), write(at + 1)], { trust: 'node' });
  }
}

async function take(
  client: Client,
  count: number,
  options: SubscribeOptions,
): Promise<{ readonly items: readonly StreamItem[]; readonly resume: string }> {
  const subscription = client.subscribe(options);
  const items: StreamItem[] = [];
  for await (const item of subscription) {
    items.push(item);
    if (items.length === count) break;
  }
  return { items, resume: subscription.resume };
}

const keysOf = (items: readonly StreamItem[]): readonly string[] =>
  items.map((item) => String((item as unknown as { data: { key: string } }).data.key));
const expected = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, at) => `k${from + at}`);

/** Several nodes, the first of which behave in their way. */
async function filled(
  t: ExecutionContext,
  behaviours: readonly (Behaviour | null)[],
  count = 8,
): Promise<{ readonly client: Client; readonly cluster: Addressed }> {
  const cluster = await addressed(t, behaviours);
  const client = await cluster.connect(known(cluster.port));
  await fill(client, count);
  return { client, cluster };
}

/** The stream with every piece changed. */
const saying =
  (change: (text: string) => string | null): Behaviour =>
  async (path, ask) => {
    if (!isStream(path)) return ask();
    const { body } = await ask();
    const decoder = new TextDecoder();
    const encoder = new TextEncoder();
    const changed = body!.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          const text = change(decoder.decode(piece));
          if (text === null) controller.terminate();
          else controller.enqueue(encoder.encode(text));
        },
      }),
    );
    return new Response(changed, { headers: { 'content-type': 'text/event-stream' } });
  };

/** Tells when a stream has begun. */
function opening(behaviour: Behaviour = (_, ask) => ask()) {
  let begun = (): void => undefined;
  const opened = new Promise<void>((resolve) => (begun = resolve));
  const telling: Behaviour = async (path, ask, body) => {
    const response = (await behaviour(path, ask, body))!;
    if (isStream(path)) begun();
    return response;
  };
  return { telling, opened };
}

for (const trust of ['proof', 'node'] as const) {
  test(`events are followed from a height, by ${trust}`, async (t) => {
    const { client } = await filled(t, [null]);
    const { items } = await take(client, 8, { from: 1, trust });
    t.deepEqual(keysOf(items), expected(0, 8));
  });

  test(`a subscription goes on where another one ended, by ${trust}`, async (t) => {
    const { client } = await filled(t, [null]);
    const first = await take(client, 3, { from: 1, trust });
    const second = await take(client, 5, { after: first.resume, trust });
    t.deepEqual(keysOf([...first.items, ...second.items]), expected(0, 8));
  });

  test(`what becomes final later is told, by ${trust}`, async (t) => {
    const { telling, opened } = opening();
    const { client } = await filled(t, [telling], 0);
    const taken = take(client, 4, { trust });
    await opened;
    await fill(client, 4);
    t.deepEqual(keysOf((await taken).items), expected(0, 4));
  });

  test(`a node that breaks off again and again costs no event and repeats none, by ${trust}`, async (t) => {
    let pieces = 0;
    const breaking = saying((text) => (pieces++ % 2 === 1 ? null : text));
    const { client } = await filled(t, [breaking, null]);
    const { items } = await take(client, 8, { from: 1, trust });
    t.deepEqual(keysOf(items), expected(0, 8));
  });

  test(`a node without a stream is passed over, by ${trust}`, async (t) => {
    const { client } = await filled(t, [
      (path) => (isStream(path) ? problem(503, 'too_many_streams') : null),
      (path) => (isStream(path) ? new Response('<html>') : null),
      null,
    ]);
    const { items } = await take(client, 8, { from: 1, trust });
    t.is(items.length, 8);
  });

  test(`what nodes refuse is thrown, by ${trust}`, async (t) => {
    const { client } = await filled(t, [null, null], 0);
    const error = await t.throwsAsync(take(client, 1, { modules: ['nonsense'], from: 1, trust }), {
      instanceOf: AlthingError,
    });
    t.is(error.code, 'unknown_module');
  });

  test(`a signal ends the loop, by ${trust}`, async (t) => {
    const { client } = await filled(t, [null], 2);
    const ends = new AbortController();
    let told = 0;
    for await (const _ of client.subscribe({ from: 1, trust, signal: ends.signal })) {
      if (++told === 2) ends.abort();
    }
    t.is(told, 2);
  });
}

test('only events of the topics are told, and blocks and transactions by a word of a node', async (t) => {
  const { client } = await filled(t, [null], 2);
  // In one submission with an event that is not wanted, whose receipts are proved with it.
  const args = { namespace: 'n', key: 'k0' };
  await client.submit([
    { module: 'kv', command: 'set', args: { ...args, value: 5 } },
    { module: 'kv', command: 'delete', args },
  ]);
  const { items } = await take(client, 1, { from: 1, topics: ['kv.deleted'] });
  t.is((items[0] as ProvedEvent).name, 'deleted');
  const said = await take(client, 5, { from: 1, trust: 'node', blocks: true, transactions: true });
  t.deepEqual(
    said.items.map(({ kind }) => kind),
    ['block', 'transaction', 'event', 'transaction', 'event'],
  );
});

test('X8: the data of an event is what was proved, whatever the node says', async (t) => {
  const { client } = await filled(t, [saying((text) => text.replaceAll('"value":', '"value":4'))]);
  const { items } = await take(client, 8, { from: 1 });
  t.deepEqual(
    items.map((item) => ((item as ProvedEvent).data as { value: number }).value),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
});

test('X8: an event of a submission that never was is not told', async (t) => {
  let invented = 0;
  const inventing = saying((text) => {
    invented++;
    return text.replaceAll(/"transaction":"[0-9a-f]{8}/g, '"transaction":"00000000');
  });
  const { client } = await filled(t, [inventing, null, null, null]);
  const { items } = await take(client, 8, { from: 1 });
  t.deepEqual(keysOf(items), expected(0, 8));
  t.true(invented > 0);
});

test('X8: an event that its node does not prove at once is not passed by', async (t) => {
  let first = '';
  let unproved = 0;
  const slow: Behaviour = (path, ask) => {
    if (!path.includes('transactions/')) return ask();
    // As often as one connection asks for the first submission of the stream.
    const isFirst = path === (first ||= path);
    return isFirst && unproved++ < 3 ? problem(404, 'unknown_transaction') : ask();
  };
  const { client } = await filled(t, [slow]);
  await client.row('kv', 'entries', 'n/k0');
  const { items } = await take(client, 8, { from: 1 });
  t.deepEqual(keysOf(items), expected(0, 8));
  t.true(unproved > 3);
});

test('X8: an event of what is no submission has its node left, and nothing passed by', async (t) => {
  const nameless = saying((text) => text.replaceAll(/(?<="transaction":")[0-9a-f]+/g, ''));
  const { client } = await filled(t, [nameless, null]);
  await client.row('kv', 'entries', 'n/k0');
  const { items } = await take(client, 8, { from: 1 });
  t.deepEqual(keysOf(items), expected(0, 8));
});

test('X2: what one node refuses to stream is asked of the others', async (t) => {
  const refusing: Behaviour = (path, ask) =>
    isStream(path) ? problem(404, 'unknown_module') : ask();
  const { client } = await filled(t, [refusing, null]);
  const { items } = await take(client, 8, { from: 1 });
  t.deepEqual(keysOf(items), expected(0, 8));
});

for (const trust of ['proof', 'node'] as const) {
  test(`X8: what a node tells twice or in another order is told once and in order, by ${trust}`, async (t) => {
    const repeating = saying((text) => {
      const messages = text.split('\n\n').filter((each) => each !== '');
      return [...messages, ...messages, ...messages.toReversed()]
        .map((each) => `${each}\n\n`)
        .join('');
    });
    const { client } = await filled(t, [repeating]);
    const { items } = await take(client, 8, { from: 1, trust });
    t.deepEqual(keysOf(items), expected(0, 8));
  });
}

test('X8: a node that claims to have told heights which are not there moves nobody beyond them', async (t) => {
  const ahead = saying(
    () => 'id: 999999999\ndata: {"id":"999999999","kind":"progress","height":999999999}\n\n',
  );
  const { client } = await filled(t, [ahead]);
  const { height } = await client.row('kv', 'entries', 'n/k0');
  const subscription = subscribedUpTo(height, client, { from: 1 });
  for await (const _ of subscription) t.fail();
  t.is(subscription.resume, String(height));
});

/** Says to have executed so much. */
const claiming =
  (height: number): Behaviour =>
  async (path, ask) => {
    const response = await ask();
    if (!path.includes('consensus/status')) return response;
    const text = await response.text();
    return new Response(text.replace(/"executedHeight":\d+/, `"executedHeight":${height}`));
  };

test('X8: a node that says to be far ahead does not have a subscription begin there', async (t) => {
  const boasting = claiming(99999);
  const [boaster, other] = [opening(boasting), opening()];
  const { client } = await filled(t, [boaster.telling, other.telling], 0);
  const taken = take(client, 2, {});
  await Promise.race([boaster.opened, other.opened]);
  await fill(client, 2);
  t.deepEqual(keysOf((await taken).items), expected(0, 2));
});

test('X4: nodes that say to be far behind do not have a subscription tell what was before', async (t) => {
  const behind = claiming(0);
  const { client } = await filled(t, [behind]);
  const { height } = await client.row('kv', 'entries', 'n/k0');
  const subscription = subscribedUpTo(height, client);
  for await (const item of subscription) t.true(item.height > height);
  t.true(Number.parseInt(subscription.resume, 10) >= height);
});

/** Lets the first message through that says where the stream stands, and no event. */
const omitting = saying((text) =>
  text
    .split('\n\n')
    .filter((each) => !each.includes('"kind":"event"'))
    .map((each) => `${each}\n\n`)
    .join(''),
);

test('X9: with f + 1 nodes nothing is missing that one of them leaves out', async (t) => {
  const { client } = await filled(t, [omitting, null]);
  const { items } = await take(client, 8, { from: 1, nodes: 2 });
  t.deepEqual(keysOf(items), expected(0, 8));
});

test('X9: a node that says nothing holds the others up until it is left', async (t) => {
  const silent = saying(() => ':\n\n');
  const { client, cluster } = await filled(t, [silent, null, null]);
  const { items } = await take(client, 8, { from: 1, nodes: 2, stallMs: 500 });
  t.deepEqual(keysOf(items), expected(0, 8));
  t.true(cluster.asked.every((count) => count > 0));
});

test('X9: a node that says again and again that it has got nowhere is left, too', async (t) => {
  let left = 0;
  const stuck: Behaviour = (path, ask) => {
    if (!isStream(path)) return ask();
    const text = 'id: 0\ndata: {"id":"0","kind":"progress","height":0}\n\n';
    let timer: NodeJS.Timeout;
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        timer = setInterval(() => controller.enqueue(new TextEncoder().encode(text)), 50);
      },
      cancel() {
        left++;
        clearInterval(timer);
      },
    });
    const headers = { 'content-type': 'text/event-stream' };
    return Promise.resolve(new Response(body, { headers }));
  };
  const { client } = await filled(t, [stuck, null, null]);
  const { items } = await take(client, 8, { from: 1, nodes: 2, stallMs: 1_000 });
  t.deepEqual(keysOf(items), expected(0, 8));
  t.true(left > 0);
});

test('a loop that is slow gets everything, and nothing is read that it does not ask for', async (t) => {
  let pieces = 0;
  const counting = saying((text) => {
    pieces++;
    return text;
  });
  const { client } = await filled(t, [counting], 40);
  const seen: StreamItem[] = [];
  for await (const item of client.subscribe({ from: 1 })) {
    seen.push(item);
    if (seen.length === 40) break;
    if (seen.length % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  t.deepEqual(keysOf(seen), expected(0, 40));
  t.true(pieces < 100);
});

test('options that do not go together are refused', async (t) => {
  const { client } = await filled(t, [null], 0);
  const refused: readonly SubscribeOptions[] = [
    { trust: 'node', nodes: 2 },
    { nodes: 2 },
    { nodes: 0 },
    { blocks: true },
    { transactions: true },
    { after: '3.1' },
    { after: 'nonsense' },
    { from: 0 },
    { from: 1.5 },
  ];
  for (const options of refused) {
    const error = t.throws(() => client.subscribe(options), { instanceOf: AlthingError });
    t.is(error.code, 'bad_option', JSON.stringify(options));
  }
});
