/** Submissions that are signed here and sent elsewhere, or later. */
import test from 'ava';
import { AlthingError } from '../../src/client/errors.ts';
import { SUBMISSION_TYPE } from '../../src/client/submitter.ts';
import { addressed } from './cluster.ts';

const set = (key: string, value: number) => ({
  module: 'kv',
  command: 'set',
  args: { namespace: 'n', key, value },
});
const codeOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (error: unknown) => (error instanceof AlthingError ? error.code : String(error)),
  );

test('X1: signed bytes are sent by anybody, and execute once', async (t) => {
  const { connect, url, port } = await addressed(t, [null]);
  const client = await connect();
  const bytes = client.sign([set('a', 1), set('b', 2)]);
  t.is(port.submitted, 0);
  const courier = await connect({ signer: undefined as never });
  t.is(courier.sender, 'key:');
  const sent = await courier.resend(bytes);
  t.deepEqual(
    sent.receipts.map(({ status }) => status),
    ['ok', 'ok'],
  );
  t.deepEqual(await client.resend(bytes), sent);
  const headers = { 'content-type': SUBMISSION_TYPE, accept: 'application/json' };
  const body = bytes as Uint8Array<ArrayBuffer>;
  const answer = await fetch(`${url}/api/v11/transactions`, { method: 'POST', headers, body });
  t.like(await answer.json(), { id: sent.id, height: sent.height });
  const { result } = await client.query<{ version: number }>('kv', 'get', {
    namespace: 'n',
    key: 'a',
  });
  t.is(result.version, 1);
});

test('signed bytes keep their place among those that are signed later', async (t) => {
  const { connect } = await addressed(t, [null]);
  const client = await connect();
  const first = client.sign([set('a', 1)]);
  await client.submit([set('a', 2)]);
  t.is((await client.resend(first)).receipts[0]!.status, 'ok');
  const late = client.sign([set('a', 3)]);
  const restarted = await connect({ firstSeq: Date.now() * 1_000 + 10_000_000 });
  await restarted.submit([set('a', 4)]);
  t.is(await codeOf(client.resend(late)), 'seq_too_old');
});

test('bytes that were changed, or have expired, are refused', async (t) => {
  const { connect } = await addressed(t, [null]);
  const client = await connect();
  const bytes = client.sign([set('a', 1)]);
  for (const at of [bytes.length - 1, bytes.length - 65]) {
    const changed = Uint8Array.from(bytes);
    changed[at]! ^= 1;
    t.not(await codeOf(client.resend(changed)), 'answered');
  }
  t.is(await codeOf(client.resend(client.sign([set('a', 1)], { validityMs: -60_000 }))), 'expired');
  const days = client.sign([set('a', 1)], { validityMs: 3 * 86_400_000 });
  t.not(await codeOf(client.resend(days)), 'answered');
  t.is(await codeOf(client.query('kv', 'get', { namespace: 'n', key: 'a' })), 'key_not_found');
});

test('a client without a signer signs nothing', async (t) => {
  const { connect } = await addressed(t, [null]);
  const reader = await connect({ signer: undefined as never });
  t.throws(() => reader.sign([set('a', 1)]), { code: 'no_signer' });
});
