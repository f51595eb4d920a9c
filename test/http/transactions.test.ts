import test from 'ava';
import { Packr } from 'msgpackr';
import { toHex } from '../../protocols/bytes.ts';
import {
  encodeSubmission,
  signSubmission,
  submissionId,
} from '../../protocols/transaction/submission.ts';
import { nodeCrypto } from '../../src/crypto/node-crypto.ts';
import {
  bearer,
  content,
  JSON_TYPE,
  MSGPACK,
  PATH,
  pay,
  post,
  problem,
  set,
  signed,
  SUBMISSION,
  type Answer,
} from './posting.ts';
import { BINDINGS, start } from './start.ts';
import { client } from './test-node.ts';

const packr = new Packr({ useRecords: false });

for (const binding of BINDINGS) {
  // N1
  test(`${binding}: takes the raw bytes of a submission that its client signed`, async (t) => {
    const started = await start(t, binding);
    const what = content(started.port, 0, [set('a'), pay(5)]);
    const answer = await post(started, signSubmission(what, client), {
      'content-type': SUBMISSION,
    });
    t.is(answer.status, 200);
    const body = (await answer.json()) as Answer;
    t.is(body.id, submissionId(nodeCrypto, encodeSubmission(what)));
    t.true(body.exactlyOnce);
    t.is(body.receipts.length, 2);
    t.like(body.receipts[0], { id: `${body.id}-0`, status: 'ok', result: { modRevision: 1 } });
    t.like(body.receipts[1], { id: `${body.id}-1`, status: 'ok', events: [] });
    t.is(answer.headers.get('x-althing-node'), 'validator-1');
    t.is(answer.headers.get('x-althing-height'), String(body.height));
  });

  test(`${binding}: gives the same receipts for the same submission, however often it comes`, async (t) => {
    const started = await start(t, binding);
    const bytes = signed(started.port, 0, [pay(5)]);
    const first = await (await post(started, bytes, { 'content-type': SUBMISSION })).text();
    const again = await (await post(started, bytes, { 'content-type': SUBMISSION })).text();
    t.is(again, first);
    const account = await (await fetch(`${started.url}/api/v11/ledger/accounts/bob`)).json();
    t.like(account, { balance: '5' });
  });

  test(`${binding}: serves many submissions on one connection`, async (t) => {
    const started = await start(t, binding);
    for (let seq = 0; seq < 20; seq++) {
      const bytes = signed(started.port, seq, [set(`k${seq}`)]);
      t.is((await post(started, bytes, { 'content-type': SUBMISSION })).status, 200);
    }
  });

  test(`${binding}: writes the receipts of a thousand transactions as JSON, msgpack and compactly`, async (t) => {
    const started = await start(t, binding);
    const many = Array.from({ length: 1000 }, () => pay(1));
    const ask = async (seq: number, accept: string): Promise<Response> =>
      post(started, signed(started.port, seq, many), { 'content-type': SUBMISSION, accept });
    const json = (await (await ask(0, JSON_TYPE)).json()) as Answer;
    t.is(json.receipts.length, 1000);
    t.is(json.receipts[999]?.id, `${json.id}-999`);
    const packed = new Uint8Array(await (await ask(1, MSGPACK)).arrayBuffer());
    const unpacked = packr.unpack(packed) as Answer;
    t.is(unpacked.receipts[999]?.status, 'failed');
    t.is(unpacked.receipts[999]?.error?.code, 'exceeds_credits');
    const compact = await ask(2, 'application/vnd.althing.receipts');
    t.is(compact.headers.get('content-type'), 'application/vnd.althing.receipts');
    const bytes = new Uint8Array(await compact.arrayBuffer());
    t.is(bytes[32 + 8 + 4 + 2], 1000 >> 8);
    t.is(toHex(bytes.subarray(0, 32)).length, 64);
  });

  test(`${binding}: takes one transaction as JSON from the holder of the token`, async (t) => {
    const started = await start(t, binding);
    const answer = await post(started, set('a'), bearer);
    t.is(answer.status, 200);
    const body = (await answer.json()) as Answer;
    t.false(body.exactlyOnce);
    t.like(body.receipts, { 0: { status: 'ok' }, length: 1 });
  });

  test(`${binding}: takes many transactions as msgpack, and answers in msgpack`, async (t) => {
    const started = await start(t, binding);
    const body = packr.pack({ transactions: [set('a'), set('b', 7)] });
    const headers = { ...bearer, 'content-type': MSGPACK, accept: MSGPACK };
    const answer = await post(started, body, headers);
    t.is(answer.status, 200);
    t.is(answer.headers.get('content-type'), MSGPACK);
    const read = packr.unpack(new Uint8Array(await answer.arrayBuffer())) as Answer;
    t.like(read.receipts, { 1: { status: 'ok', result: { modRevision: 2 } }, length: 2 });
  });

  test(`${binding}: takes a client's signature in JSON without a token`, async (t) => {
    const started = await start(t, binding);
    const what = content(started.port, 3, [pay(1)]);
    const bytes = signSubmission(what, client);
    const request = {
      transactions: [
        { module: 'ledger', command: 'transfer', args: { from: 'alice', to: 'bob', amount: '1' } },
      ],
      client: client.publicKey,
      seq: '3',
      validUntil: what.validUntil,
      signature: toHex(bytes.subarray(bytes.length - 64)),
    };
    const answer = await post(started, request);
    t.is(answer.status, 200);
    t.true(((await answer.json()) as Answer).exactlyOnce);
    const forged = { ...request, seq: '4' };
    const refused = await post(started, forged);
    t.is(refused.status, 401);
    t.like(await problem(refused), { code: 'bad_signature', field: 'signature' });
  });

  test(`${binding}: an idempotency key beside a client's signature is refused, and says why`, async (t) => {
    const started = await start(t, binding);
    const key = { 'idempotency-key': 'order-17' };
    const what = content(started.port, 0, [set('a')]);
    const bytes = signSubmission(what, client);
    const signature = toHex(bytes.subarray(bytes.length - 64));
    const { seq, validUntil, transactions } = what;
    const json = { transactions, client: client.publicKey, seq, validUntil, signature };
    for (const [body, type] of [
      [bytes, SUBMISSION],
      [json, JSON_TYPE],
    ] as const) {
      const refused = await post(started, body, { 'content-type': type, ...key });
      t.is(refused.status, 400);
      t.like(await problem(refused), { code: 'malformed', field: 'Idempotency-Key' });
      t.is((await post(started, body, { 'content-type': type })).status, 200);
    }
  });

  test(`${binding}: an idempotency key makes a retry give the first receipts`, async (t) => {
    const started = await start(t, binding);
    const headers = { ...bearer, 'idempotency-key': 'order-17' };
    const first = (await (await post(started, set('a'), headers)).json()) as Answer;
    t.true(first.exactlyOnce);
    const again = (await (await post(started, set('a'), headers)).json()) as Answer;
    t.deepEqual(again.receipts, first.receipts);
    const other = await post(started, set('b'), headers);
    t.is(other.status, 422);
    t.like(await problem(other), { code: 'idempotency_key_reused', field: 'Idempotency-Key' });
  });

  test(`${binding}: a second request under a key whose first is under way gets 409`, async (t) => {
    const started = await start(t, binding);
    const headers = { ...bearer, 'idempotency-key': 'order-18' };
    started.port.hold();
    const submitting = started.port.submitting();
    const first = post(started, set('a'), headers);
    await submitting;
    // Another time of expiry makes another submission of the same content.
    const second = await post(
      started,
      { transactions: [set('a')], validUntil: Date.now() + 30_000 },
      headers,
    );
    t.is(second.status, 409);
    t.like(await problem(second), { code: 'in_progress' });
    t.truthy(second.headers.get('retry-after'));
    started.port.release();
    t.is((await first).status, 200);
  });

  test(`${binding}: a transaction that its module refuses is final and failed`, async (t) => {
    const started = await start(t, binding);
    const answer = await post(
      started,
      { module: 'ledger', command: 'transfer', args: { from: 'bob', to: 'alice', amount: '1' } },
      bearer,
    );
    t.is(answer.status, 200);
    const { receipts } = (await answer.json()) as Answer;
    t.like(receipts[0], { status: 'failed', error: { code: 'exceeds_credits' }, events: [] });
  });

  // N2
  test(`${binding}: bytes that claim to be vouched for by this node are refused`, async (t) => {
    const started = await start(t, binding);
    const forged = encodeSubmission({
      kind: 'node',
      clusterId: started.port.cluster.id,
      key: started.port.cluster.genesis.validators[0]!.publicKey,
      principal: 'api',
      idempotencyKey: Uint8Array.of(1),
      validUntil: Date.now() + 60_000,
      transactions: [set('a'), set('b')],
    });
    const answer = await post(started, forged, { 'content-type': SUBMISSION, ...bearer });
    t.is(answer.status, 400);
    const reads = await fetch(`${started.url}/api/v11/kv/n/a`);
    t.is(reads.status, 404);
  });

  test(`${binding}: without a quorum writes are refused with the reason and a time to retry`, async (t) => {
    const started = await start(t, binding);
    started.port.peersConnected = [1];
    const bytes = signed(started.port, 0, [set('a')]);
    const answer = await post(started, bytes, { 'content-type': SUBMISSION });
    t.is(answer.status, 503);
    t.truthy(answer.headers.get('retry-after'));
    const { code, detail } = await problem(answer);
    t.is(code, 'no_quorum');
    t.regex(detail!, /^2 of the 3 .* not heard: validator-3 since 2026\S+Z, validator-4 since/);
    t.is((await fetch(`${started.url}/api/v11/ledger/accounts/alice`)).status, 200);
  });

  test(`${binding}: a draining node refuses writes`, async (t) => {
    const started = await start(t, binding);
    started.port.draining = true;
    const answer = await post(started, set('a'), bearer);
    t.is(answer.status, 503);
    t.like(await problem(answer), { code: 'draining' });
  });

  test(`${binding}: an id that nobody submitted is 404, and one that is none is 400`, async (t) => {
    const { url } = await start(t, binding);
    t.is((await fetch(`${url}${PATH}/${'a'.repeat(64)}`)).status, 404);
    t.is((await fetch(`${url}${PATH}/${'a'.repeat(64)}-0`)).status, 404);
    for (const id of ['x', 'A'.repeat(64), `${'a'.repeat(64)}-01`, `${'a'.repeat(64)}-`]) {
      t.is((await fetch(`${url}${PATH}/${id}`)).status, 400, id);
    }
  });

  test(`${binding}: an index beyond the submission is 404`, async (t) => {
    const started = await start(t, binding);
    const { id } = (await (await post(started, set('a'), bearer)).json()) as Answer;
    t.is((await fetch(`${started.url}${PATH}/${id}-0`)).status, 200);
    t.is((await fetch(`${started.url}${PATH}/${id}-1`)).status, 404);
  });
}
