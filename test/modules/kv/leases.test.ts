import test from 'ava';
import { SWEPT_PER_BLOCK } from '../../../src/modules/kv/leases.ts';
import { alice, bob } from '../../transaction/fixture.ts';
import { at, call, codeOf, onKey, plain, senderOf, Store } from './store.ts';

const grant = (ttlMs: number, lease = 'l') => plain('grantLease', { ttlMs, lease });
const keep = plain('keepAlive', { lease: 'l' });
const revoke = plain('revokeLease', { lease: 'l' });
const START_MS = 1_700_000_000_000;

test('R4: a lease ends by block time, and its keys with it, and says so', (t) => {
  const store = new Store();
  t.deepEqual(store.run([grant(1000)])[0]!.result, {
    lease: 'l',
    ttlMs: 1000,
    deadline: START_MS + 1000,
  });
  store.run([onKey('set', { value: 1, lease: 'l' }), onKey('set', { key: 'a', value: 1 })]);
  t.like(store.ask('get', at), { lease: 'l' });
  store.at(999);
  t.deepEqual(store.ask('exists', at), { exists: true });
  const [ended] = store.at(1000);
  t.deepEqual(ended!.events, [
    { module: 'kv', name: 'deleted', data: { ...at, modRevision: 3, expired: true } },
  ]);
  t.is(store.ask('get', at), 'key_not_found');
  t.is(store.ask('lease', { lease: 'l' }), 'lease_not_found');
  t.is(store.revision(), 3);
  t.deepEqual(
    store.entries().map(({ key }) => key),
    ['a'],
  );
});

test('R4: only the newest deadline counts, and a lease kept alive has one timer', (t) => {
  const store = new Store();
  store.run([grant(1000), onKey('set', { value: 1, lease: 'l' })]);
  let timers = 0;
  for (let now = 100; now <= 5000; now += 100) {
    timers += store.at(now, [keep]).length - 1;
    t.deepEqual(store.ask('exists', at), { exists: true });
  }
  t.is(timers, 5, 'the timer looks again at each deadline that it was set for');
  t.like(store.ask('lease', { lease: 'l' }), { remainingMs: 1000 });
  store.at(5999);
  t.deepEqual(store.ask('exists', at), { exists: true });
  store.at(6000);
  t.deepEqual(store.ask('exists', at), { exists: false });
  t.is(store.at(9999).length, 0, 'no timer is left');
});

test('ttlMs gives a key a lease of its own, which goes with the key', (t) => {
  const store = new Store();
  const set = (ttlMs?: number) =>
    onKey('set', { value: 1, ...(ttlMs === undefined ? {} : { ttlMs }) });
  t.like(store.one(set(1000)), { lease: 'n/k' });
  t.like(store.ask('lease', { lease: 'n/k' }), { ttlMs: 1000, keys: [at], next: null });
  store.run([set(100)]);
  store.at(99);
  t.deepEqual(store.ask('exists', at), { exists: true });
  store.at(100);
  t.deepEqual(store.ask('exists', at), { exists: false });
  store.run([set(1000), plain('keepAlive', { lease: 'n/k' }), set()]);
  t.is(store.ask('lease', { lease: 'n/k' }), 'lease_not_found');
  store.run([set(1000), onKey('delete'), set()]);
  t.like(store.ask('leases'), { leases: [] });
  t.is(store.at(5000).length, 0, 'no timer is left');
  t.deepEqual(store.ask('exists', at), { exists: true });
  store.run([set(1000), plain('revokeLease', { lease: 'n/k' })]);
  t.deepEqual(store.ask('exists', at), { exists: false });
});

test('a write without a lease takes the key from its lease, one with another gives it to that', (t) => {
  const store = new Store();
  const set = (key: string, lease?: string) =>
    onKey('set', { key, value: 1, ...(lease === undefined ? {} : { lease }) });
  store.run([grant(100), grant(200, 'm'), set('a', 'l'), set('b', 'l'), set('c', 'l')]);
  store.run([
    set('a'),
    set('b', 'm'),
    onKey('set', { key: 'd', value: 1, ttlMs: 100 }),
    set('d', 'm'),
  ]);
  store.at(100);
  t.deepEqual(
    store.entries().map(({ key }) => key),
    ['a', 'b', 'd'],
  );
  t.like(store.ask('lease', { lease: 'm' }), { keys: { length: 2 } });
  store.at(200);
  t.deepEqual(
    store.entries().map(({ key }) => key),
    ['a'],
  );
});

test('R7: only its owner keeps a lease alive, revokes it, or gives it to keys', (t) => {
  const store = new Store();
  store.run([grant(1000)]);
  const set = onKey('set', { value: 1, lease: 'l' });
  t.deepEqual(store.codes([keep, revoke, set], bob), Array(3).fill('not_lease_owner'));
  t.deepEqual(store.codes([keep, set, revoke]), ['ok', 'ok', 'ok']);
  t.deepEqual(store.codes([keep, revoke, set]), Array(3).fill('lease_not_found'));
});

test('refuses leases that cannot be', (t) => {
  const store = new Store();
  t.deepEqual(
    store.codes([
      grant(1000),
      grant(1000),
      onKey('set', { value: 1, lease: 'l', ttlMs: 5 }),
      grant(0),
      grant(1000, 'a/b'),
      plain('grantLease', {}),
      plain('keepAlive', { lease: '' }),
    ]),
    ['ok', 'lease_exists', 'two_leases', ...Array<string>(4).fill('invalid_args')],
  );
  const many = Array.from({ length: 65 }, (_, n) => ({ set: { key: `${n}`, value: 1, ttlMs: 5 } }));
  t.is(store.one(call('batch', { ops: many })), 'too_many_leases');
  t.deepEqual(store.codes([call('batch', { ops: many.slice(1) })]), ['ok']);
});

test('names a lease that was not named, each another', (t) => {
  const store = new Store();
  const names = store
    .run([plain('grantLease', { ttlMs: 5 }), plain('grantLease', { ttlMs: 5 })])
    .map(({ result }) => (result as { lease: string }).lease);
  t.is(new Set(names).size, 2);
  t.true(names.every((name) => /^[0-9a-f]{16}$/.test(name)));
});

/** A lease with `count` keys in namespaces `n` and `m`, which ends at 10,000. */
function large(count: number): Store {
  const store = new Store();
  store.run([grant(10_000)]);
  for (const [namespace, half] of [
    ['m', Math.floor(count / 2)],
    ['n', Math.ceil(count / 2)],
  ] as const) {
    for (let start = 0; start < half; start += 100) {
      const size = Math.min(100, half - start);
      const ops = Array.from({ length: size }, (_, n) => ({
        set: { key: `${start + n}`, value: 1, lease: 'l' },
      }));
      store.run([call('batch', { namespace, ops })]);
    }
  }
  return store;
}

for (const how of ['is revoked', 'ends by itself']) {
  test(`R8: when a lease with many keys ${how}, they are gone at once and deleted block by block`, (t) => {
    const count = 2 * SWEPT_PER_BLOCK + 100;
    const store = large(count);
    const before = store.revision('n') + store.revision('m');
    const receipts = how === 'is revoked' ? store.at(50, [revoke]) : store.at(10_000);
    t.is(receipts[0]!.events.length, SWEPT_PER_BLOCK);
    if (how === 'is revoked') {
      t.deepEqual(receipts[0]!.result, { deleted: SWEPT_PER_BLOCK, more: true });
    }
    t.deepEqual([...store.entries('n'), ...store.entries('m')], []);
    t.deepEqual(store.ask('exists', { namespace: 'n', key: '7' }), { exists: false });
    t.is(store.ask('lease', { lease: 'l' }), 'lease_not_found');
    t.deepEqual(store.codes([keep, grant(5)]), ['lease_not_found', 'lease_exists']);
    const [second, ...none] = store.at(10_001);
    t.is(second!.events.length, SWEPT_PER_BLOCK);
    t.deepEqual(none, [], 'it has one timer');
    t.is(store.at(10_002)[0]!.events.length, count - 2 * SWEPT_PER_BLOCK);
    t.is(store.at(10_003).length, 0);
    t.deepEqual(store.codes([grant(5)]), ['ok']);
    t.like(store.ask('namespace', { namespace: 'n' }), { keys: 0, bytes: 0 });
    t.is(store.revision('n') + store.revision('m'), before + 4, 'one for each step and namespace');
  });
}

test('R8: many leases that end at once share what a block deletes', (t) => {
  const store = new Store();
  const perBatch = 60;
  const count = SWEPT_PER_BLOCK + perBatch;
  for (let start = 0; start < count; start += perBatch) {
    const ops = Array.from({ length: Math.min(perBatch, count - start) }, (_, n) => ({
      set: { key: `${start + n}`, value: 1, ttlMs: 1000 },
    }));
    store.run([call('batch', { ops })]);
  }
  const events = (now: number) => store.at(now).flatMap((receipt) => receipt.events).length;
  t.is(events(1000), SWEPT_PER_BLOCK);
  t.deepEqual(store.entries(), []);
  t.is(events(1001), perBatch);
  t.is(store.at(2000).length, 0);
});

test('R4: a key whose lease has ended is new when it is written before its row is deleted', (t) => {
  const store = large(2 * SWEPT_PER_BLOCK + 200);
  const last = { namespace: 'n', key: '99' };
  t.like(store.ask('get', last), { version: 1 });
  store.at(10_000);
  const revision = store.revision();
  t.deepEqual(
    store.codes([
      call('delete', { key: '99' }),
      call('set', { key: '99', value: 2, ifRevision: 0 }),
      call('set', { key: '98', value: 2, ttlMs: 5 }),
    ]),
    ['key_not_found', 'ok', 'ok'],
  );
  t.like(store.ask('get', last), { value: 2, version: 1, createRevision: revision + 1 });
  store.at(10_001);
  store.at(10_005);
  t.deepEqual(
    store.entries().map(({ key }) => key),
    ['99'],
  );
  t.like(store.ask('namespace', { namespace: 'n' }), { keys: 1 });
});

test('the owner of a lease is who granted it', (t) => {
  const store = new Store();
  store.run([grant(1000)], bob);
  t.like(store.ask('leases'), { leases: [{ owner: senderOf(bob) }] });
  t.deepEqual(store.codes([keep], alice), ['not_lease_owner']);
  t.deepEqual(store.at(1, [keep], bob).map(codeOf), ['ok']);
});
