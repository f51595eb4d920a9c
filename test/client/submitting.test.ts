import test from 'ava';
import { AlthingError, OutcomeUnknown, TransactionFailed } from '../../src/client/errors.ts';
import { kv } from '../../src/modules/kv/kv.ts';
import type { ledger } from '../../src/modules/ledger/ledger.ts';
import { callBytes } from '../../protocols/transaction/submission.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import type { Client } from '../../src/client/client.ts';
import { addressed, isWrite, known, problem } from './cluster.ts';

const set = (key: string, value: number) => ({ namespace: 'n', key, value });

/** In a list in a list in a list … */
function nested(levels: number, value: Value = 1): Value {
  return levels === 0 ? value : [nested(levels - 1, value)];
}

test('a command by its module resolves with its result when it is final', async (t) => {
  const { connect } = await addressed(t, [null]);
  const client = await connect();
  const keys = client.module<typeof kv>('kv');
  const { result, receipt } = await keys.send.set(set('a', 1));
  t.is(result.version, 1);
  t.is((await keys.send.set({ ...set('b', 1), prevKv: undefined as never })).result.version, 1);
  t.is(receipt.status, 'ok');
  const read = await keys.ask.get({ namespace: 'n', key: 'a' });
  t.is(read.result.value, 1);
  t.true(read.height >= receipt.height);
});

test('what its module refuses throws, with the code and where it stands', async (t) => {
  const { connect } = await addressed(t, [null]);
  const bank = (await connect()).module<typeof ledger>('ledger');
  const error = await t.throwsAsync(bank.send.transfer({ from: 'x', to: 'y', amount: 1 }), {
    instanceOf: TransactionFailed,
  });
  t.is(error.code, 'debit_account_not_found');
  t.regex(error.id, /^[0-9a-f]{64}-0$/);
});

test('calls of one moment share a submission, and each has its own outcome', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const client = await connect();
  const receipts = await Promise.all([
    client.call('kv', 'set', set('a', 1)),
    client.call('kv', 'delete', { namespace: 'n', key: 'nothing' }),
    client.call('kv', 'set', set('b', 2)),
  ]);
  t.deepEqual(
    receipts.map(({ error }) => error?.code ?? 'ok'),
    ['ok', 'key_not_found', 'ok'],
  );
  t.is(port.submitted, 1);
});

const spoilers: readonly (readonly [string, (client: Client) => Promise<unknown>, string])[] = [
  [
    'arguments of more bytes than a transaction may have',
    (client) => client.call('kv', 'set', { ...set('b', 1), value: 'x'.repeat(70_000) }),
    'too_large',
  ],
  ['a name that is too long', (client) => client.call('m'.repeat(300), 'set', {}), 'RangeError'],
  ['no name', (client) => client.call('kv', '', {}), 'RangeError'],
  ['arguments that are no value', (client) => client.call('kv', 'set', 0.5), 'invalid_args'],
];

for (const [what, spoil, code] of spoilers) {
  test(`a call with ${what} fails alone`, async (t) => {
    const { connect, port } = await addressed(t, [null]);
    const client = await connect();
    const [before, bad, after] = await Promise.allSettled([
      client.call('kv', 'set', set('a', 1)),
      spoil(client),
      client.call('kv', 'set', set('a', 2)),
    ]);
    t.deepEqual([before.status, after.status, port.submitted], ['fulfilled', 'fulfilled', 1]);
    const error = bad.status === 'rejected' ? (bad.reason as Error) : null;
    t.is(error instanceof AlthingError ? error.code : error?.name, code);
  });
}

test('the argument that is no value, or does not fit, is named', async (t) => {
  const { connect } = await addressed(t, [null]);
  const client = await connect();
  const value = { list: [1, { half: 1.5 }] };
  const call = { module: 'kv', command: 'set', args: { namespace: 'n', key: 'a', value } };
  const noValue = { instanceOf: AlthingError, message: /^value\.list\[1\]\.half: / };
  for (const run of [
    () => client.call(call.module, call.command, call.args),
    () => client.submit([call]),
    () => Promise.resolve().then(() => client.sign([call])),
  ]) {
    const error = await t.throwsAsync(run, noValue);
    t.like(error, { code: 'invalid_args', field: 'value.list[1].half' });
  }
  const ring: Record<string, Value> = {};
  ring['self'] = ring;
  for (const [deep, field] of [
    [{ args: { value: ring } }, 'value'],
    [{ args: { value: nested(40) } }, `value${'[0]'.repeat(7)}`],
  ] as const) {
    const error = await t.throwsAsync(client.submit([{ ...call, ...deep }]));
    t.like(error, { code: 'invalid_args', field });
    t.regex(error.message, /: more than 32 levels deep$/);
  }
  // As deep as a value may be, and no value all the same.
  const innermost = await t.throwsAsync(
    client.submit([{ ...call, args: { value: nested(30, 1.5) } }]),
  );
  t.like(innermost, { code: 'invalid_args', field: `value${'[0]'.repeat(30)}` });
  const keys = client.module(kv);
  const failed = { instanceOf: TransactionFailed, code: 'invalid_args' };
  const missing = await t.throwsAsync(keys.send.set({ namespace: 'n', value: 1 } as never), failed);
  t.like(missing, { field: 'key', message: 'key: missing' });
  const unfit = await t.throwsAsync(keys.send.set({ ...set('a', 1), ttlMs: -1 }), failed);
  t.is(unfit.field, 'ttlMs');
});

test('a call as large as a transaction may be is sent', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const client = await connect(known(port));
  const most = client.cluster.limits.transactionBytesMax;
  const filled = (length: number) => ({ namespace: 'n', key: 'a', value: 'x'.repeat(length) });
  const beside = callBytes({ module: 'kv', command: 'set', args: filled(40_000) }) - 40_000;
  const large = client.call('kv', 'set', filled(most - beside));
  t.is((await large).status, 'ok');
  const over = client.call('kv', 'set', filled(most - beside + 1));
  t.is((await t.throwsAsync(over, { instanceOf: AlthingError })).code, 'too_large');
});

test('more calls than a submission may have are sent in several', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const client = await connect();
  const most = client.cluster.limits.transactionsPerSubmissionMax;
  const calls = Array.from({ length: most + 1 }, (_, at) =>
    client.call('kv', 'set', set(String(at), at)),
  );
  const receipts = await Promise.all(calls);
  t.true(receipts.every(({ status }) => status === 'ok'));
  t.is(port.submitted, 2);
});

test('X1: an answer that is lost is asked for again, and the submission executes once', async (t) => {
  let lost = 0;
  const { connect, port } = await addressed(t, [
    async (path, ask) => {
      if (!isWrite(path) || lost > 1) return ask();
      lost++;
      await ask();
      throw new Error('the answer was lost');
    },
  ]);
  const client = await connect();
  const keys = client.module<typeof kv>('kv');
  t.is((await keys.send.set(set('a', 1))).result.version, 1);
  t.is(port.submitted, 3);
});

test('a node that is down or full is passed over', async (t) => {
  const { connect, asked } = await addressed(t, [
    (path) => (isWrite(path) ? Promise.reject(new Error('connection refused')) : null),
    (path) => (isWrite(path) ? problem(503, 'lane_full') : null),
    null,
  ]);
  const { receipts } = await (
    await connect()
  ).submit([{ module: 'kv', command: 'set', args: set('a', 1) }]);
  t.is(receipts[0]!.status, 'ok');
  t.true(asked.every((count) => count > 0));
});

test('X2: one node that lies about a refusal is not believed', async (t) => {
  const { connect } = await addressed(t, [
    (path) => (isWrite(path) ? problem(409, 'seq_reused') : null),
    null,
    null,
    null,
  ]);
  const { receipts } = await (
    await connect()
  ).submit([{ module: 'kv', command: 'set', args: set('a', 1) }]);
  t.is(receipts[0]!.status, 'ok');
});

test('X2: what f + 1 nodes refuse is refused', async (t) => {
  const writes: number[] = [];
  const counting = (at: number) => (path: string) => {
    if (isWrite(path)) writes.push(at);
    return null;
  };
  const { connect } = await addressed(t, [0, 1, 2, 3].map(counting));
  const call = { module: 'kv', command: 'set', args: set('a', 1) };
  await (await connect({ firstSeq: 5_000 })).submit([call]);
  writes.length = 0;
  const late = await connect({ firstSeq: 1 });
  const begun = performance.now();
  const error = await t.throwsAsync(late.submit([call]), { instanceOf: AlthingError });
  t.is(error.code, 'seq_too_old');
  const more = new Set(writes).size - late.cluster.faultyMax - 1;
  // For one that is silent for long another is asked (X11).
  t.true(more === 0 || (more > 0 && performance.now() - begun > 800), `${more} more`);
});

test('a node that says that a submission is under way there is asked again', async (t) => {
  let said = 0;
  const { connect } = await addressed(t, [
    (path) => (isWrite(path) && said++ < 2 ? problem(409, 'in_progress') : null),
  ]);
  const { receipts } = await (
    await connect()
  ).submit([{ module: 'kv', command: 'set', args: set('a', 1) }]);
  t.is(receipts[0]!.status, 'ok');
  t.is(said, 3);
});

test('an answer about another submission is no answer', async (t) => {
  const { connect } = await addressed(t, [
    async (path, ask) => {
      if (!isWrite(path)) return ask();
      const bytes = new Uint8Array(await (await ask()).arrayBuffer());
      bytes[0]! ^= 1;
      return new Response(bytes);
    },
    null,
  ]);
  const { receipts } = await (
    await connect()
  ).submit([{ module: 'kv', command: 'set', args: set('a', 1) }]);
  t.is(receipts[0]!.status, 'ok');
});

test('when nobody tells, the submission can be sent again later, and executes once', async (t) => {
  let silent = true;
  const patience = new AbortController();
  const { connect, port } = await addressed(t, [
    async (path, ask) => {
      if (!isWrite(path)) return ask();
      const response = await ask();
      if (port.submitted > 1) patience.abort();
      return silent ? problem(504, 'outcome_unknown') : response;
    },
  ]);
  const client = await connect();
  const unknown = await t.throwsAsync(
    client.submit([{ module: 'kv', command: 'set', args: set('a', 1) }], {
      signal: patience.signal,
    }),
    { instanceOf: OutcomeUnknown },
  );
  silent = false;
  const { id, receipts } = await client.resend(unknown.bytes);
  t.is(id as string, unknown.id);
  t.like(receipts[0]!.result, { modRevision: 1, version: 1 });
  t.true(port.submitted > 1);
});
