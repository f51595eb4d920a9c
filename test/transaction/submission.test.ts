import test from 'ava';
import fc from 'fast-check';
import { bytesEqual, toHex, utf8 } from '../../protocols/bytes.ts';
import { DEFAULT_LIMITS } from '../../protocols/genesis.ts';
import { isRefusal } from '../../protocols/transaction/refusals.ts';
import {
  encodeSubmission,
  parseTransactionId,
  signSubmission,
  submissionId,
  transactionId,
  type ClientSubmission,
  type NodeSubmission,
} from '../../protocols/transaction/submission.ts';
import {
  type Submission,
  SubmissionReader,
} from '../../protocols/transaction/submission-reader.ts';
import type { Digest } from '../../protocols/types.ts';
import { crypto, testSigner } from './crypto.ts';

const clusterId = 'ab'.repeat(32) as Digest;
const client = testSigner(1);
const reader = new SubmissionReader(clusterId, DEFAULT_LIMITS);

const signed: ClientSubmission = {
  kind: 'client',
  clusterId,
  key: client.publicKey,
  seq: 7,
  validUntil: 1_700_000_000_000,
  transactions: [
    { module: 'ledger', command: 'transfer', args: { from: 'a', to: 'b', amount: 5 } },
    { module: 'kv', command: 'set', args: { namespace: 'n', key: 'k', value: [1, null] } },
  ],
};

const vouched: NodeSubmission = {
  kind: 'node',
  clusterId,
  key: testSigner(2).publicKey,
  principal: 'zoë',
  idempotencyKey: utf8('order-1'),
  validUntil: 1_700_000_000_000,
  transactions: [{ module: 'kv', command: 'set', args: null }],
};

/** Signed bytes and id of the two submissions above: changing them breaks every client. */
const GOLDEN = {
  client:
    '00000015616c7468696e672f76312f7375626d697373696f6eabababababababababababababababababababababababababababababababab' +
    '008a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c00000000000000070000018bcfe568000002' +
    '066c6564676572087472616e736665720000001583a6616d6f756e7405a466726f6da161a2746fa162' +
    '026b76037365740000001c83a36b6579a16ba96e616d657370616365a16ea576616c75659201c0',
  clientId: 'f4f29f84f209860fbf1cd75d6f18d5f5142dbb8f28bfdfbe081e29af087a3023',
  node:
    '00000015616c7468696e672f76312f7375626d697373696f6eabababababababababababababababababababababababababababababababab' +
    '018139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b39400047a6fc3ab076f726465722d310000018bcfe568000001' +
    '026b760373657400000001c0',
  nodeId: 'f6a0a9e359d0bb38a7b41d50192eb871baf301b26239e14586ce1008b2e01127',
};

test('the signed bytes and the id of a submission are the committed ones', (t) => {
  const bytes = encodeSubmission(signed);
  t.is(toHex(bytes), GOLDEN.client);
  t.is(submissionId(crypto, bytes), GOLDEN.clientId as Digest);
  t.is(toHex(encodeSubmission(vouched)), GOLDEN.node);
  t.is(submissionId(crypto, encodeSubmission(vouched)), GOLDEN.nodeId as Digest);
});

test('the reader gives back what the encoder was given', (t) => {
  const bytes = signSubmission(signed, client);
  const read = reader.parse(bytes) as Submission;
  t.is(read.kind, 'client');
  t.is(read.key, client.publicKey);
  t.is(read.seq, 7);
  t.is(read.validUntil, signed.validUntil);
  t.is(read.txCount, 2);
  t.true(crypto.verify(read.key, read.signed(), read.signature()));
  const node = reader.parse(encodeSubmission(vouched)) as Submission;
  t.is(node.principal, 'zoë');
  t.true(bytesEqual(node.idempotencyKey, vouched.idempotencyKey));
  t.is(node.signature().length, 0);
});

test('reads a submission in the middle of a payload without looking outside', (t) => {
  const bytes = signSubmission(signed, client);
  const payload = new Uint8Array(bytes.length + 20).fill(0xff);
  payload.set(bytes, 10);
  const read = reader.parse(payload, 10, 10 + bytes.length) as Submission;
  t.true(bytesEqual(read.signed(), encodeSubmission(signed)));
});

test('I41: refuses every truncation, and anything behind the signature', (t) => {
  const bytes = signSubmission(signed, client);
  for (let length = 0; length < bytes.length; length++) {
    t.true(isRefusal(reader.parse(bytes, 0, length)), `length ${length}`);
  }
  t.true(isRefusal(reader.parse(Uint8Array.from([...bytes, 0]))));
});

test('I41: fuzzed bytes never throw', (t) => {
  const bytes = signSubmission(signed, client);
  const flips = fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(flips, fc.nat(bytes.length), (changes, length) => {
      const mutated = bytes.slice(0, length);
      for (const [at, byte] of changes) if (at < length) mutated[at] = byte;
      const read = reader.parse(mutated);
      t.true(isRefusal(read) || read.end === mutated.length);
    }),
    { numRuns: 2000 },
  );
});

const refused: readonly (readonly [string, string, () => Uint8Array])[] = [
  [
    'another cluster',
    'wrong_cluster',
    () => encodeSubmission({ ...vouched, clusterId: 'cd'.repeat(32) as Digest }),
  ],
  ['a client submission without a signature', 'malformed', () => encodeSubmission(signed)],
  [
    'too many transactions',
    'too_large',
    () =>
      encodeSubmission({
        ...vouched,
        transactions: Array.from({ length: 1001 }, () => vouched.transactions[0]!),
      }),
  ],
  [
    'a transaction that is too large',
    'too_large',
    () =>
      encodeSubmission({
        ...vouched,
        transactions: [{ module: 'kv', command: 'set', args: new Uint8Array(65_536) }],
      }),
  ],
];

for (const [what, code, make] of refused) {
  test(`I41: refuses ${what} as ${code}`, (t) => {
    const read = reader.parse(make());
    t.true(isRefusal(read));
    t.is(isRefusal(read) ? read.code : '', code);
  });
}

test('the encoder refuses fields out of bounds by name', (t) => {
  t.throws(() => encodeSubmission({ ...signed, seq: -1 }), { message: /^seq/ });
  t.throws(() => encodeSubmission({ ...signed, transactions: [] }), { message: /^transactions/ });
  t.throws(() => encodeSubmission({ ...vouched, principal: '' }), { message: /^principal/ });
  t.throws(() => signSubmission(signed, testSigner(9)), { message: /^key/ });
});

test('a transaction id names its submission and its place', (t) => {
  const id = submissionId(crypto, encodeSubmission(signed));
  t.deepEqual(parseTransactionId(transactionId(id, 12)), { submission: id, index: 12 });
  for (const bad of ['', id, `${id}-`, `${id}-01`, `${id}-x`, `x${id}-1`]) {
    t.is(parseTransactionId(bad), null);
  }
});
