import test from 'ava';
import type { Batch } from '../../protocols/replication/lane.ts';
import { EMPTY_TIP, ZERO_DIGEST, type BatchHeader } from '../../protocols/types.ts';
import { faults, Lab, marked, Seat, sent, tells, tipOf, violation } from './lab.ts';

test('seals its own lane as one chain, writes each batch before it streams it', (t) => {
  const seat = new Seat(new Lab());
  seat.start();
  const effects = [...seat.seal('one'), ...seat.seal('two')];
  const headers = sent(effects, 'batch').map(({ message }) => message.header);
  const stored = seat.log.stream('lane-0');
  t.deepEqual(
    headers.map(({ seq }) => seq),
    [0, 1],
  );
  t.is(headers[0]?.parentDigest, ZERO_DIGEST);
  t.is(stored.length, 2);
  t.is(stored[1]?.bodyDigest, headers[1]?.payloadDigest);
  t.is(marked(effects)?.[0]?.seq, 1);
});

test('I72: goes on after a crash with the seq and parent that its log ends with', (t) => {
  const seat = new Seat(new Lab());
  seat.start();
  const tip = marked([...seat.seal('one'), ...seat.seal('two')])![0]!;
  const after = seat.restarted();
  t.deepEqual(marked(after.start())?.[0], tip);
  const { header } = sent(after.seal('three'), 'batch')[0]!.message;
  t.is(header.seq, 2);
  t.is(header.parentDigest, tip.digest);
  t.is(after.log.stream('lane-0').length, 3);
});

test('I72: refuses to start on an own lane that does not link, and to seal an empty batch', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const [first, second] = lab.batches(0, 2);
  const stray = lab.batch(0, lab.batch(0, first, 'another'), 'stray');
  const theirs = new Seat(lab, 1);
  theirs.batches([first!, second!]);
  const [event] = theirs.log.stream('lane-0');
  seat.log.append([event!]);
  const strayEvents = new Seat(lab, 1);
  strayEvents.batches([first!, lab.batch(0, first, 'another'), stray]);
  seat.log.append([{ ...strayEvents.log.stream('lane-0')[2]!, seq: 1 }]);
  t.is(
    violation(() => seat.restarted()),
    'own_lane_broken',
  );
  t.is(
    violation(() => new Seat(lab).seal('')),
    'batch_empty',
  );
});

test('I60: marks the end of the contiguous chain, not what came ahead of a gap', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const [zero, one, two] = lab.batches(1, 3);
  t.deepEqual(marked(seat.batch(zero!))?.[1], tipOf(zero));
  t.is(marked(seat.batch(two!)), undefined);
  t.is(seat.log.stream('lane-1').length, 1);
  const closing = seat.batch(one!);
  t.deepEqual(marked([...closing, ...seat.wait(20)])?.[1], tipOf(two));
  t.is(seat.log.stream('lane-1').length, 3);
});

test('stores a batch once, however often it comes', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  const [zero] = lab.batches(1, 1);
  seat.batch(zero!);
  t.deepEqual(faults([...seat.batch(zero!), ...seat.batch(zero!, 2)]), []);
  t.is(seat.log.stream('lane-1').length, 1);
});

const refused: Record<string, (lab: Lab) => { batch: Batch; from?: number; code?: string }> = {
  'a signature that is not the owner’s': (lab) => ({
    batch: lab.batch(1, undefined, 'x', {}, 2),
    code: 'batch_signature',
  }),
  'another payload than the signed one': (lab) => ({
    batch: lab.batch(1, undefined, 'x', { payloadDigest: ZERO_DIGEST }),
    code: 'batch_payload',
  }),
  'a wrong length': (lab) => ({
    batch: lab.batch(1, undefined, 'x', { bytes: 2 }),
    code: 'batch_malformed',
  }),
  'no bytes': (lab) => ({ batch: lab.batch(1, undefined, ''), code: 'batch_malformed' }),
  'another epoch': (lab) => ({
    batch: lab.batch(1, undefined, 'x', { epoch: 1 }),
    code: 'batch_malformed',
  }),
  'more bytes than a batch may have': (lab) => ({
    batch: lab.batch(1, undefined, 'x'.repeat(101)),
    code: 'batch_malformed',
  }),
  'a lane that does not exist': (lab) => ({
    batch: lab.batch(4, undefined, 'x', {}, 1),
    from: 1,
    code: 'batch_malformed',
  }),
  'this node’s own lane': (lab) => ({
    batch: lab.batch(0, undefined, 'x'),
    from: 1,
    code: 'batch_own_lane',
  }),
  'a sender that nobody asked': (lab) => ({ batch: lab.batch(1, undefined, 'x'), from: 2 }),
  'a parent that is not held': (lab) => ({
    batch: lab.batch(1, undefined, 'x', { parentDigest: lab.cluster.id }),
  }),
};

for (const [what, make] of Object.entries(refused)) {
  test(`I73: stores nothing with ${what}`, (t) => {
    const lab = new Lab(4, { batchBytesMax: 100 });
    const seat = new Seat(lab);
    const { batch, from, code } = make(lab);
    const effects = seat.batch(batch, from);
    t.deepEqual(faults(effects), code === undefined ? [] : [code]);
    t.deepEqual([...seat.log.streams.values()].flat(), []);
    t.deepEqual(seat.machine.status().tips[1], EMPTY_TIP);
  });
}

test('I73: takes the genuine batch after a forged one for the same seq', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  const [zero] = lab.batches(1, 1);
  const forged: BatchHeader = { ...zero!.header, signature: new Uint8Array(64) };
  seat.batch({ ...zero!, header: forged });
  seat.batch(zero!);
  t.deepEqual(seat.machine.status().tips[1], tipOf(zero));
});

test('I74: keeps no more of a lane than its window, and takes more once blocks are final', (t) => {
  const lab = new Lab(4, { laneBytesMax: 50 });
  const seat = new Seat(lab);
  seat.start();
  const batches = Array.from({ length: 12 }).reduce<Batch[]>(
    (made, _, at) => [...made, lab.batch(1, made.at(-1), `${at}`.padStart(10, '.'))],
    [],
  );
  const effects = seat.batches(batches);
  t.deepEqual(faults(effects), ['lane_overflow', 'lane_overflow']);
  t.is(seat.machine.status().tips[1]?.seq, 9);
  t.is(seat.machine.status().pendingBytes, 100);
  seat.finalise(lab.block(1, lab.cut({ 1: tipOf(batches[4]) })));
  seat.step({ kind: 'executedTo', height: 1 });
  seat.batches(batches.slice(10));
  t.is(seat.machine.status().tips[1]?.seq, 11);
});

test('tells how many bytes its own lane may still take', (t) => {
  const lab = new Lab(4, { laneBytesMax: 100 });
  const seat = new Seat(lab);
  const room = (effects: Parameters<typeof tells>[0]) =>
    tells(effects, 'laneRoom').map(({ bytes }) => bytes);
  t.deepEqual(room(seat.start()), [100]);
  t.deepEqual(room(seat.seal('x'.repeat(40))), [60]);
  t.deepEqual(room(seat.seal('x'.repeat(70))), [0]);
  const tip = seat.machine.status().tips[0]!;
  t.deepEqual(room(seat.finalise(lab.block(1, lab.cut({ 0: tip })))), [100]);
});

test('stops when a final block names a batch of the own lane that the log does not have', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  const [zero] = lab.batches(0, 1);
  const block = lab.block(1, lab.cut({ 0: tipOf(zero) }));
  t.is(
    violation(() => seat.finalise(block)),
    'own_batch_lost',
  );
});

test('a single validator replicates to nobody and still reports its own tips', (t) => {
  const seat = new Seat(new Lab(1));
  seat.start();
  const effects = seat.seal('alone');
  t.deepEqual(tells(effects, 'tipsReported').at(-1)?.support, [[0]]);
  t.is(tells(effects, 'tipsReported').at(-1)?.tips[0]?.seq, 0);
});
