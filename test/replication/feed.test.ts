import test from 'ava';
import type { Batch } from '../../protocols/replication/lane.ts';
import type { Block, Tip } from '../../protocols/types.ts';
import { executed, Lab, Seat, sent, tells, tipOf, violation } from './lab.ts';

const heights = (effects: Parameters<typeof tells>[0]) =>
  tells(effects, 'execute').map(({ block }) => block.height);

const upTo = (height: number) => Array.from({ length: height }, (_, at) => at + 1);

/** A chain in which block h takes batch h − 1 of lane 1 (and every third nothing at all). */
function ledger(lab: Lab, count: number): { blocks: Block[]; batches: Batch[] } {
  const batches: Batch[] = [];
  const blocks = upTo(count).map((height) => {
    if (height % 3 !== 0) batches.push(lab.batch(1, batches.at(-1), `tx ${height}`));
    return lab.block(height, lab.cut({ 1: tipOf(batches.at(-1)) }));
  });
  return { blocks, batches };
}

/** Executes whatever it is told, one report for each block, until nothing more comes. */
function execute(seat: Seat, effects: readonly Parameters<typeof tells>[0][number][]): string[] {
  const done: string[] = [];
  for (let open = [...effects]; open.length > 0;) {
    done.push(...executed(open));
    const told = heights(open);
    open = told.flatMap((height) => seat.step({ kind: 'executedTo', height }));
    if (open.length === 0) open = seat.wait(60);
    if (tells(open, 'execute').length === 0 && told.length === 0) break;
  }
  return done;
}

const expected = (blocks: readonly Block[]) =>
  blocks.map(({ height }) => `${height}: ${height % 3 === 0 ? '' : `tx ${height}`}`);

test('executes a block’s lanes in rotated order, and inside a lane by seq', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const lanes = [1, 2, 3].map((lane) => lab.batches(lane, 2));
  lanes.forEach((batches) => seat.batches(batches));
  const cut = (at: number) =>
    lab.cut({ 1: tipOf(lanes[0]![at]), 2: tipOf(lanes[1]![at]), 3: tipOf(lanes[2]![at]) });
  t.deepEqual(executed(seat.finalise(lab.block(1, lab.cut({ 1: tipOf(lanes[0]![0]) })))), [
    '1: batch 1/0',
  ]);
  t.deepEqual(executed(seat.finalise(lab.block(2, cut(1)))), [
    '2: batch 2/0, batch 2/1, batch 3/0, batch 3/1, batch 1/1',
  ]);
});

test('I65: a block waits for its batches and for the blocks below it', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const { blocks, batches } = ledger(lab, 2);
  seat.finalise(blocks[0]!);
  t.deepEqual(executed(seat.finalise(blocks[1]!)), []);
  t.deepEqual(executed(seat.batch(batches[1]!)), []);
  t.deepEqual(executed(seat.batch(batches[0]!)), expected(blocks));
});

test('I65: ignores blocks that it was told before', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const { blocks, batches } = ledger(lab, 2);
  seat.batches(batches);
  seat.seal('own');
  const cut = lab.cut({ 0: seat.machine.status().tips[0]!, 1: tipOf(batches.at(-1)) });
  blocks.push(lab.block(3, cut));
  blocks.forEach((block) => seat.finalise(block));
  const again = blocks.flatMap((block) =>
    seat.step({ kind: 'finalised', block, digest: lab.forge.digest(block) }),
  );
  t.deepEqual(executed(again), []);
  t.deepEqual(tells(again, 'laneRoom'), []);
});

test('I69: feeds everything again after a restart, from height 1, in order', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const { blocks, batches } = ledger(lab, 300);
  seat.batches(batches);
  const live = blocks.flatMap((block) => execute(seat, seat.finalise(block)));
  t.deepEqual(live, expected(blocks));
  t.is(seat.log.stream('replication').length, 4);

  const after = seat.restarted();
  t.deepEqual(execute(after, after.start()), expected(blocks));
  const next = lab.batch(1, batches.at(-1), 'tx 301');
  after.batch(next);
  const block = lab.block(301, lab.cut({ 1: tipOf(next) }));
  t.deepEqual(execute(after, after.finalise(block)), ['301: tx 301']);
});

test('I70: gives execution a bounded number of blocks, and keeps a bounded number for it', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const { blocks, batches } = ledger(lab, 600);
  seat.batches(batches);
  seat.answering = false;
  const told = blocks.flatMap((block) => heights(seat.finalise(block)));
  t.deepEqual(told, upTo(64));
  const payloads = batches.slice(-172).reduce((sum, { payload }) => sum + payload.length, 0);
  t.true(seat.machine.status().pendingBytes <= payloads);
  seat.answering = true;
  const rest = execute(seat, seat.step({ kind: 'executedTo', height: 64 }));
  t.deepEqual(rest, expected(blocks.slice(64)));
});

const KIB = 1024;

/** Blocks that hold so many batches each of lane 1, of 1 KiB; the seat has them and knows that they are final. */
function heavy(seat: Seat, counts: readonly number[]): { blocks: Block[]; told: number[] } {
  let parent: Batch | undefined;
  const told: number[] = [];
  const blocks = counts.map((count, at) => {
    for (let i = 0; i < count; i++) {
      parent = seat.lab.batch(1, parent, `${at + 1}/${i} `.padEnd(KIB, 'x'));
      seat.batch(parent);
    }
    const block = seat.lab.block(at + 1, seat.lab.cut({ 1: tipOf(parent) }));
    told.push(...heights(seat.finalise(block)));
    return block;
  });
  return { blocks, told };
}

test('I70: gives execution a bounded number of bytes, and at least one block', (t) => {
  const seat = new Seat(new Lab(4, { laneBytesMax: 16 * KIB }));
  seat.start();
  const { told } = heavy(
    seat,
    upTo(12).map(() => 4),
  );
  t.deepEqual(told, [1, 2, 3, 4]);
  t.true(seat.machine.status().pendingBytes <= 32 * KIB);
  const done = [4, 8].flatMap((height) => heights(seat.step({ kind: 'executedTo', height })));
  t.deepEqual(done, [5, 6, 7, 8, 9, 10, 11, 12]);
});

for (const [what, counts] of [
  ['each less than is read at once', [1, 1, 1]],
  ['one with twice as much as is read at once', [1, 4, 1]],
  ['one with all that two windows hold', [1, 32, 1]],
  ['each a little more than is read ahead', [2, 3, 3, 2]],
] as const) {
  test(`I101: what blocks hold of one lane is read again, ${what}`, (t) => {
    const seat = new Seat(new Lab(4, { laneBytesMax: 16 * KIB }));
    seat.start();
    const { blocks } = heavy(seat, counts);
    const after = seat.restarted();
    after.answering = false;
    const done: string[] = [];
    let open = after.start();
    for (let round = 0; round < 100; round++) {
      done.push(...executed(open));
      open = heights(open).flatMap((height) => after.step({ kind: 'executedTo', height }));
      for (const read of after.reads.splice(0)) {
        if (read.stream === 'lane-1') t.is(read.bytesMax, 2 * KIB);
        open.push(...after.answer(read));
      }
    }
    t.is(done.length, blocks.length);
    t.deepEqual(
      done.map((each) => each.split(', ').length),
      counts,
    );
  });
}

test('waits for blocks that consensus has not written yet', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const { blocks, batches } = ledger(lab, 70);
  seat.batches(batches);
  for (const block of blocks) execute(seat, seat.finalise(block));
  const stream = seat.log.stream('chain');
  const late = stream.splice(40);
  const after = seat.restarted();
  t.deepEqual(execute(after, after.start()), expected(blocks.slice(0, 40)));
  stream.push(...late);
  const told = blocks
    .slice(40)
    .flatMap((block) => after.step({ kind: 'finalised', block, digest: lab.forge.digest(block) }));
  t.deepEqual(execute(after, [...told, ...after.wait(60)]), expected(blocks.slice(40)));
});

test('a node far behind settles thousands of blocks as their batches come', (t) => {
  const lab = new Lab();
  const owner = new Seat(lab, 1);
  owner.start();
  const { blocks, batches } = ledger(lab, 1000);
  owner.log.append([]);
  const peer = new Seat(lab, 2);
  peer.batches(batches);
  const seat = new Seat(lab, 0);
  seat.start();
  let told = blocks.flatMap((block) => executed(seat.finalise(block)));
  let effects = seat.wait(30);
  for (let round = 0; round < 200 && told.length < 1000; round++) {
    const asked = sent(effects, 'fetchBatches').map(({ message }) => message);
    peer.now = seat.now;
    const answers = asked.flatMap((message) => sent(peer.from(0, message), 'batch'));
    effects = answers.flatMap(({ message, body }) => seat.from(1, message, body));
    told.push(...execute(seat, effects));
    effects.push(...seat.wait(100));
  }
  t.deepEqual(told, expected(blocks));
  told = execute(seat, seat.wait(100));
  t.deepEqual(told, []);
});

test('I71: a log that lacks a batch of a final block stops the actor', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const { blocks, batches } = ledger(lab, 70);
  seat.batches(batches);
  for (const block of blocks) execute(seat, seat.finalise(block));
  const other = new Seat(lab, 2);
  other.batch(lab.batch(1, undefined, 'never final'));
  seat.log.stream('lane-1')[0] = other.log.stream('lane-1')[0]!;
  const after = seat.restarted();
  t.is(
    violation(() => after.start()),
    'final_batch_missing',
  );
});

test('I71: replays the branch that became final where the first version is another', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const root = lab.batch(1, undefined, 'root');
  const [first, second] = ['first', 'second'].map((name) => lab.batches(1, 3, name, root));
  seat.batches([root, ...first!]);
  const cuts: Tip[] = [tipOf(root), tipOf(second![0]), tipOf(second![2])];
  const blocks = cuts.map((tip, at) => lab.block(at + 1, lab.cut({ 1: tip })));
  for (const block of blocks) execute(seat, seat.finalise(block));
  for (const batch of second!) execute(seat, seat.batch(batch, 2));
  for (const batch of second!.toReversed()) execute(seat, seat.batch(batch, 2));
  const line = ['1: root', '2: second 1/0', '3: second 1/1, second 1/2'];
  const after = seat.restarted();
  t.deepEqual(execute(after, after.start()), line);
});

test('I106: execution hears how many of the batches sealed since the start are final, of no earlier ones', (t) => {
  const lab = new Lab();
  const sealed = (effects: Parameters<typeof tells>[0]) =>
    tells(effects, 'execute').map((told) => [told.block.height, told.sealed]);
  const ownTip = (seat: Seat) => lab.cut({ 0: seat.machine.status().tips[0]! });
  const seat = new Seat(lab);
  seat.start();
  seat.seal('a');
  seat.seal('b');
  const both = ownTip(seat);
  seat.seal('c');
  t.deepEqual(sealed(seat.finalise(lab.block(1, both))), [[1, 2]]);

  const after = seat.restarted();
  t.deepEqual(sealed(after.start()), [[1, 0]]);
  const old = ownTip(after);
  after.seal('d');
  const second = [...after.finalise(lab.block(2, old)), ...after.wait(60)];
  t.deepEqual(sealed(second), [[2, 0]], 'c is of the earlier life');
  const third = [...after.finalise(lab.block(3, ownTip(after))), ...after.wait(60)];
  t.deepEqual(sealed(third), [[3, 1]]);
});

test('a batch without submissions is stored, marked and executed like any other', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const empty = lab.batch(1, undefined, '\0', { txCount: 0 });
  seat.batch(empty);
  t.deepEqual(seat.machine.status().tips[1], tipOf(empty));
  t.deepEqual(executed(seat.finalise(lab.block(1, lab.cut({ 1: tipOf(empty) })))), ['1: \0']);
});
