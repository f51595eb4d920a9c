/** Values of many levels: what is stored can be read. */
import test from 'ava';
import type { Call } from '../../../protocols/transaction/submission.ts';
import { encodeValue, type Value } from '../../../protocols/transaction/values.ts';
import { VALUE_LEVELS_MAX } from '../../../src/modules/kv/limits.ts';
import { call, onKey, Store } from './store.ts';

const deep = (levels: number, list = true): Value => {
  let value: Value = 1;
  for (let level = 0; level < levels; level++) value = list ? [value] : { a: value };
  return value;
};

/** `op` alone, in a batch, and in a transaction of a batch. */
const allWays = (op: Value): Call[] => [
  call('batch', { ops: [op] }),
  call('txn', { compare: [], success: [op] }),
  call('batch', { ops: [{ txn: { compare: [], success: [op] } }] }),
];

for (const list of [true, false]) {
  const what = list ? 'lists' : 'objects';
  test(`R16: the deepest value of ${what} that can be stored is read in every way`, (t) => {
    const store = new Store();
    const value = deep(VALUE_LEVELS_MAX, list);
    t.deepEqual(store.codes([onKey('set', { value })]), ['ok']);
    const again = { key: 'k', value, prevKv: true };
    const ops: Value[] = [
      { get: { key: 'k' } },
      { range: {} },
      { set: again },
      { delete: { key: 'k', prevKv: true } },
    ];
    for (const each of ops.flatMap(allWays)) {
      t.deepEqual(store.codes([each, onKey('set', { value })]), ['ok', 'ok'], JSON.stringify(each));
    }
    t.deepEqual(
      store.codes([call('set', again), onKey('compareAndSet', { ...again, expected: value })]),
      ['ok', 'ok'],
    );
    for (const answer of [
      store.ask('get', { namespace: 'n', key: 'k' }),
      store.ask('list', { namespace: 'n' }),
    ]) {
      t.true(encodeValue(answer as Value).length > 0);
    }
  });

  test(`R16: one level more of ${what} is refused, and told`, (t) => {
    const store = new Store();
    const value = deep(VALUE_LEVELS_MAX + 1, list);
    const [receipt] = store.run([onKey('set', { value })]);
    t.deepEqual(receipt!.error, {
      code: 'value_too_deep',
      message: `a value has at most ${VALUE_LEVELS_MAX} levels`,
    });
    const set = { set: { key: 'k', value } };
    t.deepEqual(store.codes([onKey('compareAndSet', { value }), ...allWays(set)]), [
      'value_too_deep',
      'value_too_deep',
      'value_too_deep',
      'value_too_deep',
    ]);
    t.deepEqual(store.entries(), []);
  });
}

test('R16: bytes and text are no levels, and one deep value among others is enough', (t) => {
  const store = new Store();
  const shallow = [deep(VALUE_LEVELS_MAX - 1), 'text', new Uint8Array([1]), null];
  t.deepEqual(store.codes([onKey('set', { value: shallow })]), ['ok']);
  const mixed = [1, { a: deep(VALUE_LEVELS_MAX - 1) }];
  t.deepEqual(store.codes([onKey('set', { value: mixed })]), ['value_too_deep']);
});
