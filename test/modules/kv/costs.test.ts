/** Senders whose commands are short and whose work is long. */
import test from 'ava';
import { RECEIPT_STEPS, STEPS_MAX, STEPS_MIN } from '../../../protocols/transaction/meter.ts';
import type { Call } from '../../../protocols/transaction/submission.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import { builtInModules } from '../../../src/modules/built-in.ts';
import { Chain, clusterOf, finalBlock, receiptsOf, signed } from '../../transaction/fixture.ts';
import { call, codeOf, plain, Store } from './store.ts';

/** Of a transaction; a submission has sixteen times as many. */
const STEPS = 100_000;
/** To look at a key of `filling`, and to delete it with its event. */
const LOOK = 16;
const DELETE = (64 + 'n/k00000'.length) * RECEIPT_STEPS;
/** Keys that a lease can take along with that. */
const SWEPT_MAX = Math.floor(STEPS / (LOOK + DELETE));
/** Keys that a range of `visited` keys can delete with that. */
const deletedMax = (visited: number, steps = STEPS) =>
  Math.floor((steps - visited * LOOK) / DELETE);

/** Batches that write `count` keys. */
function filling(count: number, more: Readonly<Record<string, Value>> = {}): Call[] {
  const sets = Array.from({ length: count }, (_, n) => ({
    set: { key: `k${String(n).padStart(5, '0')}`, value: 1, ...more },
  }));
  return Array.from({ length: Math.ceil(count / 128) }, (_, n) =>
    call('batch', { ops: sets.slice(n * 128, n * 128 + 128) }),
  );
}

/** Each in a submission of its own: their receipts take steps, too. */
function fill(store: Store, count: number, more: Readonly<Record<string, Value>> = {}): void {
  for (const batch of filling(count, more)) store.run([batch]);
}

const metered = () => new Store(undefined, { stepsMax: STEPS });
/** Of keys that one transaction has steps for. */
const COUNT = 80;
const deleted = (limit: number) => call('deleteRange', { limit });

test('R14: of a range that has more keys than there are steps, those that there are steps for', (t) => {
  const store = metered();
  fill(store, 300);
  const count = deletedMax(300);
  t.deepEqual(store.one(deleted(300)), { deleted: count, more: true });
  t.is(store.entries().length, 300 - count);
});

test('R14: with default limits a command deletes hundreds of keys', (t) => {
  const store = new Store();
  fill(store, 1000);
  const first = store.one(deleted(1000)) as { deleted: number };
  t.true(first.deleted >= deletedMax(1000, STEPS_MAX) && first.deleted < 1000);
  t.deepEqual(store.one(deleted(1000)), { deleted: 1000 - first.deleted, more: false });
});

test('R14: who deletes by many short calls is stopped at the same one on every node', (t) => {
  const run = (budget: number) => {
    const chain = new Chain(clusterOf({ stepsMax: STEPS }), builtInModules);
    for (const [seq, batch] of filling(4000).entries()) chain.run(signed(seq, [batch]));
    const { height } = chain.executor;
    const left = { left: budget };
    const calls = Array.from({ length: 40 }, () => deleted(COUNT));
    chain.executor.begin(finalBlock(height + 1, [[0, [signed(height, calls)]]]), left);
    for (let turns = 1; ; turns++) {
      const result = chain.executor.advance(left);
      if (result !== null) {
        return { turns, codes: receiptsOf(result).map(codeOf), root: chain.root() };
      }
      left.left = budget;
    }
  };
  const inOne = run(Infinity);
  const ok = Math.floor((16 * STEPS) / (COUNT * (LOOK + DELETE)));
  t.deepEqual(inOne.codes, [
    ...Array<string>(ok).fill('ok'),
    'ok',
    ...Array<string>(39 - ok).fill('too_expensive'),
  ]);
  const inTurns = run(100);
  t.true(inTurns.turns > ok, 'a turn ends after each of them');
  t.deepEqual({ ...inTurns, turns: 1 }, inOne);
});

test('R14: rows that a range only looks at count, too', (t) => {
  const store = metered();
  fill(store, 200);
  const chatty = Array.from({ length: 600 }, () =>
    call('deleteRange', { from: 'a', to: 'b', limit: 200 }),
  );
  const codes = store.codes(chatty);
  t.is(codes.indexOf('too_expensive'), (16 * STEPS) / (200 * 16));
  t.is(store.entries().length, 200);
});

test('R14: the ranges of a transaction count, those that it deletes and those that it compares', (t) => {
  const store = metered();
  fill(store, 128);
  const compared = call('txn', {
    compare: [{ key: 'k', prefix: true, target: 'version', is: 'greater', value: 0 }],
  });
  const codes = store.codes(Array.from({ length: 900 }, () => compared));
  t.is(codes.indexOf('too_expensive'), Math.floor((16 * STEPS) / (64 + 128 * LOOK)));
  fill(store, 4000);
  const tens = Array.from({ length: 400 }, (_, n) =>
    call('batch', { ops: [{ deleteRange: { prefix: `k${String(n).padStart(4, '0')}` } }] }),
  );
  const ok = Math.floor((16 * STEPS) / (256 + 10 * (LOOK + DELETE)));
  t.is(store.codes(tens).indexOf('too_expensive'), ok);
});

test('R14: each operation of a transaction counts as a command does, also one in another', (t) => {
  const ops = Array.from({ length: 100 }, (_, n) => ({ get: { key: `k${n}` } }));
  const first = (each: Call): number =>
    metered()
      .codes(Array.from({ length: 100 }, () => each))
      .indexOf('too_expensive');
  t.is(first(call('batch', { ops })), Math.floor((16 * STEPS) / (100 * 256)));
  const txn = { compare: [], success: ops };
  t.is(first(call('batch', { ops: [{ txn }] })), Math.floor((16 * STEPS) / (101 * 256)));
});

test('R14: each comparison counts', (t) => {
  const compare = Array.from({ length: 100 }, (_, n) => ({
    key: `k${n}`,
    target: 'version',
    is: 'equal',
    value: 0,
  }));
  const calls = Array.from({ length: 100 }, () => call('txn', { compare }));
  const store = new Store(undefined, { stepsMax: 10_000 });
  t.is(store.codes(calls).indexOf('too_expensive'), (16 * 10_000) / (100 * 64));
});

test('R14: a question looks at no more rows than there are steps for', (t) => {
  const store = new Store(undefined, { stepsMax: 1600 });
  for (let n = 0; n < 101; n++) store.run([call('set', { key: `k${n}`, value: 1 })]);
  const { entries } = store.ask('list', { namespace: 'n', limit: 100 }) as { entries: unknown[] };
  t.is(entries.length, 100);
  t.is(store.ask('list', { namespace: 'n', limit: 101, minModRevision: 1000 }), 'too_expensive');
  t.is(store.ask('count', { namespace: 'n' }), 'too_expensive');
  t.like(store.ask('count', { namespace: 'n', prefix: 'k10' }), { count: 2 });
});

test('R10: keys that are shown without their values count as entries do', (t) => {
  const store = new Store();
  const long = (n: number) => `${n}`.padEnd(500, 'x');
  for (let n = 10; n < 50; n++) store.run([call('set', { key: long(n), value: 1 })]);
  const shown = (limit: number) =>
    store.codes([call('batch', { ops: [{ range: { limit, keysOnly: true } }] })]);
  t.deepEqual(shown(32), ['ok']);
  t.deepEqual(shown(33), ['result_too_large']);
});

test('R14: a value is compared with no more bytes than there are steps for', (t) => {
  const store = metered();
  const value = 'x'.repeat(10_000);
  for (let n = 0; n < 15; n++) store.run([call('set', { key: `k${n}`, value })]);
  const compared = (target: string, is: string, to: Value) =>
    call('txn', {
      compare: [{ key: 'k', prefix: true, target, is, value: to }],
      success: [],
    });
  t.deepEqual(store.codes([compared('version', 'greater', 0)]), ['ok']);
  t.deepEqual(store.codes([compared('value', 'notEqual', 'y')]), ['too_expensive']);
});

for (const how of ['is revoked', 'ends by itself']) {
  test(`R14: a lease that ${how} takes along what there are steps for, and the rest later`, (t) => {
    const store = metered();
    store.run([plain('grantLease', { ttlMs: 10_000, lease: 'l' })]);
    const count = 2 * SWEPT_MAX + 50;
    fill(store, count, { lease: 'l' });
    const [first] =
      how === 'is revoked'
        ? store.at(50, [plain('revokeLease', { lease: 'l' })])
        : store.at(10_000);
    t.is(first!.events.length, SWEPT_MAX);
    if (how === 'is revoked') t.deepEqual(first!.result, { deleted: SWEPT_MAX, more: true });
    t.deepEqual(store.entries(), []);
    t.is(store.at(10_001)[0]!.events.length, SWEPT_MAX);
    t.is(store.at(10_002)[0]!.events.length, 50);
    t.is(store.at(10_003).length, 0);
    t.like(store.ask('namespace', { namespace: 'n' }), { keys: 0, bytes: 0 });
  });
}

// I130, I131
test('a lease with the longest key ends, however few steps a cluster gives', (t) => {
  const store = new Store(undefined, { stepsMax: STEPS_MIN });
  const longest = { namespace: 'n'.repeat(64), key: '\u{2603}'.repeat(512) };
  store.run([plain('grantLease', { ttlMs: 1000, lease: 'l' })]);
  t.deepEqual(store.codes([call('set', { ...longest, value: 1, lease: 'l' })]), ['ok']);
  const [ended] = store.at(1000);
  t.like(ended, { status: 'ok', events: [{ name: 'deleted', data: longest }] });
  t.deepEqual(store.at(3000), [], 'no timer tries again');
});

test('R14: a lease that is revoked when no steps are left ends, and its keys go later', (t) => {
  const store = metered();
  store.run([plain('grantLease', { ttlMs: 10_000, lease: 'l' })]);
  store.run([call('set', { key: 'z', value: 1, lease: 'l' }), ...filling(4000)]);
  const calls = Array.from({ length: 40 }, () => deleted(COUNT));
  const revoked = store.at(50, [...calls, plain('revokeLease', { lease: 'l' })]).at(-1)!;
  t.deepEqual(revoked.result, { deleted: 0, more: true });
  t.deepEqual(store.ask('exists', { namespace: 'n', key: 'z' }), { exists: false });
  t.is(store.at(51)[0]!.events.length, 1);
  t.is(store.at(52).length, 0);
});

test('R14: what leases take along counts for the submission', (t) => {
  const store = metered();
  const leases = Array.from({ length: 5 }, (_, n) => `l${n}`);
  for (const [n, lease] of leases.entries()) {
    store.run([plain('grantLease', { ttlMs: 10_000, lease })]);
    const sets = Array.from({ length: COUNT }, (__, k) => ({
      set: { key: `z${n}-${String(k).padStart(3, '0')}`, value: 1, lease },
    }));
    store.run([call('batch', { ops: sets })]);
  }
  fill(store, 4000);
  const revokes = leases.map((lease) => plain('revokeLease', { lease }));
  const codes = store.codes([...revokes, ...Array.from({ length: 40 }, () => deleted(COUNT))]);
  t.is(codes.indexOf('too_expensive'), Math.floor((16 * STEPS) / (COUNT * (LOOK + DELETE))) + 1);
});
