/** What a run of histories is judged by, besides the order of each key: that each check can fail. */
import test from 'ava';
import { FAULT_KINDS, roundOf, type Fault, type FaultKind } from '../../bench/faults/plan.ts';
import { Glances } from '../../bench/histories/glances.ts';
import { balancesAfter, wrongWith } from '../../bench/histories/money-audit.ts';
import { OPENING, type Transfer } from '../../bench/histories/money.ts';
import { Random } from '../../bench/random.ts';
import { percentile } from '../../bench/scenarios/failover.ts';

function planOf(seed: number, kinds: readonly FaultKind[]): Fault[] {
  const random = new Random(seed);
  return Array.from({ length: 20 }, () => roundOf(random.fork(), kinds, 4)).flat();
}

test('a seed draws the same faults again, of all kinds', (t) => {
  const plan = planOf(7, FAULT_KINDS);
  t.deepEqual(planOf(7, FAULT_KINDS), plan);
  t.notDeepEqual(planOf(8, FAULT_KINDS), plan);
  const kinds = new Set(plan.map(({ kind }) => kind));
  t.deepEqual([...kinds].toSorted(), FAULT_KINDS.toSorted());
  for (const { atMs, forMs, nodes } of plan) {
    t.true(forMs >= 0 && atMs >= 0);
    t.true(nodes.length > 0 && new Set(nodes).size === nodes.length);
  }
});

test('only those faults come that were asked for', (t) => {
  const plan = planOf(1, ['kill', 'clock']);
  t.deepEqual([...new Set(plan.map(({ kind }) => kind))].toSorted(), ['clock', 'kill']);
});

function glances(): Glances {
  return new Glances({
    cluster: { urls: [] },
    random: new Random(1),
    lifeOf: () => 0,
    keys: () => [],
    accounts: ['a', 'b'],
    issued: 2 * OPENING,
  });
}

test('a node whose height falls within its life is found', (t) => {
  const seen = glances();
  seen.sawHeight('node 0 in life 0', 5);
  seen.sawHeight('node 0 in life 0', 5);
  seen.sawHeight('node 0 in life 1', 3);
  t.deepEqual(seen.violations, []);
  seen.sawHeight('node 0 in life 0', 4);
  t.deepEqual(seen.violations, ['node 0 in life 0 answers from 4 after 5']);
});

test('two nodes that give one revision to two values are found', (t) => {
  const seen = glances();
  seen.sawEntry(0, { key: 'k', value: 1, modRevision: 9 });
  seen.sawEntry(1, { key: 'k', value: 1, modRevision: 9 });
  t.deepEqual(seen.violations, []);
  seen.sawEntry(1, { key: 'k', value: 2, modRevision: 9 });
  t.deepEqual(seen.violations, ['node 1 has k = 2 of revision 9, which is k = 1']);
});

test('money that is made or lost is found at any height', (t) => {
  const seen = glances();
  const accounts = (a: number, b: number) => [
    { account: 'a', balance: String(a) },
    { account: 'b', balance: String(b) },
    { account: 'issued:unit', balance: '-7' },
  ];
  seen.sawAccounts(0, 1, []);
  seen.sawAccounts(0, 9, accounts(OPENING - 5, OPENING + 5));
  t.deepEqual(seen.violations, []);
  seen.sawAccounts(0, 10, accounts(OPENING, OPENING + 5));
  seen.sawAccounts(0, 11, accounts(OPENING, 0).slice(0, 1));
  t.is(seen.violations.length, 2);
});

const transfer: Transfer = {
  label: 'money-0/1',
  id: 'f00',
  from: 'a',
  to: 'b',
  amount: 5,
  askedAt: 0,
  answeredAt: 1,
  outcome: 'ok',
  place: { height: 3, index: 1 },
};
const found = { status: 'ok', height: 3, index: 1 };

test('a transfer that was answered is where it was told, at every node', (t) => {
  t.deepEqual(wrongWith(transfer, [found, found]), []);
  t.regex(wrongWith(transfer, [null, null])[0]!, /was answered ok at 3\/1; nodes say: nothing/);
  t.regex(wrongWith(transfer, [found, null])[0]!, /is not the same everywhere/);
  const elsewhere = { ...found, index: 2 };
  t.regex(wrongWith(transfer, [elsewhere, elsewhere])[0]!, /was answered ok at 3\/1/);
  const failed = { ...found, status: 'failed' };
  t.regex(wrongWith(transfer, [failed, failed])[0]!, /was answered ok at 3\/1/);
});

test('a transfer that was refused is nowhere, and one that nobody told of anywhere, but alike', (t) => {
  const { place: _, ...unplaced } = transfer;
  const refused: Transfer = { ...unplaced, outcome: 'refused' };
  t.deepEqual(wrongWith(refused, [null, null]), []);
  t.regex(wrongWith(refused, [found, found])[0]!, /was refused, and happened/);
  const unknown: Transfer = { ...unplaced, outcome: 'unknown' };
  t.deepEqual(wrongWith(unknown, [null, null]), []);
  t.deepEqual(wrongWith(unknown, [found, found]), []);
  t.regex(wrongWith(unknown, [null, found])[0]!, /is not the same everywhere/);
});

test('accounts hold what happened, and no more', (t) => {
  t.deepEqual(
    [...balancesAfter(['a', 'b'], [transfer, transfer])],
    [
      ['a', OPENING - 10],
      ['b', OPENING + 10],
    ],
  );
});

test('a percentile is one of the values', (t) => {
  const values = [5, 1, 4, 2, 3];
  t.deepEqual(
    [0.5, 0.99, 1].map((share) => percentile(values, share)),
    [3, 5, 5],
  );
  t.is(percentile([7], 0.5), 7);
});
