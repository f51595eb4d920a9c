import test from 'ava';
import { canonicalJson, type Genesis } from '../../protocols/genesis.ts';
import { AlthingError } from '../../src/client/errors.ts';
import { kv } from '../../src/modules/kv/kv.ts';
import { ledger } from '../../src/modules/ledger/ledger.ts';
import { addressed, endingAfter, known } from './cluster.ts';

const set = (key: string, value: number) => ({ namespace: 'n', key, value });

test('with the genesis document nobody is asked who the cluster is', async (t) => {
  const { connect, asked, port } = await addressed(t, [null]);
  const text = canonicalJson(port.cluster.genesis);
  const client = await connect({ genesis: text });
  t.is(client.cluster.clusterId, port.cluster.id);
  t.is(client.cluster.faultyMax, 1);
  t.deepEqual(asked, [0]);
});

test('a command resolves with its proved receipt, and what is read then is not older', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const client = await connect(known(port));
  const keys = client.module(kv);
  const { result, receipt } = await keys.send.set(set('a', 1));
  t.is(result.version, 1);
  t.true(client.certifiedHeight >= receipt.height);
  const read = await keys.ask.get({ namespace: 'n', key: 'a' });
  t.is(read.result.value, 1);
  t.true(read.isComplete);
  t.true(read.height >= receipt.height);
});

test('a submission is found again by its id, proved', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const client = await connect(known(port));
  const { id, receipts } = await client.submit([
    { module: 'kv', command: 'set', args: set('a', 1) },
  ]);
  t.deepEqual((await client.receipts(id)).receipts, receipts);
  const error = await t.throwsAsync(client.receipts(port.cluster.id), { instanceOf: AlthingError });
  t.is(error.code, 'unknown_transaction');
});

test("a refusal is the module's own, computed from the proof that there is no row", async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const client = await connect(known(port));
  const error = await t.throwsAsync(client.module(ledger).ask.account({ account: 'nobody' }), {
    instanceOf: AlthingError,
  });
  t.is(error.code, 'account_not_found');
});

test('a row is proved, and that there is none', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const client = await connect(known(port));
  await client.module<typeof kv>('kv').send.set(set('a/b', 7));
  const { result } = await client.row('kv', 'entries', 'n/a/b');
  t.like(result, { value: 7 });
  t.is((await client.row('kv', 'entries', 'n/nothing')).result, undefined);
});

test('a page has the proved rows, in order, and says that there may be more', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const client = await connect(known(port));
  const keys = client.module(kv);
  await Promise.all(['c', 'a', 'b'].map((key, at) => keys.send.set(set(key, at))));
  const first = await keys.ask.list({ namespace: 'n', limit: 2 });
  t.deepEqual(
    first.result.entries.map(({ key }) => key),
    ['a', 'b'],
  );
  t.false(first.isComplete);
  const next = first.result.next!;
  const second = await keys.ask.list({ namespace: 'n', limit: 2, after: next });
  t.deepEqual(
    second.result.entries.map(({ key }) => key),
    ['c'],
  );
  t.is(second.result.next, null);
});

test('what cannot be proved is asked of a node by name only', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const client = await connect(known(port));
  const unproved = await t.throwsAsync(client.query('ledger', 'supply'), {
    instanceOf: AlthingError,
  });
  t.is(unproved.code, 'needs_module');
  t.is((await client.query('ledger', 'supply', {}, { trust: 'node' })).height, 0);
  const past = client.module(ledger).ask.account({ account: 'alice' }, { atHeight: 1 });
  t.is((await t.throwsAsync(past, { instanceOf: AlthingError })).code, 'not_provable');
  const without = await connect();
  const blind = without.query('ledger', 'supply', {}, { trust: 'proof' });
  t.is((await t.throwsAsync(blind, { instanceOf: AlthingError })).code, 'needs_genesis');
});

test('arguments that do not fit are refused before anybody is asked', async (t) => {
  const { connect, port, asked } = await addressed(t, [null]);
  const client = await connect({ ...known(port), modules: [kv] });
  const error = await t.throwsAsync(client.query('kv', 'get', { nonsense: 1 }), {
    instanceOf: AlthingError,
  });
  t.deepEqual([error.code, error.field, asked], ['invalid_args', 'nonsense', [0]]);
});

test('X4: a checkpoint stands in for the genesis document, and nothing before it is the present', async (t) => {
  const { ending, signal } = endingAfter(4);
  const { connect, port } = await addressed(t, [ending]);
  const { id, genesis } = port.cluster;
  const trusted = { clusterId: id, validators: genesis.validators };
  const client = await connect({ trusted });
  t.is((await client.module(kv).send.set(set('a', 1))).result.version, 1);
  const later = await connect({ trusted: { ...trusted, height: 1_000_000 } });
  const error = await t.throwsAsync(later.row('kv', 'entries', 'n/a', { signal }), {
    instanceOf: AlthingError,
  });
  t.is(error.code, 'stale_answer');
});

const documents: readonly (readonly [string, unknown])[] = [
  ['text that is not JSON', '{'],
  ['null', 'null'],
  ['no validators', { validators: [] }],
  ['a key that is none', { validators: [{ id: 'a', publicKey: 'zz' }] }],
  ['null for a validator', { validators: [null] }],
  ['one key twice', { validators: ['a', 'b'].map((id) => ({ id, publicKey: 'ab'.repeat(32) })) }],
  ['no limits', { validators: [{ id: 'a', publicKey: 'ab'.repeat(32) }] }],
];

for (const [name, document] of documents) {
  test(`a genesis document with ${name} is refused`, async (t) => {
    const { connect } = await addressed(t, [null]);
    const error = await t.throwsAsync(connect({ genesis: document as Genesis }), {
      instanceOf: AlthingError,
    });
    t.is(error.code, 'bad_genesis');
  });
}

test('validators that others certify for prove nothing', async (t) => {
  const { ending, signal } = endingAfter(2);
  const { connect, port } = await addressed(t, [ending]);
  const { genesis } = port.cluster;
  const strangers = genesis.validators.map((each, at) => ({
    ...each,
    publicKey: genesis.validators[(at + 1) % 4]!.publicKey,
  }));
  const trusted = { clusterId: port.cluster.id, validators: strangers };
  const client = await connect({ trusted });
  const error = await t.throwsAsync(client.row('kv', 'entries', 'n/a', { signal }), {
    instanceOf: AlthingError,
  });
  t.is(error.code, 'not_proved');
  t.regex(error.message, /bad_certificate/);
});

test('X4: whom a client trusts does not change with the objects that it was given', async (t) => {
  const { connect, port } = await addressed(t, [null]);
  const changeable = (): Genesis => JSON.parse(canonicalJson(port.cluster.genesis)) as Genesis;
  const [genesis, { validators }] = [changeable(), changeable()];
  const clients = [
    await connect({ genesis }),
    await connect({ trusted: { clusterId: port.cluster.id, validators } }),
  ];
  for (const each of [...genesis.validators, ...validators]) {
    (each as { publicKey: string }).publicKey = 'ab'.repeat(32);
  }
  for (const client of clients) {
    t.is((await client.row('kv', 'entries', 'n/a')).result, undefined);
  }
});

for (const [what, trusted] of [
  ['an id that is none', { clusterId: 'ab' }],
  ['no validators', { validators: [] }],
  ['one key twice', { validators: ['a', 'b'].map((id) => ({ id, publicKey: 'ab'.repeat(32) })) }],
] as const) {
  test(`a checkpoint with ${what} is refused`, async (t) => {
    const { connect, port } = await addressed(t, [null]);
    const { id: clusterId, genesis } = port.cluster;
    const given = { clusterId, validators: genesis.validators, ...trusted };
    const error = await t.throwsAsync(connect({ trusted: given as never }), {
      instanceOf: AlthingError,
    });
    t.is(error.code, 'bad_genesis');
  });
}
