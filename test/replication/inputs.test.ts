import fc from 'fast-check';
import test from 'ava';
import { EXECUTED_NOTHING } from '../../protocols/chain.ts';
import type { PeerMessage, ReplicationInput } from '../../protocols/messages.ts';
import { packMessage, unpackMessage } from '../../protocols/wire.ts';
import type { Digest } from '../../protocols/types.ts';
import { checkpoint, Lab, Seat, tipOf } from './lab.ts';

const lab = new Lab(4, { laneBytesMax: 250 });
const known = [1, 2, 3].map((lane) => lab.batches(lane, 6));
const digests = [lab.cluster.id, ...known.flat().map(({ digest }) => digest)];

const seq = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.maxSafeNat());
const lane = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 65_535 }));
const digest = fc.constantFrom<Digest>(...digests);
const tip = fc.record({ seq: fc.oneof(seq, fc.constant(-1)), digest });
const cut = fc.array(tip, { minLength: 4, maxLength: 4 });
const signature = fc.constant(new Uint8Array(64));
const tips = fc.oneof(cut, fc.array(tip, { maxLength: 8 }));
const executed = fc.constantFrom(EXECUTED_NOTHING, checkpoint(16), checkpoint(2 ** 40));
const marks = fc.oneof(
  fc.record({ epoch: fc.nat({ max: 1 }), validator: lane, tips, executed, signature }),
  fc
    .tuple(fc.integer({ min: 1, max: 3 }), cut, executed)
    .map(([validator, tipsOf, at]) => lab.marks(validator, tipsOf, at)),
);
const header = fc.record({
  epoch: fc.nat({ max: 1 }),
  lane,
  seq,
  parentDigest: digest,
  payloadDigest: digest,
  txCount: fc.nat(),
  bytes: fc.oneof(fc.nat({ max: 8 }), fc.maxSafeNat()),
  signature,
});

const message: fc.Arbitrary<PeerMessage> = fc.oneof(
  header.map((each) => ({ kind: 'batch' as const, header: each })),
  marks.map((each) => ({ kind: 'marks' as const, marks: each })),
  fc.array(marks, { maxLength: 3 }).map((each) => ({ kind: 'tipsShown' as const, marks: each })),
  fc.record({ kind: fc.constant('fetchBatches' as const), lane, fromSeq: seq, toSeq: seq }),
  fc.record({ kind: fc.constant('fetchBatch' as const), lane, seq, digest }),
  fc.record({ kind: fc.constant('fetchBlocks' as const), fromHeight: seq }),
);

const peer = fc.integer({ min: 1, max: 3 });
const genuine = fc.constantFrom(...known.flat());

const input: fc.Arbitrary<ReplicationInput> = fc.oneof(
  fc.tuple(peer, message, fc.uint8Array({ maxLength: 8 })).map(([from, sent, body]) => ({
    kind: 'peerMessage' as const,
    from,
    message: sent,
    body,
  })),
  fc.tuple(peer, genuine).map(([from, batch]) => ({
    kind: 'peerMessage' as const,
    from,
    message: { kind: 'batch' as const, header: batch.header },
    body: batch.payload,
  })),
  fc.record({
    kind: fc.constant('holdCut' as const),
    block: digest,
    term: fc.nat({ max: 8 }),
    height: fc.nat({ max: 8 }),
    cut,
    parentCut: cut,
  }),
  fc.constantFrom<ReplicationInput>(
    { kind: 'timer', timer: 'fetch' },
    { kind: 'timer', timer: 'nobody’s' },
    { kind: 'peerDisconnected', peer: 2 },
    { kind: 'peerConnected', peer: 2 },
    { kind: 'logFound', tag: 'none', event: null },
    { kind: 'logRead', tag: 'serve/99', events: [] },
    { kind: 'drain' },
    { kind: 'showTips', leader: 3, lanes: [0, 1, 2, 3, 4] },
  ),
);

test('I78: whatever peers send, nothing throws, nothing leaves early, memory stays bounded', (t) => {
  fc.assert(
    fc.property(fc.array(input, { maxLength: 60 }), (inputs) => {
      const seat = new Seat(lab);
      seat.start();
      for (const each of inputs) {
        seat.step(each);
        seat.wait(5);
      }
      const { pendingBytes, tips: held } = seat.machine.status();
      const after = seat.restarted();
      after.start();
      t.deepEqual(after.machine.status().tips, held);
      return pendingBytes <= 4 * 500;
    }),
    { numRuns: 300 },
  );
});

test('the messages of these tests survive the wire', (t) => {
  fc.assert(
    fc.property(message, (each) => {
      const decoded = unpackMessage(packMessage(each));
      return decoded.ok && decoded.value.kind === each.kind;
    }),
    { numRuns: 100 },
  );
  t.deepEqual(tipOf(undefined).seq, -1);
});
