/** Reads that come with a proof, checked as a client checks them. */
import test from 'ava';
import { unpack } from 'msgpackr';
import { fromHex } from '../../protocols/bytes.ts';
import {
  trustGenesis,
  verifyProof,
  verifyReceiptProof,
  verifyRowProof,
} from '../../protocols/proofs/verify.ts';
import type { Digest } from '../../protocols/types.ts';
import { browserCrypto } from '../../src/crypto/browser-crypto.ts';
import { BINDINGS, start, type Started } from './start.ts';
import { API_TOKEN } from './test-node.ts';

interface Answer {
  readonly height: number;
  readonly result: unknown;
  readonly proof: string;
  readonly code?: string;
}

const headers = {
  'content-type': 'application/json',
  authorization: `Bearer ${API_TOKEN}`,
};

async function put({ url }: Started, key: string, value: unknown): Promise<{ id: string }> {
  const body = JSON.stringify(value);
  const written = await fetch(`${url}/api/v11/kv/${key}`, { method: 'PUT', headers, body });
  return (await written.json()) as { id: string };
}

async function read({ url }: Started, path: string): Promise<readonly [number, Answer]> {
  const answer = await fetch(`${url}/api/v11/${path}`);
  return [answer.status, (await answer.json()) as Answer];
}

const trust = ({ port }: Started) => trustGenesis(browserCrypto, port.cluster.genesis);

for (const binding of BINDINGS) {
  test(`${binding}: a row of any table comes with a proof, and so does its absence`, async (t) => {
    const started = await start(t, binding);
    await put(started, 'shop/a', { price: 5 });
    const [status, there] = await read(started, 'state/kv/entries/shop%2Fa?proof=1');
    t.is(status, 200);
    t.like(there.result, { value: { price: 5 }, version: 1 });
    const entry = { table: 'kv/entries', key: 'shop/a' };
    const shown = verifyRowProof(trust(started), fromHex(there.proof), entry);
    t.deepEqual(shown.ok && shown.row, there.result);
    t.is(shown.ok && shown.certified.executed.height, there.height);
    const [, gone] = await read(started, 'state/kv/entries/shop%2Fb?proof=1');
    t.is(gone.result, null);
    const other = { ...entry, key: 'shop/b' };
    t.like(verifyRowProof(trust(started), fromHex(gone.proof), other), {
      ok: true,
      row: undefined,
    });
    t.like(verifyRowProof(trust(started), fromHex(gone.proof), entry), { code: 'not_claimed' });
  });

  test(`${binding}: I116: a proof shows what was final when it was asked for`, async (t) => {
    const started = await start(t, binding);
    for (const value of [1, 2, 3]) {
      await put(started, 'n/k', value);
      const [, { result }] = await read(started, 'kv/n/k?proof=1');
      t.like(result, { value });
    }
  });

  test(`${binding}: a query comes with the rows that it looked at, and a refusal with their absence`, async (t) => {
    const started = await start(t, binding);
    await put(started, 'n/a', 1);
    await put(started, 'n/b', 2);
    const [, page] = await read(started, 'kv/list?namespace=n&proof=1');
    t.like(page.result, { entries: { length: 2 }, next: null });
    const verified = verifyProof(trust(started), fromHex(page.proof));
    t.deepEqual(
      verified.ok && verified.facts.map((fact) => (fact.kind === 'row' ? fact.key : fact.kind)),
      ['n/a', 'n/b', 'n'],
    );
    const [status, refusal] = await read(started, 'ledger/accounts/nobody?proof=1');
    t.is(status, 404);
    t.is(refusal.code, 'account_not_found');
    const account = { table: 'ledger/accounts', key: 'nobody' };
    const gone = verifyRowProof(trust(started), fromHex(refusal.proof), account);
    t.like(gone, { ok: true, row: undefined });
  });

  test(`${binding}: receipts come with a proof, in JSON and in msgpack`, async (t) => {
    const started = await start(t, binding);
    const { id } = await put(started, 'n/k', 1);
    const submission = id.slice(0, 64) as Digest;
    for (const name of [id, submission]) {
      const [status, { proof, result }] = await read(started, `transactions/${name}?proof=1`);
      t.is(status, 200);
      t.like(result, { id: name });
      const shown = verifyReceiptProof(trust(started), fromHex(proof), submission);
      t.is(shown.ok && shown.receipts[0]?.id, id);
      t.is(shown.ok && shown.receipts[0]?.events[0]?.name, 'set');
    }
    const packed = await fetch(`${started.url}/api/v11/transactions/${id}?proof=1`, {
      headers: { accept: 'application/msgpack' },
    });
    const body = unpack(new Uint8Array(await packed.arrayBuffer())) as { proof: Uint8Array };
    t.true(verifyReceiptProof(trust(started), new Uint8Array(body.proof), submission).ok);
  });

  test(`${binding}: a query that looks at more rows than a proof shows is told to ask for fewer`, async (t) => {
    const started = await start(t, binding);
    const transactions = Array.from({ length: 300 }, (_, at) => ({
      module: 'kv',
      command: 'set',
      args: { namespace: 'n', key: `k${at}`, value: at },
    }));
    const body = JSON.stringify({ transactions });
    await fetch(`${started.url}/api/v11/transactions`, { method: 'POST', headers, body });
    const [status, refused] = await read(started, 'kv/list?namespace=n&limit=1000&proof=1');
    t.deepEqual([status, refused.code], [422, 'too_many_rows']);
    const [, page] = await read(started, 'kv/list?namespace=n&limit=200&proof=1');
    t.like(verifyProof(trust(started), fromHex(page.proof)), { ok: true, facts: { length: 201 } });
  });

  test(`${binding}: refuses what cannot be proved, by name`, async (t) => {
    const started = await start(t, binding);
    for (const [path, status, code] of [
      ['state/kv/entries/a', 400, 'malformed'],
      ['state/kv/entries/a?proof=yes', 400, 'malformed'],
      ['state/kv/entries/a?proof=1&size=2', 400, 'unknown_parameter'],
      ['state/kv/nothing/a?proof=1', 404, 'unknown_table'],
      ['state/kv/toString/a?proof=1', 404, 'unknown_table'],
      ['state/bank/entries/a?proof=1', 404, 'unknown_table'],
      ['kv/list?namespace=n&proof=0', 400, 'malformed'],
      ['blocks/latest?proof=1', 400, 'unknown_parameter'],
      [`transactions/${'0'.repeat(64)}?proof=1`, 404, 'unknown_transaction'],
    ] as const) {
      const [answered, body] = await read(started, path);
      t.deepEqual([answered, body.code], [status, code], path);
    }
  });
}
