import test from 'ava';
import type { Value } from '../../../protocols/transaction/values.ts';
import { alice, bob } from '../../transaction/fixture.ts';
import { testSigner } from '../../transaction/crypto.ts';
import { call, onKey, plain, senderOf, Store } from './store.ts';

const carol = testSigner(3);
const set = (key = 'k', value: Value = 1) => onKey('set', { key, value });
const claim = (...writers: string[]) => call('claim', { writers });
const writes = [
  set(),
  onKey('delete'),
  call('deleteRange'),
  onKey('compareAndSet', { value: 1 }),
  call('txn', { compare: [] }),
  call('batch', { ops: [] }),
];

test('R5: a namespace that was claimed is written by its owner and its writers only', (t) => {
  const store = new Store();
  const [claimed] = store.run([claim(senderOf(bob))]);
  const owner = senderOf(alice);
  const data = { namespace: 'n', owner, writers: [senderOf(bob)] };
  t.deepEqual(claimed!.events, [{ module: 'kv', name: 'claimed', data }]);
  t.deepEqual(
    store.codes(writes, carol),
    writes.map(() => 'not_writer'),
  );
  t.deepEqual([...store.codes([set()]), ...store.codes([set()], bob)], ['ok', 'ok']);
  t.deepEqual(store.codes([call('set', { namespace: 'm', key: 'k', value: 1 })], carol), ['ok']);
  t.like(store.ask('namespace', { namespace: 'n' }), { owner, writers: [senderOf(bob)] });
  t.like(store.ask('get', { namespace: 'n', key: 'k' }), { value: 1 }, 'everybody reads');
  t.deepEqual(store.codes([claim()]), ['ok']);
  t.deepEqual(store.codes([set()], bob), ['not_writer']);
  const [released] = store.run([call('release')]);
  t.deepEqual(released!.events, [{ module: 'kv', name: 'released', data: { namespace: 'n' } }]);
  t.deepEqual(store.codes([set()], carol), ['ok']);
});

test('R5: a lease takes its keys along, whoever may write now', (t) => {
  const store = new Store();
  store.run([onKey('set', { value: 1, ttlMs: 100 }), onKey('delete'), claim(senderOf(bob))]);
  store.run([onKey('set', { value: 1, ttlMs: 100 })], bob);
  store.run([claim()]);
  store.at(100);
  t.deepEqual(store.entries(), []);
});

test('R11: nobody claims what others use, or changes a claim of others', (t) => {
  const store = new Store();
  t.deepEqual(store.codes([set(), claim(), onKey('delete'), claim()]), [
    'ok',
    'namespace_in_use',
    'ok',
    'ok',
  ]);
  t.deepEqual(store.codes([claim(), call('release')], bob), ['not_owner', 'not_owner']);
  t.deepEqual(store.codes([set(), claim(), call('release'), call('release')]), [
    'ok',
    'ok',
    'ok',
    'not_claimed',
  ]);
  t.is(store.revision(), 3, 'a claim is no change of a key');
  t.deepEqual(store.codes([claim('somebody'), claim(...Array<string>(101).fill(senderOf(bob)))]), [
    'invalid_args',
    'invalid_args',
  ]);
});

const used = (store: Store) => {
  const { keys, bytes } = store.ask('namespace', { namespace: 'n' }) as Record<string, number>;
  return { keys, bytes };
};

test('R6: a namespace counts its keys and their bytes', (t) => {
  const store = new Store();
  store.run([set('k'), set('ä', 'text'), set('k', 300)]);
  t.deepEqual(used(store), { keys: 2, bytes: 1 + 3 + 2 + 5 });
  store.run([plain('grantLease', { ttlMs: 100, lease: 'l' })]);
  store.run([onKey('set', { key: 'x', value: 1, lease: 'l' })]);
  t.deepEqual(used(store), { keys: 3, bytes: 13 });
  store.at(100, [onKey('delete', { key: 'ä' })]);
  t.deepEqual(used(store), { keys: 1, bytes: 4 });
  store.run([call('batch', { ops: [{ deleteRange: {} }] }), set('z')]);
  t.deepEqual(used(store), { keys: 1, bytes: 2 });
});

test('R6: refuses what would make a namespace grow beyond its limits', (t) => {
  const store = new Store({ keysMax: 3, bytesMax: 20, valueBytesMax: 8 });
  t.like(store.ask('namespace', { namespace: 'n' }), {
    limits: { keysMax: 3, bytesMax: 20, valueBytesMax: 8 },
  });
  t.deepEqual(store.codes([set('a', '1234567'), set('a', '12345678')]), ['ok', 'value_too_large']);
  t.deepEqual(store.codes([set('b', '1234567'), set('c', '1234567'), set('c', 1)]), [
    'ok',
    'namespace_full',
    'ok',
  ]);
  t.deepEqual(store.codes([set('d'), set('b'), onKey('delete', { key: 'a' }), set('d')]), [
    'namespace_full',
    'ok',
    'ok',
    'ok',
  ]);
  t.deepEqual(store.codes([call('set', { namespace: 'm', key: 'a', value: 1 })]), ['ok']);
  const batch = [{ delete: { key: 'b' } }, { set: { key: 'e', value: 1 } }];
  t.deepEqual(store.codes([call('batch', { ops: batch })]), ['ok'], 'the sum counts');
  t.deepEqual(used(store), { keys: 3, bytes: 6 });
});

test('R6: the keys of a namespace are bounded by themselves', (t) => {
  const store = new Store({ keysMax: 2 });
  t.deepEqual(store.codes([set('a'), set('b'), set('c'), set('b')]), [
    'ok',
    'ok',
    'namespace_full',
    'ok',
  ]);
});

const badGenesis: readonly (readonly [string, unknown, RegExp])[] = [
  ['a limit that is none', { keysMax: 0 }, /modules\.kv keysMax: expected an integer from 1 on/],
  ['an unknown limit', { keys: 1 }, /modules\.kv keys: unknown/],
  ['no object', [], /modules\.kv/],
];

for (const [what, limits, message] of badGenesis) {
  test(`a genesis with ${what} is refused by name`, (t) => {
    t.throws(() => new Store(limits as Record<string, unknown>), { message });
  });
}
