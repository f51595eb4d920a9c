/** Reads of state that say more than what this node has executed, and proofs, over gRPC. */
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import test from 'ava';
import {
  trustGenesis,
  verifyProof,
  verifyReceiptProof,
  verifyRowProof,
} from '../../protocols/proofs/verify.ts';
import type { Digest } from '../../protocols/types.ts';
import { browserCrypto } from '../../src/crypto/browser-crypto.ts';
import { set, signed } from '../http/posting.ts';
import { start, TestClient, type Started } from './start.ts';

interface Answer {
  readonly height: number;
  readonly result: unknown;
  readonly proof: Uint8Array;
  readonly error: { readonly code: string } | null;
}

const STATE = 'althing.v1.State';
const LINEARIZABLE = 'CONSISTENCY_LINEARIZABLE';
const ENTRY = { table: 'kv/entries', key: 'n/k' };
const args = { fields: { namespace: { stringValue: 'n' }, key: { stringValue: 'k' } } };
const GET = { module: 'kv', query: 'get', args };
const account = (name: string) => ({
  module: 'ledger',
  query: 'account',
  args: { fields: { account: { stringValue: name } } },
});
const trust = ({ port }: Started) => trustGenesis(browserCrypto, port.cluster.genesis);

/** `n/k` is set to 1, then 2, then 3, at the heights of the same numbers. Gives the last submission's id. */
async function write({ port }: Started): Promise<Digest> {
  let id = '';
  for (const value of [1, 2, 3]) {
    const result = await port.submit(signed(port, value, [set('k', value)]));
    if (result.ok) id = result.receipts!.id;
  }
  return id as Digest;
}

const failure = async (call: Promise<unknown>): Promise<ServiceError> =>
  call.then(
    () => Promise.reject(new Error('it succeeded')),
    (error: unknown) => error as ServiceError,
  );
const told = ({ code, metadata }: ServiceError): readonly unknown[] => [
  code,
  metadata.get('althing-code')[0],
  metadata.get('althing-field')[0],
];
const options = (named: Readonly<Record<string, string>>): Metadata => {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(named)) metadata.set(name, value);
  return metadata;
};
const valueOf = (value: number) => ({
  structValue: { fields: { value: { numberValue: value } } },
});

test('reads of the past are answered from their height, typed and by name', async (t) => {
  const started = await start(t);
  await write(started);
  const state = new TestClient(t, started.address, STATE);
  const kv = new TestClient(t, started.address, 'althing.module.kv.v1.Queries');
  const key = { namespace: 'n', key: 'k' };
  for (const height of [1, 2, 3]) {
    t.like(await state.call('Query', { ...GET, atHeight: height }), {
      height,
      result: valueOf(height),
    });
    const at = options({ 'althing-at-height': String(height) });
    t.like(await kv.call('Get', key, at), { height, result: { value: { numberValue: height } } });
  }
  const first = await failure(state.call('Query', { ...GET, atHeight: 0 }));
  t.like(told(first), [status.NOT_FOUND, 'key_not_found']);
  const ahead = [status.NOT_FOUND, 'height_ahead'];
  t.like(told(await failure(state.call('Query', { ...GET, atHeight: 9 }))), ahead);
  t.like(told(await failure(kv.call('Get', key, options({ 'althing-at-height': '9' })))), ahead);
  const message = 'the oldest height that can still be read here is 7';
  started.port.query = () =>
    Promise.resolve({ height: 9, result: { ok: false, code: 'height_pruned', message } });
  const pruned = await failure(state.call('Query', { ...GET, atHeight: 1 }));
  t.like(told(pruned), [status.FAILED_PRECONDITION, 'height_pruned']);
});

test('a linearizable read waits until a quorum confirmed it, typed and by name', async (t) => {
  const started = await start(t);
  await write(started);
  const state = new TestClient(t, started.address, STATE);
  const ledger = new TestClient(t, started.address, 'althing.module.ledger.v1.Queries');
  const linearizable = options({ 'althing-consistency': 'linearizable' });
  const reads = [
    () => state.call('Query', { ...GET, consistency: LINEARIZABLE }),
    () => ledger.call('Supply', {}, linearizable),
  ];
  for (const read of reads) {
    const { port } = started;
    const height = port.live().actors.transaction.executedHeight;
    t.like(await read(), { height: height + 1 }, 'after a block that began later');
    port.hold();
    const waiting = read();
    const later = new Promise((resolve) => setTimeout(() => resolve('nothing yet'), 50));
    t.is(await Promise.race([waiting, later]), 'nothing yet');
    port.release();
    await waiting;
  }
  t.like(await ledger.call('Supply', {}, options({ 'althing-consistency': 'finalized' })), {
    result: { supply: '1000' },
  });
  started.port.peersConnected = [1];
  for (const read of reads) {
    t.like(told(await failure(read())), [status.UNAVAILABLE, 'no_quorum']);
  }
});

test('options that are unknown, malformed or two at once are refused by name', async (t) => {
  const started = await start(t);
  await write(started);
  const state = new TestClient(t, started.address, STATE);
  const bad = status.INVALID_ARGUMENT;
  for (const [request, code, field] of [
    [{ consistency: 7 }, 'unsupported_consistency', 'consistency'],
    [{ atHeight: 2 ** 60 }, 'malformed', 'at_height'],
    [{ atHeight: 1, consistency: LINEARIZABLE }, 'unsupported_parameter', 'at_height'],
    [{ atHeight: 1, proof: true }, 'unsupported_parameter', 'at_height'],
    [{ proof: true, consistency: LINEARIZABLE }, 'unsupported_parameter', 'consistency'],
  ] as const) {
    const refused = await failure(state.call('Query', { ...GET, ...request }));
    t.deepEqual(told(refused), [bad, code, field], JSON.stringify(request));
  }
  const kv = new TestClient(t, started.address, 'althing.module.kv.v1.Queries');
  const key = { namespace: 'n', key: 'k' };
  for (const [named, code, field] of [
    [{ 'althing-consistency': 'linear' }, 'unsupported_consistency', 'althing-consistency'],
    [{ 'althing-at-height': '-1' }, 'malformed', 'althing-at-height'],
    [{ 'althing-at-height': '' }, 'malformed', 'althing-at-height'],
    [{ 'althing-at-height': '99999999999999999999' }, 'malformed', 'althing-at-height'],
    [{ 'althing-height': '1' }, 'malformed', 'althing-height'],
    [{ 'althing-proof': 'yes' }, 'malformed', 'althing-proof'],
    [{ 'althing-proof': '' }, 'malformed', 'althing-proof'],
    [
      { 'althing-proof': '1', 'althing-at-height': '1' },
      'unsupported_parameter',
      'althing-at-height',
    ],
    [
      { 'althing-proof': '1', 'althing-consistency': 'linearizable' },
      'unsupported_parameter',
      'althing-consistency',
    ],
    [
      { 'althing-at-height': '1', 'althing-consistency': 'linearizable' },
      'unsupported_parameter',
      'althing-at-height',
    ],
  ] as const) {
    const refused = await failure(kv.call('Get', key, options(named)));
    t.deepEqual(told(refused), [bad, code, field], JSON.stringify(named));
  }
  const beside = await failure(state.call('Query', GET, options({ 'althing-at-height': '1' })));
  t.deepEqual(told(beside), [bad, 'malformed', 'althing-at-height']);
});

test('a row of any table comes with a proof, and so does its absence', async (t) => {
  const started = await start(t);
  await write(started);
  const state = new TestClient(t, started.address, STATE);
  const row = { module: 'kv', table: 'entries', key: 'n/k' };
  const there = await state.call<Answer & { row: unknown }>('ProveRow', row);
  t.like(there.row, valueOf(3));
  const shown = verifyRowProof(trust(started), there.proof, ENTRY);
  t.like(shown, { ok: true, row: { value: 3 } });
  t.is(shown.ok && shown.certified.executed.height, there.height);
  const gone = await state.call<Answer & { row: object }>('ProveRow', { ...row, key: 'n/other' });
  t.like(gone.row, { kind: 'nullValue' });
  const absent = verifyRowProof(trust(started), gone.proof, { ...ENTRY, key: 'n/other' });
  t.like(absent, { ok: true, row: undefined });
  for (const request of [{}, { ...row, table: 'nothing' }, { ...row, table: 'toString' }]) {
    const refused = await failure(state.call('ProveRow', request));
    t.like(told(refused), [status.NOT_FOUND, 'unknown_table']);
  }
});

test('a query comes with the rows that it looked at, and a refusal with their absence', async (t) => {
  const started = await start(t);
  await write(started);
  const state = new TestClient(t, started.address, STATE);
  const read = await state.call<Answer>('Query', { ...GET, proof: true });
  t.like(read.result, valueOf(3));
  t.is(read.error, null);
  t.like(verifyRowProof(trust(started), read.proof, ENTRY), { ok: true, row: { value: 3 } });
  const refused = await state.call<Answer>('Query', { ...account('nobody'), proof: true });
  t.is(refused.error?.code, 'account_not_found');
  t.is(refused.result, null);
  const nobody = { table: 'ledger/accounts', key: 'nobody' };
  const gone = verifyRowProof(trust(started), refused.proof, nobody);
  t.like(gone, { ok: true, row: undefined });
  const forged = Uint8Array.from(refused.proof);
  forged[forged.length >> 1]! ^= 1;
  t.false(verifyProof(trust(started), forged).ok);
  const plain = await failure(state.call('Query', account('nobody')));
  t.like(told(plain), [status.NOT_FOUND, 'account_not_found']);
});

test('a typed query comes with its rows where the metadata asks for a proof', async (t) => {
  const started = await start(t);
  await write(started);
  const proof = (value: string): Metadata => options({ 'althing-proof': value });
  const kv = new TestClient(t, started.address, 'althing.module.kv.v1.Queries');
  const asked = { namespace: 'n', key: 'k' };
  const read = await kv.call<Answer>('Get', asked, proof('1'));
  t.like(read, { result: { value: { numberValue: 3 } } });
  const shown = verifyRowProof(trust(started), read.proof, ENTRY);
  t.like(shown, { ok: true, row: { value: 3 } });
  t.is(shown.ok && shown.certified.executed.height, read.height);
  for (const metadata of [proof('0'), new Metadata()]) {
    t.is((await kv.call<Answer>('Get', asked, metadata)).proof.length, 0);
  }
  const refused = await failure(kv.call('Get', { ...asked, key: 'none' }, proof('1')));
  t.like(told(refused), [status.NOT_FOUND, 'key_not_found']);
});

test('receipts come with a proof where it is asked for', async (t) => {
  const started = await start(t);
  const id = await write(started);
  const transactions = new TestClient(t, started.address, 'althing.v1.Transactions');
  for (const name of [id, `${id}-0`]) {
    const found = await transactions.call<Answer & { certifiedHeight: number }>('Get', {
      id: name,
      proof: true,
    });
    t.like(found, { id: name, height: 3, receipts: { length: 1 } });
    const shown = verifyReceiptProof(trust(started), found.proof, id);
    t.is(shown.ok && shown.receipts[0]?.id, `${id}-0`);
    t.is(shown.ok && shown.certified.executed.height, found.certifiedHeight);
  }
  t.is((await transactions.call<Answer>('Get', { id })).proof.length, 0);
  const unknown = await failure(transactions.call('Get', { id: '0'.repeat(64), proof: true }));
  t.like(told(unknown), [status.NOT_FOUND, 'unknown_transaction']);
});

test('what cannot be certified now is told as such', async (t) => {
  const started = await start(t);
  await write(started);
  const state = new TestClient(t, started.address, STATE);
  const result = { ok: false, code: 'not_certified', message: 'not yet' } as const;
  started.port.prove = () => Promise.resolve({ ok: false, height: 3, result });
  const refused = await failure(state.call('Query', { ...GET, proof: true }));
  t.like(told(refused), [status.UNAVAILABLE, 'not_certified']);
  t.is(refused.metadata.get('grpc-retry-pushback-ms')[0], '1000');
});
