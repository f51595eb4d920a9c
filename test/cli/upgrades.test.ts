/** Lists of upgrades, as far as a node is believed. */
import test from 'ava';
import { pack } from 'msgpackr';
import type { Connection } from '../../src/cli/connection.ts';
import { proposalsOf, upgradesOf } from '../../src/cli/upgrades.ts';
import { Nodes } from '../../src/client/nodes.ts';
import type { Answer } from '../../src/client/reads.ts';

/** A cluster whose nodes answer with these pages, one after the other, the last again and again. */
function answering(...nodes: readonly (readonly Partial<Answer<unknown>>[])[]) {
  const asked = nodes.map(() => 0);
  const fetch = (url: string): Promise<Response> => {
    const node = Number(new URL(url).hostname.slice(1));
    const pages = nodes[node]!;
    const page = pages[Math.min(asked[node]!++, pages.length - 1)]!;
    const headers = { 'x-althing-height': String(page.height ?? 9) };
    return Promise.resolve(new Response(new Uint8Array(pack(page.result)), { headers }));
  };
  const client = {
    nodes: new Nodes({
      urls: nodes.map((_, node) => `http://n${node}`),
      fetch: fetch as unknown as typeof globalThis.fetch,
    }),
  };
  const { signal } = new AbortController();
  const connection = { client, signal, timeoutMs: 60_000, verifies: false };
  return { connection: connection as unknown as Connection, asked };
}

/** The same, of which what it says is proved. */
function proving(pages: readonly Partial<Answer<unknown>>[]): Connection {
  let asked = 0;
  const query = () => Promise.resolve({ height: 9, ...pages[asked++] });
  return { client: { query }, verifies: true } as unknown as Connection;
}
const program = { name: 'raffle', version: 1, digest: '' };
const upgrade = (height: number) => ({ ...program, height, outcome: 'waiting', withdrawals: [] });

test('a list is what all its pages have, and as complete and as late as the least of them', async (t) => {
  const pages = [
    { result: { upgrades: [upgrade(5)], next: 5 }, isComplete: false, height: 9 },
    { result: { upgrades: [upgrade(7)], next: null }, isComplete: true, height: 8 },
  ];
  const rows = [upgrade(5), upgrade(7)] as never;
  t.deepEqual(await upgradesOf(proving(pages)), { rows, height: 8, isComplete: false });
  const said = pages.map(({ result, height }) => ({ result, height }));
  const { connection } = answering(said);
  t.deepEqual(await upgradesOf(connection), { rows, height: 8, isComplete: true });
});

const empty = { result: { upgrades: [], proposals: [], next: null } };
for (const [name, list, result, fault] of [
  ['has no list', upgradesOf, { next: null }, 'is none'],
  ['is no object', upgradesOf, null, 'is none'],
  [
    'has an upgrade without withdrawals',
    upgradesOf,
    { upgrades: [{ ...upgrade(5), withdrawals: null }], next: null },
    'is none',
  ],
  [
    'has a proposal without approvals',
    proposalsOf,
    { proposals: [{ ...program, height: 5 }], next: null },
    'is none',
  ],
] as const) {
  test(`a page that ${name} is no answer, and the next node is asked`, async (t) => {
    const { upgrades: _u, ...proposals } = empty.result;
    const { proposals: _p, ...upgrades } = empty.result;
    const good = { result: list === upgradesOf ? upgrades : proposals };
    const { connection } = answering([{ result }], [good]);
    t.deepEqual((await list(connection)).rows, []);
    const alone = answering([{ result }]).connection;
    await t.throwsAsync(list({ ...alone, timeoutMs: 50 }), {
      code: 'bad_answer',
      message: new RegExp(`its list of (upgrades|proposals) ${fault}`),
    });
  });
}

test('a list that a node never ends is read no further', async (t) => {
  const endless = [{ result: { upgrades: [], next: 7 } }];
  const { connection, asked } = answering(endless, [
    { result: { upgrades: [upgrade(8)], next: null } },
  ]);
  t.deepEqual((await upgradesOf(connection)).rows, [upgrade(8)] as never);
  t.deepEqual(asked, [2, 1]);
});
