import test from 'ava';
import fc from 'fast-check';
import { connect } from 'node:http2';
import { Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { Packr } from 'msgpackr';
import { signSubmission, type Call } from '../../protocols/transaction/submission.ts';
import { API_TOKEN, client, type TestPort } from '../http/test-node.ts';
import { bearer, start, TestClient } from './start.ts';

const SERVICE = 'althing.v1.Transactions';

interface Answer {
  readonly id: string;
  readonly exactlyOnce: boolean;
  readonly final: boolean;
  readonly height: number;
  readonly receipts: readonly {
    readonly id: string;
    readonly status: string;
    readonly error?: { readonly code: string } | null;
  }[];
}

const text = (stringValue: string) => ({ stringValue, kind: 'stringValue' });
const setArgs = (key: string) => ({
  fields: { namespace: text('n'), key: text(key), value: { numberValue: 5 } },
});
const set = (key: string) => ({ module: 'kv', command: 'set', args: setArgs(key) });
const list = (...transactions: object[]) => ({ transactions: { transactions } });

function signed(port: TestPort, seq: number, transactions: readonly Call[]): Uint8Array {
  const content = {
    kind: 'client',
    clusterId: port.cluster.id,
    key: client.publicKey,
    seq,
    validUntil: Date.now() + 60_000,
    transactions,
  } as const;
  return signSubmission(content, client);
}

const pay: Call = {
  module: 'ledger',
  command: 'transfer',
  args: { from: 'alice', to: 'bob', amount: 1 },
};

async function refused(call: Promise<unknown>): Promise<ServiceError> {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error('not refused');
}

const codeOf = ({ metadata }: ServiceError): string => String(metadata.get('althing-code')[0]);

test('takes a submission that its client signed, without a token', async (t) => {
  const { address, port } = await start(t);
  const grpc = new TestClient(t, address, SERVICE);
  const submission = signed(port, 0, [pay, pay]);
  const answer = await grpc.call<Answer>('Submit', { submission });
  t.like(answer, { exactlyOnce: true, final: true, height: 1 });
  t.is(answer.receipts[1]?.id, `${answer.id}-1`);
  t.is(answer.receipts[1]?.status, 'STATUS_OK');
  t.deepEqual(await grpc.call('Submit', { submission }), answer);
});

test('takes transactions with arguments as a Struct or as msgpack, from the holder of the token', async (t) => {
  const { address } = await start(t);
  const grpc = new TestClient(t, address, SERVICE);
  const argsMsgpack = new Packr({ useRecords: false }).pack({ namespace: 'n', key: 'b', value: 1 });
  const packed = { module: 'kv', command: 'set', argsMsgpack };
  const answer = await grpc.call<Answer>('Submit', list(set('a'), packed), bearer(API_TOKEN));
  t.false(answer.exactlyOnce);
  t.like(answer.receipts[0], {
    result: { structValue: { fields: { modRevision: { numberValue: 1 } } } },
    events: { 0: { module: 'kv', name: 'set' } },
  });
});

test('asks for the token, and refuses a wrong one, with the same rule as HTTP', async (t) => {
  const { address } = await start(t);
  const grpc = new TestClient(t, address, SERVICE);
  const missing = await refused(grpc.call('Submit', list(set('a'))));
  t.is(missing.code, status.UNAUTHENTICATED);
  t.is(codeOf(missing), 'credential_missing');
  const wrong = await refused(grpc.call('Submit', list(set('a')), bearer('wrong')));
  t.is(wrong.code, status.PERMISSION_DENIED);
});

test('in dev mode no token is needed', async (t) => {
  const { address } = await start(t, true);
  const grpc = new TestClient(t, address, SERVICE);
  t.true((await grpc.call<Answer>('Submit', list(set('a')))).final);
});

test('an idempotency key makes a retry give the first receipts', async (t) => {
  const { address } = await start(t, true);
  const grpc = new TestClient(t, address, SERVICE);
  const once = { idempotencyKey: 'k' };
  const first = await grpc.call<Answer>('Submit', { ...list(set('a')), ...once });
  t.true(first.exactlyOnce);
  t.deepEqual(await grpc.call('Submit', { ...list(set('a')), ...once }), first);
  const other = await refused(grpc.call('Submit', { ...list(set('b')), ...once }));
  t.is(codeOf(other), 'idempotency_key_reused');
});

test('an idempotency key beside a signed submission is refused', async (t) => {
  const { address, port } = await start(t);
  const grpc = new TestClient(t, address, SERVICE);
  const submission = signed(port, 0, [pay]);
  const error = await refused(grpc.call('Submit', { submission, idempotencyKey: 'k' }));
  t.is(error.code, status.INVALID_ARGUMENT);
  t.is(error.metadata.get('althing-field')[0], 'Idempotency-Key');
});

test('refusals carry code, field and, where it makes sense, a time to retry', async (t) => {
  const { address, port } = await start(t, true);
  const grpc = new TestClient(t, address, SERVICE);
  const bad = await refused(
    grpc.call('Submit', list({ module: 'kv', command: 'steal', args: {} })),
  );
  t.is(bad.code, status.INVALID_ARGUMENT);
  t.is(bad.metadata.get('althing-field')[0], 'transactions[0].command');
  t.true((bad.metadata.get('grpc-status-details-bin')[0] as Buffer).includes('unknown_command'));
  port.peersConnected = [];
  // The look at the quorum is renewed within milliseconds: ask until it is.
  let error = await refused(grpc.call('Submit', list(set('a'))).then(() => Promise.reject(bad)));
  while (codeOf(error) !== 'no_quorum') {
    error = await refused(grpc.call('Submit', list(set('a'))).then(() => Promise.reject(bad)));
  }
  t.is(error.code, status.UNAVAILABLE);
  t.is(error.metadata.get('grpc-retry-pushback-ms')[0], '1000');
});

for (const [name, request] of [
  ['nothing', {}],
  ['no transactions', list()],
  ['an empty submission', { submission: new Uint8Array(0) }],
  ['random bytes', { submission: new Uint8Array(300).fill(7) }],
  [
    'arguments that are not msgpack',
    list({ module: 'kv', command: 'set', argsMsgpack: Uint8Array.of(0xc1) }),
  ],
  ['a value without a kind', list({ module: 'kv', command: 'set', args: { fields: { key: {} } } })],
  ['NaN', list({ module: 'kv', command: 'set', args: { fields: { key: { numberValue: NaN } } } })],
  [
    'a pollution attempt',
    list({ module: 'kv', command: 'set', args: { fields: { constructor: text('x') } } }),
  ],
  ['a wait beyond the bound', { ...list(set('a')), timeoutMs: 4_000_000_000 }],
] as const) {
  test(`refuses ${name} with INVALID_ARGUMENT`, async (t) => {
    const { address } = await start(t, true);
    const grpc = new TestClient(t, address, SERVICE);
    const error = await refused(grpc.call('Submit', request));
    t.is(error.code, status.INVALID_ARGUMENT);
    t.notRegex(error.details, /\.(?:js|ts):\d+/);
  });
}

for (const name of ['x'.repeat(100_000), '界'.repeat(30_000), '💡'.repeat(30_000)]) {
  test(`a field with a name of ${name.length} ${name.slice(0, 2)} is refused with a part of it`, async (t) => {
    const { address } = await start(t, true);
    const grpc = new TestClient(t, address, SERVICE);
    const { fields } = setArgs('a');
    const args = { fields: { ...fields, [name]: text('v') } };
    const error = await refused(grpc.call('Submit', list({ module: 'kv', command: 'set', args })));
    t.is(error.code, status.INVALID_ARGUMENT);
    t.is(codeOf(error), 'invalid_args');
    t.true(String(error.metadata.get('althing-field')[0]).length <= 200);
  });
}

test('a wait that ends too soon is DEADLINE_EXCEEDED with the id to ask for', async (t) => {
  const { address, port } = await start(t);
  const grpc = new TestClient(t, address, SERVICE);
  port.hold();
  const submission = signed(port, 0, [pay]);
  const error = await refused(grpc.call('Submit', { submission, timeoutMs: 20 }));
  t.is(error.code, status.DEADLINE_EXCEEDED);
  const id = String(error.metadata.get('althing-id')[0]);
  const pending = await refused(grpc.call('Get', { id }));
  t.is(codeOf(pending), 'in_progress');
  port.release();
  await grpc.call('Submit', { submission });
  t.like(await grpc.call<Answer>('Get', { id }), { id, height: 1, receipts: { length: 1 } });
});

test('accepted answers with the id before finality', async (t) => {
  const { address, port } = await start(t);
  port.hold();
  const grpc = new TestClient(t, address, SERVICE);
  const submission = signed(port, 0, [pay]);
  const answer = await grpc.call<Answer>('Submit', { submission, wait: 'WAIT_ACCEPTED' });
  t.false(answer.final);
  t.regex(answer.id, /^[0-9a-f]{64}$/);
});

test('Get finds one transaction of a submission, and says what it does not know', async (t) => {
  const { address, port } = await start(t);
  const grpc = new TestClient(t, address, SERVICE);
  const { id } = await grpc.call<Answer>('Submit', { submission: signed(port, 0, [pay, pay]) });
  const one = await grpc.call<Answer>('Get', { id: `${id}-1` });
  t.like(one.receipts, { 0: { id: `${id}-1` }, length: 1 });
  t.is((await refused(grpc.call('Get', { id: `${id}-2` }))).code, status.NOT_FOUND);
  t.is((await refused(grpc.call('Get', { id: 'a'.repeat(64) }))).code, status.NOT_FOUND);
  t.is((await refused(grpc.call('Get', { id: 'x' }))).code, status.INVALID_ARGUMENT);
});

interface Streamed {
  readonly sequence: number;
  readonly requestId: string;
  readonly response?: Answer;
  readonly problem?: { readonly code: string; readonly httpStatus: number };
}

// G1, G2
test('a stream answers each of many submissions, good or bad, and then ends', async (t) => {
  const { address, port } = await start(t);
  const grpc = new TestClient(t, address, SERVICE);
  const stream = grpc.stream('SubmitStream');
  const count = 600;
  for (let seq = 0; seq < count; seq++) {
    const submission = seq % 100 === 50 ? Uint8Array.of(1) : signed(port, seq, [pay]);
    stream.write({ submission, requestId: `r${seq}` });
  }
  stream.end();
  const answers: Streamed[] = [];
  for await (const answer of stream) answers.push(answer as Streamed);
  t.is(answers.length, count);
  t.is(new Set(answers.map(({ sequence }) => sequence)).size, count);
  for (const { sequence, requestId, response, problem } of answers) {
    t.is(requestId, `r${sequence}`);
    if (sequence % 100 === 50) t.is(problem?.code, 'malformed');
    else t.is(response?.receipts.length, 1);
  }
});

test('a stream whose client goes away harms nothing', async (t) => {
  const { address, port } = await start(t);
  const grpc = new TestClient(t, address, SERVICE);
  port.hold();
  const stream = grpc.stream('SubmitStream');
  stream.on('error', () => undefined);
  const submitting = port.submitting();
  stream.write({ submission: signed(port, 0, [pay]) });
  await submitting;
  stream.cancel();
  port.release();
  t.like(await grpc.call<Answer>('Submit', { submission: signed(port, 1, [pay]) }), {
    final: true,
  });
});

test('any frame as a request gets an error and leaves the server serving', async (t) => {
  const { address, port } = await start(t, true);
  const session = connect(`http://${address}`);
  t.teardown(() => session.destroy());
  const send = (body: Uint8Array): Promise<unknown> =>
    new Promise((resolve) => {
      const stream = session.request({
        ':method': 'POST',
        ':path': `/${SERVICE}/Submit`,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      let answered: unknown = null;
      const take = (headers: Record<string, unknown>): void => {
        answered = headers['grpc-status'] ?? answered;
      };
      stream.on('response', take).on('trailers', take);
      stream.on('error', () => undefined).on('close', () => resolve(answered));
      stream.resume();
      stream.end(body);
    });
  const framed = (body: Uint8Array): Uint8Array => {
    const frame = Buffer.alloc(5 + body.length);
    frame.writeUInt32BE(body.length, 1);
    frame.set(body, 5);
    return frame;
  };
  const bytes = fc.uint8Array({ maxLength: 200 });
  await fc.assert(
    fc.asyncProperty(bytes, fc.boolean(), async (body, whole) => {
      t.not(await send(whole ? framed(body) : body), '0');
    }),
    { numRuns: 150 },
  );
  const bomb = Buffer.from(Array.from({ length: 60_000 }, (_, at) => (at % 2 === 0 ? 0x12 : 0x7f)));
  t.not(await send(framed(bomb)), '0');
  const grpc = new TestClient(t, address, SERVICE);
  t.true((await grpc.call<Answer>('Submit', { submission: signed(port, 0, [pay]) })).final);
});

test('the state of consensus is the same as over HTTP', async (t) => {
  const { address, port } = await start(t);
  const grpc = new TestClient(t, address, 'althing.v1.Consensus');
  const answer = await grpc.call<object>('Status', {}, new Metadata());
  t.like(answer, {
    nodeId: 'validator-1',
    currentLeader: 'validator-1',
    term: 4,
    state: 'LEADER',
    votingEnabled: true,
    quorum: 3,
    validators: [...port.info.validators],
    peers: { length: 3 },
  });
});
