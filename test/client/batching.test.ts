/** What calls of one moment travel in: no submission that a cluster would refuse. */
import test from 'ava';
import { callBytes, signSubmission, type Call } from '../../protocols/transaction/submission.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import { Batcher } from '../../src/client/batcher.ts';
import { client as signer, testCluster } from '../http/test-node.ts';

const limits = {
  transactionsPerSubmissionMax: 100,
  submissionBytesMax: 4096,
  transactionBytesMax: 2048,
  waitMs: 0,
};
const { id: clusterId } = testCluster();

const callOf = (length: number): Call => ({
  module: 'kv',
  command: 'set',
  args: { namespace: 'n', key: 'a', value: 'x'.repeat(length) },
});
const beside = callBytes(callOf(300)) - 300;

function lengthOf(calls: readonly Call[]): number {
  const key = signer.publicKey;
  const content = { kind: 'client', clusterId, key, seq: 1, validUntil: 1, transactions: calls };
  return signSubmission(content as never, signer).length;
}

/** How many calls of so many bytes went in each submission, and how large it was. */
async function sent(sizes: readonly number[]) {
  const submissions: (readonly Call[])[] = [];
  const batcher = new Batcher(limits, (calls) => {
    submissions.push(calls);
    return Promise.resolve(calls.map((call) => call as unknown as Receipt));
  });
  const calls = sizes.map((size) => callOf(size - beside));
  const receipts = await Promise.all(calls.map((call) => batcher.add(call)));
  return {
    counts: submissions.map(({ length }) => length),
    lengths: submissions.map(lengthOf),
    own: receipts.every((receipt, at) => (receipt as unknown) === calls[at]),
  };
}

test('X1: calls beyond the bytes of a submission go in several, as full as they may be', async (t) => {
  // Of 3840 bytes beside what signs them, seven have place.
  const { counts, lengths, own } = await sent(Array.from({ length: 21 }, () => 520));
  t.deepEqual(counts, [7, 7, 7]);
  t.true(lengths.every((length) => length <= limits.submissionBytesMax));
  t.true(own, 'each got its own receipt');
});

test('X1: whatever their sizes, no submission has more bytes than a cluster takes', async (t) => {
  for (let size = 400; size < 2048; size += 7) {
    const { lengths } = await sent(Array.from({ length: 12 }, () => size));
    t.true(
      lengths.every((length) => length <= limits.submissionBytesMax),
      `${size}`,
    );
  }
});
