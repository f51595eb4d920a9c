import test from 'ava';
import fc from 'fast-check';
import { signSubmission } from '../../protocols/transaction/submission.ts';
import type { Digest } from '../../protocols/types.ts';
import { testSigner } from './crypto.ts';
import { alice, blockAt, Chain, signed, START_MS } from './fixture.ts';
import { put } from './modules.ts';

const MINUTE = 60_000;

const inadmissible: readonly (readonly [string, () => Uint8Array])[] = [
  ['a bad signature', () => flipLast(signed(0, [put('x', 1)]))],
  [
    'the signature of another client',
    () => withSignatureOf(signed(0, [put('x', 1)]), testSigner(9)),
  ],
  [
    'a validUntil beyond the bound',
    () => signed(0, [put('x', 1)], { validUntil: START_MS + 48 * 3_600_000 }),
  ],
  ['another cluster', () => foreign()],
  ['no form at all', () => Uint8Array.of(1, 2, 3)],
  ['no bytes', () => new Uint8Array(0)],
];

function flipLast(submission: Uint8Array): Uint8Array {
  submission[submission.length - 40]! ^= 1;
  return submission;
}

function withSignatureOf(submission: Uint8Array, signer: typeof alice): Uint8Array {
  const end = submission.length - 64;
  submission.set(signer.sign(submission.subarray(0, end)), end);
  return submission;
}

function foreign(): Uint8Array {
  return signSubmission(
    {
      kind: 'client',
      clusterId: 'cd'.repeat(32) as Digest,
      key: alice.publicKey,
      seq: 0,
      validUntil: START_MS + MINUTE,
      transactions: [put('x', 1)],
    },
    alice,
  );
}

for (const [what, make] of inadmissible) {
  test(`I56: passes over ${what} without a trace, and executes what follows`, (t) => {
    const chain = new Chain();
    const plain = new Chain();
    const good = signed(1, [put('y', 2)]);
    const result = chain.run(make(), good);
    t.deepEqual(result, { ...plain.run(good), digest: result.digest });
    t.is(chain.root(), plain.root());
    t.deepEqual(chain.heard, plain.heard);
  });
}

test('I56: the genuine submission executes after a copy of it with a bad signature', (t) => {
  const chain = new Chain();
  chain.run(flipLast(signed(0, [put('x', 1)])), signed(0, [put('x', 1)]));
  t.deepEqual(
    chain.heard.map(({ kind }) => kind),
    ['executed'],
  );
});

test('I56: any bytes as a payload leave every node with the same state, and never throw', (t) => {
  const good = signed(3, [put('g', 1)]);
  const junk = fc.array(fc.oneof(fc.uint8Array({ maxLength: 80 }), fc.constant(good)), {
    maxLength: 6,
  });
  fc.assert(
    fc.property(junk, fc.uint8Array({ maxLength: 40 }), (pieces, raw) => {
      const nodesAlike = [new Chain(), new Chain()].map((chain) => {
        chain.run(...pieces);
        const digest = '2'.padStart(64, '0') as Digest;
        const batches = [{ lane: 1, payload: raw }];
        const budget = { left: Infinity };
        chain.executor.begin({ block: blockAt(2), digest, batches }, budget);
        chain.executor.advance(budget);
        return chain.root();
      });
      t.is(nodesAlike[0], nodesAlike[1]!);
    }),
    { numRuns: 60 },
  );
});
