/** Senders whose commands are short and whose work is long. */
import test from 'ava';
import type { Call } from '../../../protocols/transaction/submission.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import { builtInModules } from '../../../src/modules/built-in.ts';
import { Chain, clusterOf, finalBlock, receiptsOf, signed } from '../../transaction/fixture.ts';
import { call, codeOf, plain, Store } from './store.ts';

/** Of a transaction; a submission has sixteen times as many. */
const STEPS = 100_000;
/** Keys that a transaction can delete with that: 528 steps each. */
const DELETED_MAX = 189;

/** Batches that write `count` keys. */
function filling(count: number, more: Readonly<Record<string, Value>> = {}): Call[] {
  const sets = Array.from({ length: count }, (_, n) => ({
    set: { key: `k${String(n).padStart(5, '0')}`, value: 1, ...more },
  }));
  return Array.from({ length: Math.ceil(count / 128) }, (_, n) =>
    call('batch', { ops: sets.slice(n * 128, n * 128 + 128) }),
  );
}

const metered = () => new Store(undefined, { stepsMax: STEPS });
const deleted = (limit: number) => call('deleteRange', { limit });

test('R14: a range that has more keys than there are steps is not deleted', (t) => {
  const store = metered();
  store.run(filling(300));
  t.deepEqual(store.codes([deleted(DELETED_MAX + 1)]), ['too_expensive']);
  t.is(store.entries().length, 300);
  t.deepEqual(store.one(deleted(DELETED_MAX)), { deleted: DELETED_MAX, more: true });
  t.is(store.entries().length, 300 - DELETED_MAX);
});

test('R14: with default limits a command deletes as many keys as one may change', (t) => {
  const store = new Store();
  store.run(filling(1000));
  t.deepEqual(store.one(deleted(1000)), { deleted: 1000, more: false });
});

test('R14: who deletes by many short calls is stopped at the same one on every node', (t) => {
  const run = (budget: number) => {
    const chain = new Chain(clusterOf({ stepsMax: STEPS }), builtInModules);
    chain.run(signed(0, filling(4000)));
    const left = { left: budget };
    const calls = Array.from({ length: 40 }, () => deleted(100));
    chain.executor.begin(finalBlock(2, [[0, [signed(1, calls)]]]), left);
    for (let turns = 1; ; turns++) {
      const result = chain.executor.advance(left);
      if (result !== null) {
        return { turns, codes: receiptsOf(result).map(codeOf), root: chain.root() };
      }
      left.left = budget;
    }
  };
  const inOne = run(Infinity);
  const ok = Math.floor((16 * STEPS) / (100 * 528));
  t.deepEqual(inOne.codes, [
    ...Array<string>(ok).fill('ok'),
    ...Array<string>(40 - ok).fill('too_expensive'),
  ]);
  const inTurns = run(100);
  t.true(inTurns.turns > ok, 'a turn ends after each of them');
  t.deepEqual({ ...inTurns, turns: 1 }, inOne);
});

test('R14: rows that a range only looks at count, too', (t) => {
  const store = metered();
  store.run(filling(200));
  const chatty = Array.from({ length: 600 }, () =>
    call('deleteRange', { from: 'a', to: 'b', limit: 200 }),
  );
  const codes = store.codes(chatty);
  t.is(codes.indexOf('too_expensive'), (16 * STEPS) / (200 * 16));
  t.is(store.entries().length, 200);
});

test('R14: the ranges of a transaction count, those that it deletes and those that it shows', (t) => {
  const store = metered();
  const count = 4000;
  store.run(filling(count));
  const shown = call('batch', { ops: [{ range: { limit: 128, keysOnly: true } }] });
  const codes = store.codes(Array.from({ length: 900 }, () => shown));
  t.is(codes.indexOf('too_expensive'), Math.floor((16 * STEPS) / (256 + 128 * 16)));
  const hundreds = Array.from({ length: count / 100 }, (_, n) =>
    call('batch', { ops: [{ deleteRange: { prefix: `k${String(n).padStart(3, '0')}` } }] }),
  );
  t.is(
    store.codes(hundreds).indexOf('too_expensive'),
    Math.floor((16 * STEPS) / (256 + 100 * 528)),
  );
});

test('R14: each operation of a transaction counts as a command does, also one in another', (t) => {
  const ops = Array.from({ length: 100 }, (_, n) => ({ set: { key: `k${n}`, value: 1 } }));
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
    const count = 2 * DELETED_MAX + 50;
    store.run(filling(count, { lease: 'l' }));
    const [first] =
      how === 'is revoked'
        ? store.at(50, [plain('revokeLease', { lease: 'l' })])
        : store.at(10_000);
    t.is(first!.events.length, DELETED_MAX);
    if (how === 'is revoked') t.deepEqual(first!.result, { deleted: DELETED_MAX, more: true });
    t.deepEqual(store.entries(), []);
    t.is(store.at(10_001)[0]!.events.length, DELETED_MAX);
    t.is(store.at(10_002)[0]!.events.length, 50);
    t.is(store.at(10_003).length, 0);
    t.like(store.ask('namespace', { namespace: 'n' }), { keys: 0, bytes: 0 });
  });
}

test('R14: a lease that is revoked when no steps are left ends, and its keys go later', (t) => {
  const store = metered();
  store.run([plain('grantLease', { ttlMs: 10_000, lease: 'l' })]);
  store.run([call('set', { key: 'z', value: 1, lease: 'l' }), ...filling(4000)]);
  const calls = Array.from({ length: 40 }, () => deleted(100));
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
    const sets = Array.from({ length: 100 }, (__, k) => ({
      set: { key: `z${n}-${k}`, value: 1, lease },
    }));
    store.run([call('batch', { ops: sets })]);
  }
  store.run(filling(4000));
  const revokes = leases.map((lease) => plain('revokeLease', { lease }));
  const codes = store.codes([...revokes, ...Array.from({ length: 40 }, () => deleted(100))]);
  t.is(codes.indexOf('too_expensive'), Math.floor((16 * STEPS) / (100 * 528)));
});
