/** How far a lane may get ahead of execution (I103). */
import test from 'ava';
import type { Batch } from '../../protocols/replication/lane.ts';
import { asked, held, OWNER, reportedTip, seated, serving, sized } from './forked.ts';
import { executed, hash, marked, tipOf, type Seat } from './lab.ts';

/** W is 50 bytes, a batch has 10: of 10 batches that are not executed more is marked, of 20 no block is waited for. */
function behind(): ReturnType<typeof seated> & {
  chain: Batch[];
  finalise: (...tos: number[]) => void;
} {
  const { lab, seat, cut } = seated(50);
  const chain = sized(lab, undefined, 'batch', 10, 32);
  let height = 0;
  let known = 0;
  const finalise = (...tos: number[]): void => {
    for (const to of tos) {
      seat.batches(chain.slice(known, to));
      known = to;
      seat.finalise(lab.block(++height, cut(tipOf(chain[to - 1]))));
    }
  };
  return { lab, seat, cut, chain, finalise };
}

/** The seq up to which the seat marks the lane now, as a peer that connects is told. */
const marks = (seat: Seat) => marked(seat.step({ kind: 'peerConnected', peer: 1 }))?.[OWNER]?.seq;

test('I103: marks go on up to 2W bytes that are not executed, then stay until execution follows', (t) => {
  const { lab, seat, cut, chain, finalise } = behind();
  finalise(10);
  seat.batches(chain.slice(10, 12));
  t.is(marks(seat), 11);
  seat.finalise(lab.block(2, cut(tipOf(chain[10]))));
  seat.batches(chain.slice(12, 15));
  t.is(seat.machine.status().tips[OWNER]?.seq, 14, 'all is stored');
  t.is(marks(seat), 11, 'and no more of it marked');
  const others = [1, 2].flatMap((peer) => seat.marks(lab.marks(peer, cut(tipOf(chain[14])))));
  t.is(reportedTip(others)?.seq, 11, 'nor counted for a quorum');
  const follows = seat.step({ kind: 'executedTo', height: 1 });
  t.is(reportedTip(follows)?.seq, 14);
  t.is(marks(seat), 14);
});

test('I103: marks name the final tip once that has passed what they named', (t) => {
  const { seat, finalise } = behind();
  finalise(6, 10, 11);
  t.is(marks(seat), 10);
  finalise(14);
  t.is(marks(seat), 13);
});

test('I103: a vote waits only for blocks that move the lane, and only until execution follows', (t) => {
  const { seat, cut, chain, finalise } = behind();
  finalise(6, 11, 15);
  const [before, after] = [cut(tipOf(chain[14])), cut(tipOf(chain[18]))];
  seat.batches(chain.slice(15, 25));
  t.deepEqual(held(seat.holdCut('within 4W', after, before)), [hash('within 4W')]);
  finalise(20, 21);
  const [final, further] = [cut(tipOf(chain[20])), cut(tipOf(chain[22]))];
  t.deepEqual(held(seat.holdCut('stays', final, final)), [hash('stays')]);
  t.deepEqual(held(seat.holdCut('moves', further, final)), []);
  t.deepEqual(held(seat.holdCut('moved', further, further)), [hash('moved')]);
  t.deepEqual(asked(seat.wait(5000)), [], 'what is held is not asked for');
  t.deepEqual(held(seat.step({ kind: 'executedTo', height: 1 })), [hash('moves')]);
});

test('I103: no vote waits for a block that moves the lane only to what a quorum marks', (t) => {
  const { lab, seat, cut, chain, finalise } = behind();
  finalise(10, 20, 21);
  seat.batches(chain.slice(21, 25));
  const [final, further] = [cut(tipOf(chain[20])), cut(tipOf(chain[22]))];
  t.deepEqual(held(seat.holdCut('moves', further, final)), []);
  for (const peer of [0, 1]) {
    t.deepEqual(held(seat.marks(lab.marks(peer, cut(tipOf(chain[23]))))), []);
  }
  t.deepEqual(held(seat.marks(lab.marks(2, cut(tipOf(chain[22]))))), [hash('moves')]);
});

test('I103: what is final is fetched, settled and executed however far execution is behind', (t) => {
  const { lab, seat, cut, chain, finalise } = behind();
  finalise(5, 11);
  seat.finalise(lab.block(3, cut(tipOf(chain[15]))));
  const { served } = serving(seat, chain, 5000);
  t.is(served, 5);
  t.is(seat.machine.status().tips[OWNER]?.seq, 15);
  t.is(marks(seat), 15);
  const rest = [1, 2].flatMap((height) => executed(seat.step({ kind: 'executedTo', height })));
  t.deepEqual(
    rest.map((each) => each.split(':')[0]),
    ['2', '3'],
  );
});

test('I103: nothing is held up before execution has caught up once since the start', (t) => {
  const { lab, seat: first, cut, chain, finalise } = behind();
  finalise(5, 10);
  const seat = first.restarted();
  seat.start();
  seat.step({ kind: 'executedTo', height: 0 });
  let height = 2;
  const further = (from: number, to: number): void => {
    seat.batches(chain.slice(from, to));
    seat.finalise(lab.block(++height, cut(tipOf(chain[to - 1]))));
  };
  further(10, 16);
  further(16, 22);
  seat.batches(chain.slice(22, 24));
  t.is(marks(seat), 23, 'it replays');
  for (const executed of [1, 2]) seat.step({ kind: 'executedTo', height: executed });
  seat.batches(chain.slice(24, 25));
  t.is(marks(seat), 24, 'more than 2W came meanwhile');
  seat.step({ kind: 'executedTo', height: 3 });
  further(25, 30);
  seat.batches(chain.slice(30));
  t.is(marks(seat), 29, 'it had caught up, and is behind again');
});

test('I103: blocks that the notes of what is stored know, and the chain lost, are not counted', (t) => {
  const { lab, seat: first, cut } = seated(50);
  const chain = sized(lab, undefined, 'batch', 10, 80);
  const blocks = chain.slice(0, 64).map((tip, at) => lab.block(at + 1, cut(tipOf(tip))));
  blocks.forEach((block, at) => {
    first.batches([chain[at]!]);
    first.step({ kind: 'finalised', block, digest: lab.forge.digest(block) });
    if (at < 44) first.log.append([lab.chainEvent(block)]);
  });
  const seat = first.restarted();
  seat.start();
  for (const block of blocks.slice(44)) seat.finalise(block);
  seat.wait(2000);
  for (let height = 1; height <= 64; height++) {
    seat.step({ kind: 'executedTo', height });
    seat.wait(50);
  }
  const markedAt = chain.slice(64).map((batch, at) => {
    seat.batches([batch]);
    const seq = marks(seat);
    seat.finalise(lab.block(65 + at, cut(tipOf(batch))));
    return seq === batch.header.seq;
  });
  t.is(markedAt.indexOf(false), 11, 'as soon as more than 2W are not executed');
});
