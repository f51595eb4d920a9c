/** Reads of all that is final, and of the past, as a real node answers them. */
import test from 'ava';
import { AlthingError } from '../../src/client/errors.ts';
import { parsedAnswer } from '../../src/client/reads.ts';
import type { kv } from '../../src/modules/kv/kv.ts';
import { addressed, problem, type Behaviour } from './cluster.ts';

const at = { namespace: 'n', key: 'k' };
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (error: unknown) => (error instanceof AlthingError ? error.code : String(error)),
  );

const FUTURE = 1_000_000;

/** Refuses to answer of a height, as a node does that keeps another part of the past. */
const without =
  (code: 'height_pruned' | 'height_ahead'): Behaviour =>
  (path) =>
    path.includes('atHeight=') ? problem(code === 'height_pruned' ? 410 : 404, code) : null;

test('a linearizable read waits for a block that begins after it, and has what was written', async (t) => {
  const { connect } = await addressed(t, [null]);
  const client = await connect();
  const keys = client.module<typeof kv>('kv');
  for (const value of [1, 2, 3]) {
    const { receipt } = await keys.send.set({ ...at, value });
    const read = await keys.ask.get(at, { consistency: 'linearizable' });
    t.is(read.result.value, value);
    t.true(read.height > receipt.height, 'confirmed by a block of its own');
  }
});

test('a linearizable read that no quorum confirms is asked of the next node', async (t) => {
  const cutOff: Behaviour = (path) =>
    path.includes('linearizable') ? problem(503, 'no_quorum') : null;
  const { connect } = await addressed(t, [cutOff, null]);
  const client = await connect();
  await client.call('kv', 'set', { ...at, value: 1 });
  const read = await client.query<{ value: number }>('kv', 'get', at, {
    consistency: 'linearizable',
  });
  t.is(read.result.value, 1);
  const { connect: connectAlone } = await addressed(t, [cutOff]);
  const alone = (await connectAlone()).query('kv', 'get', at, {
    consistency: 'linearizable',
    patienceMs: 300,
  });
  t.is(await codeOf(alone), 'no_quorum');
});

test('atHeight reads what there was, by keys and by pages', async (t) => {
  const { connect } = await addressed(t, [null]);
  const client = await connect();
  const keys = client.module<typeof kv>('kv');
  const heights: number[] = [];
  for (const value of [1, 2, 3]) {
    heights.push((await keys.send.set({ ...at, value })).receipt.height);
    await keys.send.set({ namespace: 'n', key: `k${value}`, value });
  }
  for (const [index, atHeight] of heights.entries()) {
    const read = await keys.ask.get(at, { atHeight });
    t.deepEqual([read.result.value, read.height], [index + 1, atHeight]);
    const { result } = await keys.ask.list({ namespace: 'n' }, { atHeight });
    t.is(result.entries.length, index + 1);
  }
  t.is(await codeOf(keys.ask.get(at, { atHeight: 0 })), 'key_not_found');
});

test('X2: that a height is not there is believed when all nodes say so', async (t) => {
  const ends = new AbortController();
  let questions = 0;
  /** Ends who asks for the future a third time. */
  const ending =
    (behaviour: Behaviour | null): Behaviour =>
    (path, ask, body) => {
      if (path.includes(`atHeight=${FUTURE}`) && ++questions > 8) ends.abort();
      return behaviour?.(path, ask, body) ?? null;
    };
  const behaviours = [without('height_pruned'), without('height_ahead'), null, null];
  const { connect } = await addressed(t, behaviours.map(ending));
  const client = await connect();
  const { height } = await client.call('kv', 'set', { ...at, value: 1 });
  const keys = client.module<typeof kv>('kv');
  t.is((await keys.ask.get(at, { atHeight: height })).result.value, 1);
  const future = keys.ask.get(at, { atHeight: FUTURE, signal: ends.signal });
  t.regex(await codeOf(future), /^height_(ahead|pruned)$/);
  t.true(questions > 8, 'three of four say so, and are asked again');
  for (const code of ['height_pruned', 'height_ahead'] as const) {
    const all = await addressed(
      t,
      Array.from({ length: 4 }, () => without(code)),
    );
    t.is(await codeOf((await all.connect()).query('kv', 'get', at, { atHeight: 1 })), code);
    t.true(all.asked.every((count) => count > 0));
  }
});

test('what a module refuses of the past is one node’s word, like any other', async (t) => {
  const { connect, asked } = await addressed(t, [null, null, null, null]);
  const client = await connect();
  asked.fill(0);
  t.is(await codeOf(client.query('kv', 'get', at, { atHeight: 0 })), 'key_not_found');
  t.is(
    asked.reduce((sum, each) => sum + each),
    1,
  );
});

test('options that exclude each other are refused', async (t) => {
  const { connect } = await addressed(t, [null]);
  const client = await connect();
  const both = { atHeight: 0, consistency: 'linearizable' } as const;
  t.is(await codeOf(client.query('kv', 'get', at, both)), 'unsupported_parameter');
});

for (const height of ['-1', '1.5', 'x', '9007199254740993']) {
  test(`an answer as of height ${height} is none`, async (t) => {
    const saying: Behaviour = async (path, ask) => {
      const response = await ask();
      if (!path.includes('/kv/')) return response;
      return new Response(response.body, { headers: { 'x-althing-height': height } });
    };
    const { connect } = await addressed(t, [saying, null]);
    const client = await connect();
    const written = await client.call('kv', 'set', { ...at, value: 1 });
    client.nodes.distrust(1);
    const read = await client.query('kv', 'get', at);
    t.true(read.height >= written.height);
  });
}

test('X3: an answer of more values than memory is for is none', (t) => {
  const count = 2_000_000;
  const body = new Uint8Array(5 + count).fill(0x80);
  body.set([0xdd, 0, (count >> 16) & 0xff, (count >> 8) & 0xff, count & 0xff]);
  const answer = { node: 0, status: 200, headers: new Headers(), body };
  t.is(parsedAnswer(answer), null);
  body.set([0xdd, 0, 0, 0, 1]);
  t.deepEqual(parsedAnswer({ ...answer, body: body.subarray(0, 6) }), { value: [{}] });
});
