/** Atomicity, isolation, conflicts, exactly once and order: one test for each line of the page. */
import test from 'ava';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { call, codeOf, onKey, plain, Store } from '../modules/kv/store.ts';
import { defaultModules } from '../transaction/modules.ts';
import {
  alice,
  bob,
  Chain,
  clusterOf,
  finalBlock,
  receiptsOf,
  signed,
  START_MS,
  vouched,
} from '../transaction/fixture.ts';

const scratch = (command: string, args: Value): Call => ({ module: 'scratch', command, args });
const set = (value: Value, more: Record<string, Value> = {}) => onKey('set', { value, ...more });
const at = { namespace: 'n', key: 'k' };

const newChain = (): Chain => new Chain(clusterOf(), [...defaultModules, ...builtInModules]);
const rowsOf = (chain: Chain, module = 'scratch') =>
  chain.executor.state.tablesOf(module)['rows']!.page({ limit: 1000 }).rows;
const valueIn = (chain: Chain): Value | undefined =>
  (chain.executor.state.tablesOf('kv')['entries']!.get('n/k') as { value: Value } | undefined)
    ?.value;

test('transaction-atomic: what is refused or fails leaves a receipt and nothing else', (t) => {
  const chain = newChain();
  chain.run(signed(0, [scratch('put', { key: 'a', value: 1 })]));
  for (const [seq, command, args] of [
    [1, 'putThenRefuse', { key: 'a', value: 2 }],
    [2, 'putThenThrow', { key: 'a', value: 2 }],
    [3, 'laterThenRefuse', START_MS],
  ] as const) {
    const [receipt] = receiptsOf(chain.run(signed(seq, [scratch(command, args)])));
    t.is(receipt!.status, 'failed');
    t.deepEqual(receipt!.events, []);
  }
  t.deepEqual(rowsOf(chain), [['a', 1]]);
  t.is(receiptsOf(chain.next([], START_MS + 60_000)).length, 0, 'no timer is left');
});

test('calls-atomic: what a command had other modules do is undone with it', (t) => {
  const chain = newChain();
  const calls: Value = [['second', 'put', { key: 'a', value: 1 }]];
  chain.run(signed(0, [scratch('callAll', [...calls, null])]));
  t.deepEqual(rowsOf(chain, 'second'), []);
  chain.run(signed(1, [scratch('callAll', calls)]));
  t.deepEqual(rowsOf(chain, 'second'), [['a', 1]]);
});

test('txn-atomic: all keys of a transaction change at one revision, or none does', (t) => {
  const store = new Store();
  const ops = (last: Record<string, Value>): Value[] => [
    { set: { key: 'a', value: 1 } },
    { set: { key: 'b', value: 1 } },
    last,
  ];
  const refused = { set: { key: 'c', value: 1, lease: 'none' } };
  t.deepEqual(
    store.codes([
      call('batch', { ops: ops(refused) }),
      call('txn', { compare: [], success: ops(refused) }),
    ]),
    ['lease_not_found', 'lease_not_found'],
  );
  t.deepEqual(store.entries(), []);
  store.run([call('batch', { ops: ops({ set: { key: 'c', value: 1 } }) })]);
  t.deepEqual(
    store.entries().map(({ key, modRevision }) => [key, modRevision]),
    [
      ['a', 1],
      ['b', 1],
      ['c', 1],
    ],
  );
});

test('submission-parts: each transaction of a submission succeeds or fails alone', (t) => {
  const store = new Store();
  t.deepEqual(store.codes([set(1), set(2, { ifRevision: 7 }), set(3)]), [
    'ok',
    'revision_mismatch',
    'ok',
  ]);
  t.like(store.ask('get', at), { value: 3 });
});

test('serial: each transaction sees what all before it did, in the same block too', (t) => {
  const chain = newChain();
  const raise = (from: number) => onKey('compareAndSet', { expected: from, value: from + 1 });
  const result = chain.next([
    [0, [signed(0, [set(0), raise(0)]), signed(0, [raise(1)], { signer: bob })]],
    [1, [signed(1, [raise(2), raise(2)])]],
  ]);
  t.deepEqual(receiptsOf(result).map(codeOf), ['ok', 'ok', 'ok', 'ok', 'value_mismatch']);
  t.is(valueIn(chain), 3);
});

test('same-everywhere: whoever executes the same blocks has the same receipts and rows', (t) => {
  const run = (slice: number) => {
    const chain = newChain();
    const calls = [set(1), set(2, { ttlMs: 15 }), scratch('look', null), onKey('delete')];
    const results = [1, 2, 3].map((height) => {
      const budget = { left: slice };
      const batches = [[0, [signed(height, calls)]]] as const;
      chain.executor.begin(finalBlock(height, batches, START_MS + height * 20), budget);
      let result = null;
      while (result === null) result = chain.executor.advance({ left: slice });
      return result.receiptsRoot;
    });
    return [results, chain.root()];
  };
  t.deepEqual(run(1), run(Infinity));
});

test('timers-first: what is due runs before what was submitted for the block', (t) => {
  const store = new Store();
  store.run([set(1, { ttlMs: 100 })]);
  const [ended, written] = store.at(100, [set(2, { ifRevision: 0 })]);
  t.like(ended!.events[0], { name: 'deleted' });
  t.is(codeOf(written!), 'ok');
});

test('conflict-revision: of writers that saw the same revision, the first in the chain wins', (t) => {
  const store = new Store();
  store.run([set(0)]);
  const codes = [
    ...store.codes([set('a', { ifRevision: 1 })]),
    ...store.codes([set('b', { ifRevision: 1 })], bob),
  ];
  t.deepEqual(codes, ['ok', 'revision_mismatch']);
  t.like(store.ask('get', at), { value: 'a' });
});

test('conflict-absent: of all that create a key one succeeds', (t) => {
  const store = new Store();
  const create = (value: Value) => set(value, { ifRevision: 0 });
  t.deepEqual(store.codes([create(1), create(2)]), ['ok', 'revision_mismatch']);
  t.deepEqual(store.codes([create(3)], bob), ['revision_mismatch']);
});

test('conflict-compare: conditions look at the state in which they execute', (t) => {
  const chain = newChain();
  chain.run(signed(0, [set('old')]));
  const late = [
    onKey('compareAndSet', { expected: 'old', value: 'late' }),
    call('txn', {
      compare: [{ key: 'k', target: 'value', is: 'equal', value: 'old' }],
      success: [{ set: { key: 'k', value: 'late' } }],
    }),
  ];
  const result = chain.next([
    [0, [signed(0, [set('new')], { signer: bob })]],
    [1, [signed(1, late)]],
  ]);
  const [, cas, txn] = receiptsOf(result);
  t.is(codeOf(cas!), 'value_mismatch');
  t.like(txn!.result, { succeeded: false });
  t.is(valueIn(chain), 'new');
});

test('conflict-aba: what was changed back, or deleted and written again, is another revision', (t) => {
  const store = new Store();
  store.run([set(1), set(2), set(1)]);
  t.deepEqual(store.codes([set(5, { ifRevision: 1 })]), ['revision_mismatch']);
  store.run([onKey('delete'), set(1)]);
  t.deepEqual(store.codes([set(5, { ifRevision: 1 }), set(5, { ifRevision: 3 })]), [
    'revision_mismatch',
    'revision_mismatch',
  ]);
});

test('no-condition: of writes without a condition the last in the chain stays', (t) => {
  const store = new Store();
  t.deepEqual([...store.codes([set(1)]), ...store.codes([set(2)], bob)], ['ok', 'ok']);
  t.like(store.ask('get', at), { value: 2 });
});

test('refusal-final: who loses has a receipt, and nothing is tried again', (t) => {
  const chain = newChain();
  const submission = signed(0, [set(1, { ifRevision: 7 })]);
  const [receipt] = receiptsOf(chain.run(submission));
  t.is(codeOf(receipt!), 'revision_mismatch');
  for (let height = 0; height < 5; height++) t.is(chain.next([]).txCount, 0);
  chain.run(submission);
  t.like(chain.heard.at(-1), { kind: 'repeated', place: { height: 1 } });
  t.is(valueIn(chain), undefined);
});

test('once-signed: a signed submission executes once, through whichever lanes it comes', (t) => {
  const chain = newChain();
  const submission = signed(0, [set(1)]);
  const blocks = [
    chain.next([
      [0, [submission, submission]],
      [1, [submission]],
    ]),
    chain.next([[2, [submission]]]),
  ];
  t.deepEqual(
    blocks.map(({ txCount }) => txCount),
    [1, 0],
  );
  const repeated = chain.heard.filter(({ kind }) => kind === 'repeated');
  t.is(repeated.length, 3, 'each copy is answered with the place of the first receipts');
  for (const each of repeated) t.like(each, { place: { height: 1, index: 0 } });
});

test('once-key: what came under an idempotency key executes once, at whatever node', (t) => {
  const chain = newChain();
  const [first, second] = [0, 1].map((lane) => vouched('key', [set(1)], { lane }));
  t.is(chain.next([[0, [first!]]]).txCount, 1);
  t.is(chain.next([[1, [second!]]]).txCount, 0);
  t.is(chain.next([[1, [vouched('other', [set(1)], { lane: 1 })]]]).txCount, 1);
});

test('order-in-submission: nothing of others stands between the transactions of a submission', (t) => {
  const chain = newChain();
  const calls = ['a', 'b', 'c'].map((value) => set(value));
  const result = chain.next([
    [0, [signed(0, calls)]],
    [1, [signed(0, calls, { signer: bob })]],
  ]);
  t.deepEqual(
    result.receipts.map(({ index, txCount, sender }) => [index, txCount, sender]),
    [
      [0, 3, `key:${alice.publicKey}`],
      [3, 3, `key:${bob.publicKey}`],
    ],
  );
  const revisions = receiptsOf(result).map(
    (each) => (each.result as { modRevision: number }).modRevision,
  );
  t.deepEqual(revisions, [1, 2, 3, 4, 5, 6]);
});

test('order-of-client: submissions of one client execute in any order of their seqs', (t) => {
  const chain = newChain();
  chain.next([[0, [signed(5, [set('sent later')])]]]);
  chain.next([[1, [signed(4, [set('sent first')])]]]);
  t.is(valueIn(chain), 'sent first');
});

test('eventual-leases: keys are gone at the deadline, their rows and events follow', (t) => {
  const store = new Store();
  store.run([plain('grantLease', { lease: 'l', ttlMs: 100 })]);
  for (let batch = 0; batch < 11; batch++) {
    const ops = Array.from({ length: 100 }, (_, n) => ({
      set: { key: `${batch * 100 + n}`, value: 1, lease: 'l' },
    }));
    store.run([call('batch', { ops })]);
  }
  const events = (now: number) => store.at(now).flatMap((receipt) => receipt.events).length;
  const atDeadline = events(100);
  t.deepEqual(store.entries(), []);
  t.deepEqual([atDeadline, events(101), events(102), events(103)], [500, 500, 100, 0]);
});

test('eventual-time: what is due waits for the next block', (t) => {
  const store = new Store();
  store.run([set(1, { ttlMs: 100 })]);
  store.at(99);
  t.deepEqual(store.ask('exists', at), { exists: true }, 'whatever the clock says meanwhile');
  store.at(60_000);
  t.deepEqual(store.ask('exists', at), { exists: false });
});
