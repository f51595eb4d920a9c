import test from 'ava';
import type { Value } from '../../../protocols/transaction/values.ts';
import { call, codeOf, onKey, plain, Store } from './store.ts';

type Args = Record<string, Value>;

const txn = (args: Args) => call('txn', { compare: [], ...args });
const compare = (target: string, is: string, value: Value, key = 'k'): Args => ({
  key,
  target,
  is,
  value,
});
const set = (key: string, value: Value = 1, more: Args = {}): Args => ({
  set: { key, value, ...more },
});
const revisions = (created: number, changed: number, version: number) => ({
  createRevision: created,
  modRevision: changed,
  version,
});

function filled(): Store {
  const store = new Store();
  store.run([
    plain('grantLease', { ttlMs: 5000, lease: 'l' }),
    onKey('set', { value: 5 }),
    onKey('set', { value: 7, lease: 'l' }),
  ]);
  return store;
}

const comparisons: readonly (readonly [Args, boolean])[] = [
  [compare('value', 'equal', 7), true],
  [compare('value', 'equal', 5), false],
  [compare('value', 'notEqual', 5), true],
  [compare('value', 'greater', 6), true],
  [compare('value', 'greater', 7), false],
  [compare('value', 'less', 2n ** 60n), true],
  [compare('value', 'less', 'text'), false],
  [compare('value', 'greater', 'text'), false],
  [compare('value', 'notEqual', 'text'), true],
  [compare('version', 'equal', 2), true],
  [compare('version', 'less', 2), false],
  [compare('version', 'greater', 1), true],
  [compare('createRevision', 'equal', 1), true],
  [compare('modRevision', 'equal', 2), true],
  [compare('modRevision', 'notEqual', 2), false],
  [compare('lease', 'equal', 'l'), true],
  [compare('lease', 'notEqual', ''), true],
  // Of a key that is not there every mark is 0, and nothing holds of its value.
  [compare('version', 'equal', 0, 'x'), true],
  [compare('createRevision', 'equal', 0, 'x'), true],
  [compare('modRevision', 'greater', 0, 'x'), false],
  [compare('lease', 'equal', '', 'x'), true],
  [compare('value', 'equal', null, 'x'), false],
  [compare('value', 'notEqual', 7, 'x'), false],
  // Of a range each key counts, and none at all is as one that is not there.
  [{ ...compare('version', 'greater', 0), prefix: true }, true],
  [{ ...compare('version', 'greater', 1), prefix: true }, false],
  [{ ...compare('version', 'equal', 0, 'x'), prefix: true }, true],
  [{ ...compare('version', 'greater', 0, 'x'), prefix: true }, false],
];

for (const [each, expected] of comparisons) {
  test(`${JSON.stringify(each, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))} is ${expected}`, (t) => {
    const store = filled();
    store.run([onKey('set', { key: 'k/1', value: 1 })]);
    const asked = txn({ compare: [each], success: [set('y')], failure: [set('n')] });
    t.like(store.one(asked), { succeeded: expected, revision: 4 });
    t.deepEqual(store.ask('exists', { namespace: 'n', key: expected ? 'y' : 'n' }), {
      exists: true,
    });
    t.is(store.entries().length, 3);
  });
}

test('succeeds if all comparisons hold, of which there may be none', (t) => {
  const store = filled();
  const [yes, no] = [compare('version', 'equal', 2), compare('version', 'equal', 3)];
  t.like(store.one(txn({ compare: [yes, yes] })), { succeeded: true, results: [], revision: 2 });
  t.like(store.one(txn({ compare: [yes, no] })), { succeeded: false });
  t.like(store.one(txn({})), { succeeded: true });
});

test('R9: does one operation after the other, each seeing those before it, all at one revision', (t) => {
  const store = filled();
  const success = [
    set('a', 1),
    { get: { key: 'a' } },
    set('b', 2, { lease: 'l', prevKv: true }),
    { delete: { key: 'k', prevKv: true } },
    { delete: { key: 'x' } },
    { get: { key: 'k' } },
    { range: { from: 'a', to: 'c', limit: 1 } },
    { range: { keysOnly: true } },
  ];
  const a = { key: 'a', value: 1, ...revisions(3, 3, 1) };
  t.deepEqual(store.one(txn({ success })), {
    revision: 3,
    succeeded: true,
    results: [
      { set: revisions(3, 3, 1) },
      { get: a },
      { set: { ...revisions(3, 3, 1), lease: 'l', prev: null } },
      { delete: { deleted: 1, prev: { key: 'k', value: 7, lease: 'l', ...revisions(1, 2, 2) } } },
      { delete: { deleted: 0 } },
      { get: null },
      { range: { entries: [a], next: 'a' } },
      {
        range: {
          entries: [
            { key: 'a', ...revisions(3, 3, 1) },
            { key: 'b', lease: 'l', ...revisions(3, 3, 1) },
          ],
          next: null,
        },
      },
    ],
  });
  t.deepEqual(store.one(call('batch', { ops: [{ deleteRange: { prefix: '' } }, set('c')] })), {
    revision: 4,
    results: [{ deleteRange: { deleted: 2 } }, { set: revisions(4, 4, 1) }],
  });
});

test('R9: branches follow from what was there before the whole', (t) => {
  const store = filled();
  const inner = {
    txn: {
      compare: [compare('version', 'equal', 0, 'a')],
      success: [set('inner')],
      failure: [set('other')],
    },
  };
  t.deepEqual(store.one(txn({ success: [set('a'), inner] })), {
    revision: 3,
    succeeded: true,
    results: [
      { set: revisions(3, 3, 1) },
      { txn: { succeeded: true, results: [{ set: revisions(3, 3, 1) }] } },
    ],
  });
  t.deepEqual(store.codes([txn({ success: [{ txn: { compare: [], success: [inner] } }] })]), [
    'invalid_args',
  ]);
});

test('R9: nothing is done when one operation is refused', (t) => {
  const store = filled();
  const before = store.entries();
  const receipts = store.run([
    txn({ success: [set('a'), set('b', 1, { lease: 'none' })] }),
    txn({ success: [set('a'), set('a')] }),
    call('batch', {
      ops: [set('a', 1, { ttlMs: 50 }), { get: { key: 'a' } }, set('b', 1, { lease: 'none' })],
    }),
  ]);
  t.deepEqual(receipts.map(codeOf), ['lease_not_found', 'duplicate_key', 'lease_not_found']);
  t.deepEqual(
    receipts.map(({ events }) => events.length),
    [0, 0, 0],
  );
  t.deepEqual(store.entries(), before);
  t.is(store.revision(), 2);
  t.is(store.at(100).length, 0);
});

test('R3: no command changes a key twice', (t) => {
  const store = filled();
  const remove = (key: string) => ({ delete: { key } });
  const twice: readonly (readonly Value[])[] = [
    [set('a'), set('a')],
    [set('k'), remove('k')],
    [remove('k'), set('k')],
    [set('a'), { deleteRange: {} }],
    [{ deleteRange: {} }, set('k')],
    [set('a'), { txn: { compare: [], success: [set('a')] } }],
  ];
  for (const ops of twice) t.is(store.one(call('batch', { ops })), 'duplicate_key');
  const fine = [remove('x'), set('x'), remove('k'), remove('k'), { deleteRange: { prefix: 'k' } }];
  t.deepEqual(store.codes([call('batch', { ops: fine })]), ['ok']);
});

test('R10: ranges of one transaction cover a bounded number of keys', (t) => {
  const store = new Store();
  const ops = (start: number, count: number) =>
    Array.from({ length: count }, (_, n) => set(`k${1000 + start + n}`));
  store.run([call('batch', { ops: ops(0, 100) }), call('batch', { ops: ops(100, 29) })]);
  const all = { keysOnly: true };
  t.deepEqual(
    store.codes([
      txn({ success: [{ range: all }] }),
      txn({ success: [{ range: { ...all, limit: 1000 } }] }),
      txn({ success: [{ range: { ...all, limit: 64 } }, { range: { ...all, limit: 64 } }] }),
      txn({ success: [{ range: { ...all, limit: 64 } }, { range: { ...all, limit: 65 } }] }),
      txn({ compare: [{ ...compare('version', 'equal', 1), prefix: true }] }),
      txn({ success: [{ deleteRange: {} }] }),
      txn({ success: [{ deleteRange: { from: 'k1001' } }] }),
    ]),
    ['ok', 'too_many_rows', 'ok', 'too_many_rows', 'too_many_rows', 'too_many_rows', 'ok'],
  );
});

test('R10: a result shows a bounded number of bytes', (t) => {
  const store = new Store();
  store.run([
    onKey('set', { value: 'x'.repeat(16_384 - 4) }),
    onKey('set', { key: 'l', value: 'x'.repeat(16_384) }),
  ]);
  const get = (key: string) => ({ get: { key } });
  t.deepEqual(
    store.codes([
      txn({ success: [get('k')] }),
      txn({ success: [get('k'), get('k')] }),
      txn({ success: [get('l')] }),
      txn({ success: [{ range: {} }] }),
      onKey('set', { key: 'l', value: 1, prevKv: true }),
      onKey('delete', { key: 'l', prevKv: true }),
      onKey('set', { key: 'k', value: 1, prevKv: true }),
    ]),
    ['ok', ...Array<string>(5).fill('result_too_large'), 'ok'],
  );
});

const misfits: readonly (readonly [string, Args, string])[] = [
  ['two operations in one', { success: [{ ...set('a'), get: { key: 'a' } }] }, 'invalid_args'],
  ['an operation without one', { success: [{}] }, 'invalid_args'],
  ['an unknown operation', { success: [{ put: { key: 'a', value: 1 } }] }, 'invalid_args'],
  ['an unknown target', { compare: [compare('size', 'equal', 1)] }, 'invalid_args'],
  ['an unknown relation', { compare: [compare('version', '=', 1)] }, 'invalid_args'],
  ['129 operations', { success: Array<Value>(129).fill({ get: { key: 'a' } }) }, 'invalid_args'],
  ['a version that is text', { compare: [compare('version', 'equal', '1')] }, 'bad_compare'],
  ['a lease that is a number', { compare: [compare('lease', 'equal', 0)] }, 'bad_compare'],
];

for (const [what, args, code] of misfits) {
  test(`refuses ${what}`, (t) => {
    t.is(filled().one(txn(args)), code);
  });
}
