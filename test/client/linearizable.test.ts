import test from 'ava';
import { AlthingError } from '../../src/client/errors.ts';
import { linearizableHeight } from '../../src/client/linearizable.ts';
import { Nodes } from '../../src/client/nodes.ts';
import { ProvedReads } from '../../src/client/proved-reads.ts';
import type { Freshness, Trust } from '../../src/client/trust.ts';
import { toMsgpack } from '../../src/edge/representation.ts';
import type { Module } from '../../protocols/transaction/module.ts';

type Told = number | 'not there, as of 6' | 'refused' | 'unavailable' | 'nonsense' | 'silent';

/** Four nodes of which each tells this. */
function nodesThat(told: readonly Told[], patienceMs = 600_000) {
  const paths: string[] = [];
  const answer = (each: Told, signal: AbortSignal): Response | Promise<Response> => {
    if (each === 'refused') return new Response('{}', { status: 404 });
    if (each === 'not there, as of 6') return new Response('{"height":6}', { status: 404 });
    if (each === 'unavailable') return new Response('{}', { status: 503 });
    if (each === 'nonsense') return new Response('', { headers: { 'x-althing-height': '-1e3' } });
    if (each !== 'silent') return new Response('', { headers: { 'x-althing-height': `${each}` } });
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
    });
  };
  const fake = (url: string, { signal }: { signal: AbortSignal }) => {
    const [, at = '', path = ''] = /^http:\/\/n(\d)(.*)$/.exec(url)!;
    paths.push(path);
    return Promise.resolve(answer(told[Number(at)]!, signal));
  };
  const urls = told.map((_, at) => `http://n${at}`);
  const nodes = new Nodes({ urls, fetch: fake as unknown as typeof fetch });
  const asked = { path: '/api/v11/kv/get', parameters: { key: 'a' }, faultyMax: 1 };
  return { paths, height: () => linearizableHeight(nodes, asked, { patienceMs }) };
}

const cases: readonly (readonly [string, readonly Told[], number])[] = [
  ['honest nodes', [5, 6, 7, 'silent'], 6],
  ['one that says too much', [5, 6, 1e15, 'silent'], 6],
  ['one that says too little', [5, 6, 0, 'silent'], 5],
  ['one that refuses', [5, 6, 'refused', 7], 6],
  ['modules that refuse', [5, 'not there, as of 6', 7, 'silent'], 6],
  ['one that says nonsense', ['nonsense', 5, 6, 7], 6],
];

for (const [name, told, expected] of cases) {
  test(`X6: the height to reach, of ${name}`, async (t) => {
    const { height, paths } = nodesThat(told);
    t.is(await height(), expected);
    t.true(paths.every((path) => path === '/api/v11/kv/get?key=a&consistency=linearizable'));
  });
}

test('X6: two of four nodes do not tell enough', async (t) => {
  const { height } = nodesThat([5, 6, 'unavailable', 'silent'], 500);
  const error = await t.throwsAsync(height(), { instanceOf: AlthingError });
  t.is(error.code, 'no_answer');
});

test('X6: a client that knows fewer than 2f + 1 nodes is told to give more', async (t) => {
  const { height } = nodesThat([5, 6]);
  const error = await t.throwsAsync(async () => height(), { instanceOf: AlthingError });
  t.is(error.code, 'too_few_nodes');
});

test('X6: what is proved has to reach the height that nodes tell', async (t) => {
  const module = {
    name: 'kv',
    tables: [],
    queries: new Map([['get', { name: 'get', check: () => true, run: () => 1 }]]),
  } as unknown as Module;
  const answer = (url: string): Promise<Response> => {
    const body = url.includes('proof=1') ? toMsgpack({ proof: new Uint8Array(1) }) : '';
    const headers = { 'x-althing-height': '42' };
    return Promise.resolve(new Response(body as string, { headers }));
  };
  const nodes = new Nodes({ urls: ['http://n0'], fetch: answer as unknown as typeof fetch });
  const wanted: unknown[] = [];
  const trust = {
    height: 7,
    facts: { faultyMax: 0 },
    verifyNow: (_: Uint8Array, { minHeight }: Freshness) => {
      wanted.push(minHeight);
      const certified = { block: { timestamp: 1 }, executed: { height: 60 } };
      return { certified, facts: [] };
    },
  } as unknown as Trust;
  const reads = new ProvedReads(nodes, trust);
  for (const options of [
    {},
    { consistency: 'linearizable' },
    { consistency: 'linearizable', minHeight: 50 },
    { consistency: 'linearizable', minHeight: 5 },
  ] as const) {
    await reads.query(module, 'get', { value: {}, parameters: {} }, options);
  }
  t.deepEqual(wanted, [7, 42, 50, 42]);
});
