/** Lists of upgrades, as far as a node is believed. */
import test from 'ava';
import type { Connection } from '../../src/cli/connection.ts';
import { proposalsOf, upgradesOf } from '../../src/cli/upgrades.ts';
import type { Answer } from '../../src/client/reads.ts';

/** A cluster that answers with these pages, and how many were asked for. */
function answering(pages: readonly Partial<Answer<unknown>>[]) {
  let asked = 0;
  const query = () => Promise.resolve({ height: 9, ...pages[asked++] });
  return { connection: { client: { query } } as unknown as Connection, count: () => asked };
}
const program = { name: 'raffle', version: 1, digest: '' };
const upgrade = (height: number) => ({ ...program, height, outcome: 'waiting', withdrawals: [] });

test('a list is what all its pages have, and as complete and as late as the least of them', async (t) => {
  const { connection } = answering([
    { result: { upgrades: [upgrade(5)], next: 5 }, isComplete: false, height: 9 },
    { result: { upgrades: [upgrade(7)], next: null }, isComplete: true, height: 8 },
  ]);
  t.deepEqual(await upgradesOf(connection), {
    rows: [upgrade(5), upgrade(7)] as never,
    height: 8,
    isComplete: false,
  });
  const believed = answering([{ result: { proposals: [], next: null } }]).connection;
  t.deepEqual(await proposalsOf(believed), { rows: [], height: 9, isComplete: true });
});

for (const [name, list, result] of [
  ['no list', upgradesOf, { next: null }],
  ['no object', upgradesOf, null],
  [
    'an upgrade without withdrawals',
    upgradesOf,
    { upgrades: [{ ...upgrade(5), withdrawals: null }], next: null },
  ],
  [
    'a proposal without approvals',
    proposalsOf,
    { proposals: [{ ...program, height: 5 }], next: null },
  ],
] as const) {
  test(`a page that has ${name} is refused`, async (t) => {
    const { connection } = answering([{ result }]);
    await t.throwsAsync(list(connection), {
      code: 'bad_answer',
      message: /^the list of (upgrades|proposals) is none/,
    });
  });
}

test('a list that a node never ends is read no further', async (t) => {
  const { connection, count } = answering(Array(3).fill({ result: { upgrades: [], next: 7 } }));
  await t.throwsAsync(upgradesOf(connection), {
    code: 'bad_answer',
    message: /^the list of upgrades does not go on/,
  });
  t.is(count(), 2);
});
