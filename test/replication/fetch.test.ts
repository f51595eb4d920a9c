import test from 'ava';
import type { Batch } from '../../protocols/replication/lane.ts';
import { executed, faults, hash, Lab, marked, Seat, sent, tells, tipOf } from './lab.ts';

/** `to: lane from–to` of all ranges asked for. */
function ranges(effects: Parameters<typeof sent>[0]): string[] {
  return sent(effects, 'fetchBatches').map(
    ({ to, message: { lane, fromSeq, toSeq } }) => `${to}: ${lane} ${fromSeq}–${toSeq}`,
  );
}

const held = (effects: Parameters<typeof tells>[0]) =>
  tells(effects, 'cutHeld').map(({ block }) => block);

/** Validator 0, whose peers hold `count` batches of lane 1 that it lacks. */
function behind(count: number): { lab: Lab; seat: Seat; batches: Batch[] } {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const batches = lab.batches(1, count);
  const cut = lab.cut({ 1: tipOf(batches.at(-1)) });
  for (const peer of [1, 2, 3]) seat.marks(lab.marks(peer, cut));
  return { lab, seat, batches };
}

test('asks the owner for what it does not get by itself, after a moment', (t) => {
  const { seat, batches } = behind(3);
  t.deepEqual(ranges(seat.wait(15)), []);
  t.deepEqual(ranges(seat.wait(10)), ['1: 1 0–2']);
  const effects = seat.batches(batches);
  t.deepEqual(ranges([...effects, ...seat.wait(1000)]), []);
  t.is(seat.machine.status().fetching, 0);
});

test('asks for nothing that is on its way', (t) => {
  const { seat, batches } = behind(4);
  for (const batch of batches) {
    t.deepEqual(ranges([...seat.wait(15), ...seat.batch(batch)]), []);
  }
  t.deepEqual(ranges(seat.wait(1000)), []);
});

test('asks only for the gap when later batches wait already', (t) => {
  const { seat, batches } = behind(5);
  seat.batches([batches[0]!, batches[3]!, batches[4]!]);
  t.deepEqual(ranges(seat.wait(45)), ['1: 1 1–2']);
  seat.batch(batches[1]!);
  seat.batch(batches[2]!);
  t.is(seat.machine.status().tips[1]?.seq, 4);
});

test('I66: retries go to f + 1 others that say to hold it, and to the owner', (t) => {
  const { seat } = behind(1);
  seat.wait(25);
  const asked = new Set<number | 'all'>();
  for (const { to } of sent(seat.wait(500), 'fetchBatches')) asked.add(to);
  t.true([1, 2, 3].every((peer) => asked.has(peer)));
  seat.wait(10_000);
  t.true(ranges(seat.wait(2005)).length > 0);
});

test('I66: with every retry others are asked, until all were', (t) => {
  const lab = new Lab(7);
  const seat = new Seat(lab);
  seat.start();
  const cut = lab.cut({ 1: tipOf(lab.batch(1, undefined, 'withheld')) });
  for (const peer of [1, 2, 3, 4, 5, 6]) seat.marks(lab.marks(peer, cut));
  seat.holdCut('block', cut);
  const first = sent(seat.wait(25), 'fetchBatches').map(({ to }) => to);
  t.is(first.length, 4);
  const asked = new Set([...first, ...sent(seat.wait(150), 'fetchBatches').map(({ to }) => to)]);
  t.is(asked.size, 6);
});

test('I66: a liar that answers first, or nothing, does not keep a batch away', (t) => {
  const { lab, seat, batches } = behind(1);
  seat.step({ kind: 'peerDisconnected', peer: 1 });
  seat.holdCut('block', lab.cut({ 1: tipOf(batches[0]) }));
  const asked = sent(seat.wait(25), 'fetchBatches').map(({ to }) => to);
  t.true(asked.includes(2) && asked.includes(3));
  t.is(asked.length, 2);
  const lie = { ...batches[0]!, payload: new TextEncoder().encode('batch 1/X') };
  t.deepEqual(faults(seat.batch(lie, 2)), ['batch_payload']);
  const forged = lab.batch(1, undefined, 'forged', {}, 2);
  t.deepEqual(faults(seat.batch(forged, 2)), ['batch_signature']);
  t.deepEqual(held(seat.batch(batches[0]!, 3)), [hash('block')]);
});

test('asks everybody again at once when a peer comes back', (t) => {
  const { seat } = behind(1);
  seat.wait(5000);
  t.deepEqual(ranges(seat.step({ kind: 'peerConnected', peer: 1 })).length, 3);
});

test('goes on at once when an answer was cut short, window by window', (t) => {
  const { seat, batches } = behind(150);
  t.deepEqual(ranges(seat.wait(25)), ['1: 1 0–63']);
  seat.batches(batches.slice(0, 30));
  t.deepEqual(ranges(seat.wait(45)), ['1: 1 30–93']);
  t.deepEqual(ranges(seat.batches(batches.slice(30, 94))), ['1: 1 94–149']);
});

test('I61: answers holdCut once, when every lane holds its tip with all below it', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const one = lab.batches(1, 3);
  const two = lab.batches(2, 1);
  const cut = lab.cut({ 1: tipOf(one[2]), 2: tipOf(two[0]) });
  t.deepEqual(held(seat.holdCut('block', cut)), []);
  t.deepEqual(held(seat.batches([one[2]!, one[0]!, two[0]!])), []);
  t.deepEqual(held(seat.batch(one[1]!)), [hash('block')]);
  t.deepEqual(held(seat.wait(1000)), []);
  t.deepEqual(held(seat.holdCut('block', cut)), [hash('block')]);
});

test('I61: a cut that does not lead through its parent’s is never held', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const batches = lab.batches(1, 2);
  seat.batches(batches);
  const cut = lab.cut({ 1: tipOf(batches[1]) });
  const elsewhere = lab.cut({ 1: { seq: 0, digest: hash('elsewhere') } });
  t.deepEqual(held(seat.holdCut('bad', cut, elsewhere)), []);
  const through = lab.cut({ 1: tipOf(batches[0]) });
  t.deepEqual(held(seat.holdCut('good', cut, through)), [hash('good')]);
});

/** Lane 1's owner signed two branches from seq 1 on; validator 0 holds the first. */
function equivocated(): { lab: Lab; seat: Seat; first: Batch[]; second: Batch[]; root: Batch } {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const root = lab.batch(1, undefined, 'root');
  const first = lab.batches(1, 2, 'first', root);
  const second = lab.batches(1, 3, 'second', root);
  seat.batches([root, ...first]);
  return { lab, seat, root, first, second };
}

test('D3: reports the first version, keeps both headers as evidence, stores no other', (t) => {
  const { seat, first, second } = equivocated();
  const effects = [...seat.batch(second[0]!), ...seat.batch(second[0]!)];
  t.deepEqual(faults(effects), ['lane_equivocation', 'lane_equivocation'], 'each costs a check');
  t.deepEqual(
    seat.log.stream('evidence-1').map(({ kind }) => kind),
    ['equivocationFound'],
  );
  t.deepEqual(marked([...effects, ...seat.wait(500)])?.[1], tipOf(first[1]));
});

test('keeps evidence of 64 seqs of a lane, also across a restart', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const root = lab.batch(1, undefined, 'root');
  const second = lab.batches(1, 100, 'second', root);
  seat.batches([root, ...lab.batches(1, 100, 'first', root)]);
  const shown = (asked: Seat): number => {
    for (const batch of second) t.deepEqual(faults(asked.batch(batch)), ['lane_equivocation']);
    return asked.log.stream('evidence-1').length;
  };
  t.is(shown(seat), 64);
  t.is(shown(seat.restarted()), 64);
});

test('I62: finds the version that a cut names by digest, and stores it beside the first', (t) => {
  const { lab, seat, second, first } = equivocated();
  const asked = sent(seat.holdCut('block', lab.cut({ 1: tipOf(second[1]) })), 'fetchBatch');
  t.deepEqual(asked.map(({ message }) => message.digest)[0], second[1]!.digest);
  const [, next] = [asked, sent(seat.batch(second[1]!, 2), 'fetchBatch')];
  t.is(next[0]?.message.digest, second[0]!.digest);
  t.deepEqual(held(seat.batch(second[0]!, 3)), [hash('block')]);
  t.is(seat.log.stream('lane-1').length, 3);
  const kinds = seat.log.stream('fork-1').map(({ kind }) => kind);
  t.deepEqual(kinds.filter((kind) => kind === 'batchStored').length, 2);
  t.deepEqual(marked(seat.wait(500))?.[1], tipOf(first[1]));
  t.deepEqual(seat.restarted().machine.status().tips[1], tipOf(first[1]));
});

test('I64: marks for a branch that lost do not count for the one that became final', (t) => {
  const { lab, seat, first, second } = equivocated();
  for (const peer of [2, 3]) seat.marks(lab.marks(peer, lab.cut({ 1: tipOf(first[1]) })));
  seat.finalise(lab.block(1, lab.cut({ 1: tipOf(second[0]) })));
  const effects = [...seat.batch(second[0]!, 2), ...seat.batch(second[1]!)];
  t.deepEqual(seat.machine.status().tips[1], tipOf(second[1]));
  t.deepEqual(tells(effects, 'tipsReported').at(-1)?.tips[1], tipOf(second[0]));
  const marks = [2, 3].flatMap((peer) =>
    seat.marks(lab.marks(peer, lab.cut({ 1: tipOf(second[1]) }))),
  );
  t.deepEqual(tells(marks, 'tipsReported').at(-1)?.tips[1], tipOf(second[1]));
});

test('I62: follows the version that became final, also after a restart', (t) => {
  const { lab, seat, second } = equivocated();
  const block = lab.block(1, lab.cut({ 1: tipOf(second[1]) }));
  seat.finalise(block);
  seat.batch(second[1]!, 2);
  const effects = [...seat.batch(second[0]!, 2), ...seat.wait(100)];
  t.deepEqual(executed(effects), ['1: root, second 1/0, second 1/1']);
  t.deepEqual(marked([...effects, ...seat.wait(500)])?.[1], tipOf(second[1]));
  seat.batch(second[2]!);
  t.deepEqual(seat.machine.status().tips[1], tipOf(second[2]));

  const after = seat.restarted();
  t.deepEqual(executed(after.start()), ['1: root, second 1/0, second 1/1']);
  t.deepEqual(after.machine.status().tips[1], tipOf(second[2]));
});

test('a lane that goes on from the other version stalls until a cut names it', (t) => {
  const { lab, seat, root, first, second } = equivocated();
  const [, , third] = second;
  seat.batch(third!);
  t.is(seat.machine.status().tips[1]?.seq, 2);
  seat.holdCut('block', lab.cut({ 1: tipOf(third) }));
  const asked = () => sent(seat.wait(500), 'fetchBatch').map(({ message }) => message.digest);
  t.true(asked().includes(third!.digest));
  seat.batch(third!, 2);
  seat.batch(second[1]!, 2);
  t.deepEqual(held(seat.batch(second[0]!, 2)), [hash('block')]);
  t.deepEqual(
    held(seat.holdCut('old', lab.cut({ 1: tipOf(first[0]) }), lab.cut({ 1: tipOf(root) }))),
    [hash('old')],
  );
});

test('a branch that a cut names is found although its tip waits ahead of our own branch', (t) => {
  const { lab, seat, second } = equivocated();
  const last = lab.batch(1, second[2], 'last');
  seat.batch(last);
  seat.holdCut('block', lab.cut({ 1: tipOf(last) }));
  seat.wait(200);
  const found = [last, ...second.toReversed()].flatMap((batch) => seat.batch(batch, 2));
  t.deepEqual(held(found), [hash('block')]);
});

test('I67: a cut that names nothing, or another seq, costs a few small requests', (t) => {
  const { lab, seat, second } = equivocated();
  const wrongSeq = lab.cut({ 1: { seq: 2, digest: second[0]!.digest } });
  seat.holdCut('wrong', wrongSeq);
  t.deepEqual(held(seat.batch(second[0]!, 2)), []);
  t.is(seat.log.stream('fork-1').length, 0);
  const asked = sent(seat.wait(10_000), 'fetchBatch');
  t.deepEqual(asked, []);
  seat.holdCut('nothing', lab.cut({ 1: { seq: 1, digest: hash('nothing') } }));
  t.true(sent(seat.wait(10_000), 'fetchBatch').length <= 40);
});

test('I67: a branch that misses the settled base ends the search', (t) => {
  const { lab, seat, root, second, first } = equivocated();
  seat.finalise(lab.block(1, lab.cut({ 1: tipOf(first[0]) })));
  seat.step({ kind: 'executedTo', height: 1 });
  seat.holdCut('block', lab.cut({ 1: tipOf(second[1]) }), lab.cut({ 1: tipOf(first[0]) }));
  t.deepEqual(held(seat.batch(second[1]!, 2)), []);
  t.deepEqual(sent(seat.wait(5000), 'fetchBatch'), []);
  t.is(seat.machine.status().tips[1]?.seq, 2);
  t.is(root.header.seq, 0);
});
