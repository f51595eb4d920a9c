import test from 'ava';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { World } from './run.ts';

const at = { namespace: 'n', key: 'k' };
const call = (command: string, args: Record<string, Value>): Call => ({
  module: 'kv',
  command,
  args: { ...at, ...args },
});

test('R1: a version is the revision of the last change, and never returns', (t) => {
  const w = new World();
  const versions = w
    .receipts([
      call('set', { value: 1 }),
      call('set', { value: 2, key: 'other' }),
      call('delete', {}),
      call('set', { value: 3 }),
    ])
    .map(({ result }) => (result as { version: number }).version);
  t.deepEqual(versions, [1, 2, 3, 4]);
  t.deepEqual(w.ask('kv', 'get', at), { ...at, value: 3, version: 4 });
});

test('each change says what it changed', (t) => {
  const [written, removed] = new World().receipts([call('set', { value: 1 }), call('delete', {})]);
  t.deepEqual(written!.events, [{ module: 'kv', name: 'set', data: { ...at, version: 1 } }]);
  t.deepEqual(removed!.events, [{ module: 'kv', name: 'deleted', data: { ...at, version: 2 } }]);
});

test('writes and removes only at the version that is expected', (t) => {
  const w = new World();
  t.deepEqual(
    w.run([
      call('set', { value: 1, ifVersion: 1 }),
      call('set', { value: 1, ifVersion: 0 }),
      call('set', { value: 2, ifVersion: 0 }),
      call('set', { value: 2, ifVersion: 1 }),
      call('delete', { ifVersion: 1 }),
      call('delete', { ifVersion: 2 }),
      call('delete', {}),
    ]),
    ['version_mismatch', 'ok', 'version_mismatch', 'ok', 'version_mismatch', 'ok', 'key_not_found'],
  );
});

test('compares by value, whatever its kind, and tells null from nothing', (t) => {
  const w = new World();
  t.deepEqual(
    w.run([
      call('compareAndSet', { expected: null, value: 1 }),
      call('compareAndSet', { value: null }),
      call('compareAndSet', { value: 1 }),
      call('compareAndSet', { expected: null, value: { a: [1, Uint8Array.of(2)] } }),
      call('compareAndSet', { expected: { a: [1, Uint8Array.of(3)] }, value: 1 }),
      call('compareAndSet', { expected: { a: [1, Uint8Array.of(2)] }, value: 1 }),
    ]),
    ['value_mismatch', 'ok', 'value_mismatch', 'ok', 'value_mismatch', 'ok'],
  );
});

test('refuses names that are none', (t) => {
  const w = new World();
  t.deepEqual(
    w.run([
      call('set', { value: 1, namespace: 'a/b' }),
      call('set', { value: 1, namespace: '' }),
      call('set', { value: 1, key: '' }),
      call('set', { value: 1, key: 'x'.repeat(513) }),
      call('set', {}),
    ]),
    ['invalid_args', 'invalid_args', 'invalid_args', 'invalid_args', 'invalid_args'],
  );
});

test('lists the keys of one namespace in byte order, page by page', (t) => {
  const w = new World();
  const keys = ['b', 'a', 'a/1', '\u{1F600}', '\uffff', 'B'];
  w.run([
    ...keys.map((key) => call('set', { key, value: key.length })),
    call('set', { namespace: 'n2', value: 0 }),
  ]);
  const read: string[] = [];
  let after: string | null | undefined;
  while (after !== null) {
    const args = { namespace: 'n', limit: 2, ...(after === undefined ? {} : { after }) };
    const page = w.ask('kv', 'list', args) as { entries: { key: string }[]; next: string | null };
    read.push(...page.entries.map(({ key }) => key));
    after = page.next;
  }
  const inBytes = keys.toSorted((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)));
  t.deepEqual(read, inBytes);
  const some = w.ask('kv', 'list', { namespace: 'n', prefix: 'a' }) as { entries: unknown[] };
  t.is(some.entries.length, 2);
  t.is(w.ask('kv', 'get', { ...at, key: 'missing' }), 'key_not_found');
});
