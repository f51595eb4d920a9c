import test from 'ava';
import type { Value } from '../../../protocols/transaction/values.ts';
import { bob } from '../../transaction/fixture.ts';
import { at, call, codeOf, onKey, Store } from './store.ts';

const revisions = (created: number, changed: number, version: number) => ({
  createRevision: created,
  modRevision: changed,
  version,
});

test('R1: the revision of a change never returns, also not after a delete', (t) => {
  const store = new Store();
  const results = store
    .run([
      onKey('set', { value: 1 }),
      onKey('set', { value: 2, key: 'other' }),
      onKey('delete'),
      onKey('set', { value: 3 }),
    ])
    .map(({ result }) => result);
  t.deepEqual(results, [
    revisions(1, 1, 1),
    revisions(2, 2, 1),
    { revision: 3, deleted: 1 },
    revisions(4, 4, 1),
  ]);
  t.deepEqual(store.ask('get', at), { ...at, value: 3, ...revisions(4, 4, 1) });
  t.is(store.revision(), 4);
  t.is(store.revision('elsewhere'), 0);
});

test('R1: what is refused or changes nothing leaves the revision as it is', (t) => {
  const store = new Store();
  store.run([
    onKey('set', { value: 1 }),
    onKey('set', { value: 2, ifRevision: 7 }),
    onKey('delete', { key: 'missing' }),
    call('deleteRange', { prefix: 'x' }),
    call('batch', { ops: [] }),
    call('batch', { ops: [{ delete: { key: 'missing' } }, { get: { key: 'k' } }] }),
  ]);
  t.is(store.revision(), 1);
});

test('R2: a version counts the writes since the key was created', (t) => {
  const store = new Store();
  store.run([
    onKey('set', { value: 1 }),
    onKey('set', { value: 2 }),
    onKey('compareAndSet', { expected: 2, value: 3 }),
  ]);
  t.like(store.ask('get', at), revisions(1, 3, 3));
  store.run([onKey('delete'), onKey('set', { value: 1 })]);
  t.like(store.ask('get', at), revisions(5, 5, 1));
});

test('each change says what it changed, with the value while that is small', (t) => {
  const store = new Store();
  const small = 'x'.repeat(4093);
  const [written, large, removed] = store.run([
    onKey('set', { value: small }),
    onKey('set', { value: `${small}x` }),
    onKey('delete'),
  ]);
  t.deepEqual(written!.events, [
    { module: 'kv', name: 'set', data: { ...at, value: small, ...revisions(1, 1, 1) } },
  ]);
  t.deepEqual(large!.events, [
    { module: 'kv', name: 'set', data: { ...at, ...revisions(1, 2, 2) } },
  ]);
  t.deepEqual(removed!.events, [
    { module: 'kv', name: 'deleted', data: { ...at, modRevision: 3 } },
  ]);
});

test('writes and removes only at the revision that is expected', (t) => {
  const store = new Store();
  t.deepEqual(
    store.codes([
      onKey('set', { value: 1, ifRevision: 1 }),
      onKey('set', { value: 1, ifRevision: 0 }),
      onKey('set', { value: 2, ifRevision: 0 }),
      onKey('set', { value: 2, ifRevision: 1 }),
      onKey('delete', { ifRevision: 1 }),
      onKey('delete', { ifRevision: 2 }),
      onKey('delete'),
      onKey('delete', { ifRevision: 2 }),
    ]),
    [
      'revision_mismatch',
      'ok',
      'revision_mismatch',
      'ok',
      'revision_mismatch',
      'ok',
      'key_not_found',
      'revision_mismatch',
    ],
  );
});

test('of two writers that saw the same revision one writes, round after round', (t) => {
  const store = new Store();
  store.run([onKey('set', { value: 0 })]);
  for (let round = 0; round < 20; round++) {
    const { value, modRevision } = store.ask('get', at) as { value: number; modRevision: number };
    const raise = onKey('set', { value: value + 1, ifRevision: modRevision });
    const codes = [...store.codes([raise]), ...store.codes([raise], bob)];
    t.deepEqual(codes, ['ok', 'revision_mismatch']);
  }
  t.like(store.ask('get', at), { value: 20, version: 21 });
});

test('shows the entry before where it is asked for, and null where there was none', (t) => {
  const store = new Store();
  const entry = { key: 'k', value: 1, ...revisions(1, 1, 1) };
  t.deepEqual(store.one(onKey('set', { value: 1, prevKv: true })), {
    ...revisions(1, 1, 1),
    prev: null,
  });
  t.like(store.one(onKey('set', { value: 2, prevKv: true })), { prev: entry });
  t.like(store.one(onKey('delete', { prevKv: true })), { deleted: 1, prev: { value: 2 } });
});

test('compares by value, whatever its kind, and tells null from nothing', (t) => {
  const compare = (expected: Value, value: Value) => onKey('compareAndSet', { expected, value });
  const store = new Store();
  const codes = store.codes([
    compare(null, 1),
    onKey('compareAndSet', { value: null }),
    onKey('compareAndSet', { value: 1 }),
    compare(null, { a: [1, Uint8Array.of(2)], b: 'x' }),
    compare({ a: [1, Uint8Array.of(3)], b: 'x' }, 1),
    compare({ a: [1, Uint8Array.of(2), 3], b: 'x' }, 1),
    compare({ a: [1, [2]], b: 'x' }, 1),
    compare({ a: [1, Uint8Array.of(2)] }, 1),
    compare({ a: [1, Uint8Array.of(2)], c: 'x' }, 1),
    compare([1], 1),
    compare({ b: 'x', a: [1, Uint8Array.of(2)] }, 2n ** 60n),
    compare(2n ** 60n, false),
    compare(0, 1),
  ]);
  t.deepEqual(
    codes.map((code, place) => (code === 'ok' ? place : code)),
    [
      'value_mismatch',
      1,
      'value_mismatch',
      3,
      ...Array<string>(6).fill('value_mismatch'),
      10,
      11,
      'value_mismatch',
    ],
  );
});

test('removes a range, as much as is asked for at once', (t) => {
  const store = new Store();
  const keys = ['a', 'b', 'b/1', 'b/2', 'c'];
  store.run(keys.map((key) => onKey('set', { key, value: 1 })));
  t.deepEqual(store.one(call('deleteRange', { prefix: 'b', limit: 2 })), {
    deleted: 2,
    more: true,
  });
  t.deepEqual(store.one(call('deleteRange', { prefix: 'b' })), { deleted: 1, more: false });
  t.deepEqual(store.one(call('deleteRange', { from: 'b', to: 'c' })), { deleted: 0, more: false });
  t.deepEqual(
    store.entries().map(({ key }) => key),
    ['a', 'c'],
  );
  t.is(store.revision(), 7);
  store.run([call('set', { namespace: 'n2', key: 'a', value: 1 }), call('deleteRange', {})]);
  t.deepEqual(store.entries(), []);
  t.is(store.entries('n2').length, 1);
});

const refused: readonly (readonly [string, Record<string, Value>])[] = [
  ['a namespace with a slash', { namespace: 'a/b' }],
  ['a namespace without a name', { namespace: '' }],
  ['a namespace that is no text', { namespace: 1 }],
  ['no key', { key: '' }],
  ['a key that is too long', { key: 'x'.repeat(513) }],
  ['a revision below 0', { ifRevision: -1 }],
  ['no time to live', { ttlMs: 0 }],
  ['a time to live of more than a year', { ttlMs: 31_536_000_001 }],
  ['the lease of another key', { lease: 'n/other' }],
  ['an argument too many', { version: 1 }],
];

for (const [what, args] of refused) {
  test(`refuses ${what}`, (t) => {
    t.deepEqual(new Store().codes([onKey('set', { value: 1, ...args })]), ['invalid_args']);
  });
}

test('refuses a write without a value', (t) => {
  t.deepEqual(new Store().codes([onKey('set')]), ['invalid_args']);
});

test('takes any key of well-formed text, and keeps it apart from others', (t) => {
  const store = new Store();
  const keys = ['/', '//', 'a/b', 'a\u0000b', '\u{1F600}', '__proto__', 'constructor', ' '];
  const receipts = store.run(keys.map((key) => onKey('set', { key, value: key, ttlMs: 50 })));
  t.deepEqual(
    receipts.map(codeOf),
    keys.map(() => 'ok'),
  );
  for (const key of keys) t.like(store.ask('get', { ...at, key }), { value: key });
  t.is(store.entries().length, keys.length);
  store.at(100);
  t.deepEqual(store.entries(), []);
});
