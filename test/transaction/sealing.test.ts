import test from 'ava';
import fc from 'fast-check';
import { WAITING_REQUESTS_MAX } from '../../protocols/transaction/ingress-limits.ts';
import { PayloadCursor } from '../../protocols/transaction/payload.ts';
import { clusterOf, signed, vouched } from './fixture.ts';
import { put } from './modules.ts';
import { Node, sub } from './node.ts';

test('under light load nothing lingers; under load batches grow until one is executed', (t) => {
  const node = new Node();
  for (let seq = 0; seq < 10; seq++) node.submit(seq, sub(seq));
  t.deepEqual(
    node.sealed.map(({ txCount }) => txCount),
    [1, 1],
  );
  node.execute([{ lane: 0, payload: node.sealed[0]!.payload }]);
  t.is(node.sealed.at(-1)!.txCount, 8);
});

test('I57: no batch exceeds its bound, and the lane never holds more than it may', (t) => {
  const limits = { batchBytesMax: 1000, laneBytesMax: 3000, submissionBytesMax: 900 };
  const sizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.boolean()), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(sizes, (submissions) => {
      const node = new Node(clusterOf(limits));
      let inLane = 0;
      for (const [seq, [size, settles]] of submissions.entries()) {
        node.submit(seq, signed(seq, [put('k', 'x'.repeat(size))]));
        if (settles && node.sealed.length > 0) {
          const { payload } = node.sealed.shift()!;
          node.execute([{ lane: 0, payload }]);
        }
        inLane = node.sealed.reduce((sum, { payload }) => sum + payload.length, 0);
        t.true(inLane <= limits.laneBytesMax);
        t.true(node.sealed.every(({ payload }) => payload.length <= limits.batchBytesMax));
      }
    }),
    { numRuns: 60 },
  );
});

test('I57: room that replication does not report is not used', (t) => {
  const node = new Node();
  node.step({ kind: 'laneRoom', bytes: 0 });
  node.submit(1, sub(0));
  t.is(node.sealed.length, 0);
  node.step({ kind: 'laneRoom', bytes: 10_000 });
  t.is(node.sealed.length, 1);
});

test('I59: what waits is bounded, and who is too many gets a time to retry', (t) => {
  const node = new Node(
    clusterOf({ batchBytesMax: 1000, laneBytesMax: 2000, submissionBytesMax: 900 }),
  );
  for (let seq = 0; seq < 100; seq++) node.submit(seq, sub(seq));
  const full = node.results.filter((each) => !each.ok && each.code === 'lane_full');
  t.true(full.length > 50);
  t.true(full.every((each) => !each.ok && each.retryAfterMs! > 0));
  t.true(node.machine.status().waitingBytes <= 10_000);
  while (node.sealed.length > 0) node.settle();
  t.is(node.results.length, 100);
});

test('I59: what is admitted for clients that wait no longer is bounded in number all the same', (t) => {
  const node = new Node();
  for (let at = 0; at <= WAITING_REQUESTS_MAX; at++)
    node.admit(at, vouched(`${at}`, [put('a', 1)]));
  t.is(node.codes()[WAITING_REQUESTS_MAX - 1], 'admitted');
  t.is(node.codes()[WAITING_REQUESTS_MAX], 'overloaded');
});

test('I59: one submission does not collect requests without bound', (t) => {
  const node = new Node();
  for (let request = 0; request < 100; request++) node.submit(request, sub(0));
  t.is(node.results.filter((each) => !each.ok && each.code === 'overloaded').length, 36);
});

test('a drain refuses what is new and finishes what is under way', (t) => {
  const node = new Node();
  for (let seq = 0; seq < 5; seq++) node.submit(seq, sub(seq));
  node.step({ kind: 'drain' });
  t.is(node.sealed.length, 3);
  node.submit(9, sub(9));
  t.is(node.codes()[9], 'draining');
  node.settle();
  t.is(node.machine.status().waiting, 0);
});

test('what is sealed is read back as the submissions that were taken', (t) => {
  const node = new Node();
  const taken = [sub(0), sub(1), sub(2), sub(3)];
  for (const [request, bytes] of taken.entries()) node.submit(request, bytes);
  node.step({ kind: 'drain' });
  const read = node.sealed.flatMap(({ payload }) => {
    const cursor = new PayloadCursor(payload);
    const found: Uint8Array[] = [];
    while (cursor.next()) found.push(payload.slice(cursor.start, cursor.end));
    return found;
  });
  t.deepEqual(read, taken);
});
