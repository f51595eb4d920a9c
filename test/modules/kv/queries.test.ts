import test from 'ava';
import { alice } from '../../transaction/fixture.ts';
import { at, call, onKey, plain, senderOf, Store } from './store.ts';

const keysIn = (answer: unknown): string[] =>
  (answer as { entries: { key: string }[] }).entries.map(({ key }) => key);

function filled(keys: readonly string[]): Store {
  const store = new Store();
  store.run([
    ...keys.map((key) => onKey('set', { key, value: key.length })),
    call('set', { namespace: 'n2', key: 'a', value: 0 }),
    call('set', { namespace: 'n-', key: 'a', value: 0 }),
  ]);
  return store;
}

test('lists the keys of one namespace in byte order, page by page', (t) => {
  const keys = ['b', 'a', 'a/1', '\u{1F600}', '\uffff', 'B'];
  const store = filled(keys);
  const inBytes = keys.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
  for (const limit of [1, 2, 5, 1000]) {
    t.deepEqual(
      store.entries('n', limit).map(({ key }) => key),
      inBytes,
    );
  }
  t.like(store.ask('list', { namespace: 'n' }), { revision: keys.length, next: null });
});

test('lists what lies in a range, whatever the page', (t) => {
  const keys = ['a', 'b', 'b/1', 'b/2', 'b/3', 'c', 'd'];
  const store = filled(keys);
  const texts = [undefined, 'a', 'b', 'b/', 'b/2', 'b/25', 'c', 'z'];
  for (const prefix of [undefined, '', 'b', 'b/', 'x']) {
    for (const from of texts) {
      for (const to of texts) {
        for (const limit of [1, 2, 1000]) {
          const range = {
            ...(prefix === undefined ? {} : { prefix }),
            ...(from === undefined ? {} : { from }),
            ...(to === undefined ? {} : { to }),
          };
          const expected = keys.filter(
            (key) => key.startsWith(prefix ?? '') && key >= (from ?? '') && (!to || key < to),
          );
          const read: string[] = [];
          let after: string | null | undefined;
          while (after !== null) {
            const paging = after === undefined ? {} : { after };
            const page = store.ask('list', { namespace: 'n', ...range, limit, ...paging });
            t.true(keysIn(page).length <= limit);
            read.push(...keysIn(page));
            after = (page as { next: string | null }).next;
          }
          t.deepEqual(read, expected, JSON.stringify({ ...range, limit }));
          const { count } = store.ask('count', { namespace: 'n', ...range }) as { count: number };
          t.is(count, expected.length);
        }
      }
    }
  }
});

test('lists keys only, and by the revisions of their changes', (t) => {
  const store = filled(['a', 'b', 'c']);
  store.run([onKey('set', { key: 'a', value: 9 })]);
  const list = (args: Record<string, number | boolean>) =>
    store.ask('list', { namespace: 'n', ...args });
  t.deepEqual(list({ keysOnly: true, limit: 1 }), {
    entries: [{ key: 'a', createRevision: 1, modRevision: 4, version: 2 }],
    next: 'a',
    revision: 4,
  });
  t.deepEqual(keysIn(list({ minModRevision: 3 })), ['a', 'c']);
  t.deepEqual(keysIn(list({ maxModRevision: 3 })), ['b', 'c']);
  t.deepEqual(keysIn(list({ minCreateRevision: 2, maxCreateRevision: 2 })), ['b']);
});

test('a key and a namespace that are not there', (t) => {
  const store = filled(['k']);
  t.is(store.ask('get', { ...at, key: 'missing' }), 'key_not_found');
  t.deepEqual(store.ask('exists', { ...at, key: 'missing' }), { exists: false });
  t.deepEqual(store.ask('exists', at), { exists: true });
  t.deepEqual(store.ask('list', { namespace: 'none' }), { entries: [], next: null, revision: 0 });
  t.like(store.ask('namespace', { namespace: 'none' }), { revision: 0, keys: 0, owner: null });
});

test('counts up to a bound, and says where to go on', (t) => {
  const store = new Store();
  const keys = Array.from({ length: 1100 }, (_, n) => `k${String(n).padStart(4, '0')}`);
  for (let start = 0; start < keys.length; start += 100) {
    const ops = keys.slice(start, start + 100).map((key) => ({ set: { key, value: 1 } }));
    store.run([call('batch', { ops })]);
  }
  const first = store.ask('count', { namespace: 'n' });
  t.deepEqual(first, { count: 1000, next: 'k0999', revision: 11 });
  t.like(store.ask('count', { namespace: 'n', after: 'k0999' }), { count: 100, next: null });
  t.like(store.ask('namespace', { namespace: 'n' }), { keys: 1100 });
});

test('names the namespaces and the leases, page by page', (t) => {
  const store = filled(['k']);
  const owner = senderOf(alice);
  store.run(['b', 'a'].map((lease) => plain('grantLease', { ttlMs: 100, lease })));
  t.deepEqual(store.ask('namespaces', { limit: 2 }), {
    namespaces: [
      { namespace: 'n', revision: 1, keys: 1, bytes: 2, owner: null },
      { namespace: 'n-', revision: 1, keys: 1, bytes: 2, owner: null },
    ],
    next: 'n-',
  });
  t.like(store.ask('namespaces', { prefix: 'n2' }), { namespaces: { length: 1 }, next: null });
  t.deepEqual(store.ask('leases', { limit: 1, owner }), {
    leases: [{ lease: 'a', owner, ttlMs: 100, remainingMs: 100 }],
    next: 'a',
  });
  t.like(store.ask('leases', { after: 'a' }), { leases: [{ lease: 'b' }], next: null });
  t.like(store.ask('leases', { owner: 'principal:nobody' }), { leases: [] });
});
