/** Lanes of several branches: which are searched, and what marks on them count for (D3). */
import test from 'ava';
import { Lane, type Batch } from '../../protocols/replication/lane.ts';
import { asked, held, OWNER, reportedTip, seated, serving, type Effects } from './forked.ts';
import { executed, hash, sent, tells, tipOf, type Seat } from './lab.ts';

test('I67: a batch that the stream brings completes the walk that waits for it', (t) => {
  const { lab, seat, cut } = seated();
  const [zero, one] = lab.batches(OWNER, 2);
  const second = lab.batch(OWNER, one, 'a second version');
  const named = cut(tipOf(second));
  seat.batch(one!);
  seat.holdCut('block', named);
  t.true(asked(seat.wait(150)).includes(second.digest));
  t.deepEqual(asked(seat.batch(second)).slice(0, 1), [one!.digest]);
  t.deepEqual(held(seat.batch(zero!)), [hash('block')]);
  t.deepEqual(executed(seat.finalise(lab.block(1, named))), [
    '1: batch 0/0, batch 0/1, a second version',
  ]);
});

test('I67: a walk goes on from the base when that has moved up beside what it found', (t) => {
  const { lab, seat, cut } = seated();
  const chain = lab.batches(OWNER, 6);
  const tip = lab.batch(OWNER, chain[5], 'a second version');
  for (const peer of [1, 2]) seat.marks(lab.marks(peer, cut(tipOf(tip))));
  seat.wait(150);
  for (const batch of [tip, chain[5]!, chain[4]!, chain[3]!]) seat.batch(batch, 1);
  seat.finalise(lab.block(1, cut(tipOf(chain[4]))));
  chain.slice(0, 5).forEach((batch) => seat.batch(batch));
  t.is(seat.log.stream('lane-0').length, 7, 'all of the branch is stored');
  t.is(seat.machine.status().fetching, 0);
});

test('a cut of an older term, or of a decided height, is not waited for', (t) => {
  for (const ends of ['term', 'height']) {
    const { lab, seat, cut } = seated();
    const chain = lab.batches(OWNER, 3);
    const place = { term: 4, height: 1 };
    seat.holdCut('garbage', cut({ seq: 40, digest: hash('garbage') }), undefined, place);
    t.true(asked(seat.wait(500)).length > 0);
    seat.batches(chain);
    const now = cut(tipOf(chain[2]));
    if (ends === 'term') seat.holdCut('next', now, undefined, { term: 5, height: 1 });
    else seat.finalise(lab.block(1, now));
    const after = seat.wait(5000);
    t.deepEqual([...asked(after), ...sent(after, 'fetchBatches')], [], ends);
  }
});

test('I96: a cut that nobody reports does not hide the branch that f + 1 report', (t) => {
  const { lab, seat, cut } = seated();
  const base = lab.batch(OWNER, undefined, 'base');
  const theirs = lab.batch(OWNER, base, 'theirs');
  seat.batches([base, lab.batch(OWNER, base, 'mine')]);
  seat.holdCut('garbage', cut({ seq: 1, digest: hash('garbage') }));
  for (const peer of [0, 1, 2]) seat.marks(lab.marks(peer, cut(tipOf(theirs))));
  const { effects } = serving(seat, [theirs], 1000);
  t.is(reportedTip(effects)?.digest, theirs.digest);
});

test('I96: one validator that names a digest at two seqs is not two', (t) => {
  const { lab, seat, cut } = seated();
  seat.batch(lab.batch(OWNER, undefined, 'mine'));
  for (const seq of [1, 2, 3]) seat.marks(lab.marks(1, cut({ seq, digest: hash('nothing') })));
  seat.marks(lab.marks(2, cut({ seq: 1, digest: hash('something else') })));
  t.deepEqual(asked(seat.wait(5000)), []);
});

test('I96: the search for what f + 1 report ends, although their tips move on all the time', (t) => {
  const { lab, seat, cut } = seated();
  const theirs = lab.batches(OWNER, 60, 'theirs');
  seat.batches(lab.batches(OWNER, 2, 'mine'));
  const effects: Effects[number][] = [];
  for (let at = 30; at < 60; at++) {
    for (const peer of [1, 2]) seat.marks(lab.marks(peer, cut(tipOf(theirs[at]))));
    effects.push(...serving(seat, theirs.slice(0, 31), 30).effects);
  }
  for (const peer of [0, 1, 2]) seat.marks(lab.marks(peer, cut(tipOf(theirs[59]))));
  t.true(seat.log.stream('lane-0').length === 31, 'all of the branch up to the first tip');
});

test('I66: an owner that drips its own branch does not put off the search for another', (t) => {
  const { lab, seat, cut } = seated();
  const mine = lab.batches(OWNER, 40, 'mine');
  const theirs = lab.batches(OWNER, 60, 'theirs');
  seat.batch(mine[0]!);
  seat.holdCut('block', cut(tipOf(theirs.at(-1))));
  const found = mine
    .slice(1)
    .flatMap((batch) => [...serving(seat, theirs, 50).effects, ...seat.batch(batch)]);
  t.deepEqual(held(found), [hash('block')]);
});

test('I66: a clock that is set back puts off neither a range nor a walk', (t) => {
  const { lab, seat, cut } = seated();
  seat.batch(lab.batch(OWNER, undefined, 'mine'));
  const theirs = lab.batches(OWNER, 2, 'theirs');
  seat.holdCut('block', cut(tipOf(theirs[0])));
  for (const peer of [1, 2])
    seat.marks(lab.marks(peer, lab.cut({ 1: { seq: 5, digest: hash('x') } })));
  seat.wait(100);
  seat.now -= 86_400_000;
  seat.step({ kind: 'timer', timer: 'fetch' });
  const effects = seat.wait(2100);
  t.true(asked(effects).includes(theirs[0]!.digest));
  t.true(sent(effects, 'fetchBatches').length > 0);
});

test('I63: marks on a branch count for all of it, down to where it leaves the own chain', (t) => {
  const { lab, seat, cut } = seated();
  const root = lab.batches(OWNER, 2, 'root');
  const theirs = lab.batches(OWNER, 5, 'theirs', root[1]);
  seat.batches([...root, lab.batch(OWNER, root[1], 'mine')]);
  for (const peer of [1, 2]) seat.marks(lab.marks(peer, cut(tipOf(theirs[4]))));
  const { effects } = serving(seat, theirs, 1000);
  t.is(reportedTip(effects)?.digest, root[1]!.digest, 'this node and they hold it');
  t.is(reportedTip(seat.marks(lab.marks(0, cut(tipOf(theirs[2])))))?.digest, theirs[2]!.digest);
  for (const height of [1, 2]) {
    const settled = seat.finalise(lab.block(height, cut(tipOf(root[height - 1]))));
    t.is(reportedTip(settled)?.digest, theirs[2]!.digest, 'and still do');
    t.is(tells(settled, 'tipsReported').at(-1)?.bases[OWNER], height - 1, 'from that base on');
  }
});

test('I64: support for a branch that a final block contradicts is gone', (t) => {
  for (const wins of ['mine', 'a third one']) {
    const { lab, seat, cut } = seated();
    const root = lab.batch(OWNER, undefined, 'root');
    const winner = lab.batches(OWNER, 2, wins, root);
    const theirs = lab.batches(OWNER, 4, 'theirs', root);
    seat.batches([root, ...(wins === 'mine' ? winner : [lab.batch(OWNER, root, 'mine')])]);
    for (const peer of [0, 1, 2]) seat.marks(lab.marks(peer, cut(tipOf(theirs[3]))));
    t.is(reportedTip(serving(seat, theirs, 1000).effects)?.digest, theirs[3]!.digest);
    const effects = seat.finalise(lab.block(1, cut(tipOf(winner[0]))));
    effects.push(...serving(seat, winner, 1000).effects);
    t.is(reportedTip(effects)?.digest, winner[0]!.digest, wins);
  }
});

test('I77: marks on another branch that prove nothing to others do not count', (t) => {
  const { lab, seat, cut } = seated();
  const theirs = lab.batch(OWNER, undefined, 'theirs');
  seat.batch(lab.batch(OWNER, undefined, 'mine'));
  for (const peer of [1, 2]) seat.marks(lab.marks(peer, cut(tipOf(theirs))));
  seat.marks(lab.marks(0, cut(tipOf(theirs)), undefined, 3));
  t.is(reportedTip(serving(seat, [theirs], 1000).effects)?.digest, theirs.digest);
  t.is(reportedTip(seat.step({ kind: 'showTips', leader: 1, lanes: [OWNER] }))?.seq, -1);
});

test('a step and a mark count a deep branch only as far as it is new', (t) => {
  const { lab, seat, cut } = seated();
  const theirs = lab.batches(OWNER, 300, 'theirs');
  const next = lab.batch(OWNER, theirs.at(-1), 'the next of it');
  const report = (batch: Batch) => {
    for (const peer of [0, 1, 2]) seat.marks(lab.marks(peer, cut(tipOf(batch))));
    return reportedTip(serving(seat, [...theirs, next], 2000).effects);
  };
  seat.batch(lab.batch(OWNER, undefined, 'mine'));
  t.is(report(theirs.at(-1)!)?.digest, theirs.at(-1)!.digest);
  const { find } = Lane.prototype;
  const levels = new Set<number>();
  Lane.prototype.find = function (tip) {
    levels.add(tip.seq);
    return find.call(this, tip);
  };
  t.is(report(next)?.digest, next.digest);
  Lane.prototype.find = find;
  t.true(levels.size < 10, `looks at ${levels.size} levels`);
});

test('I104: what became final of an owner that always equivocates is found in the log, not in memory', (t) => {
  const { lab, seat, cut } = seated();
  const texts: string[] = [];
  let tip: Batch | undefined;
  const second: Batch[] = [];
  for (let height = 1; height <= 130; height++) {
    seat.batch(lab.batch(OWNER, tip, `first ${height}`));
    tip = lab.batch(OWNER, tip, `second ${height}`);
    second.push(tip);
    seat.finalise(lab.block(height, cut(tipOf(tip))));
    texts.push(...executed(seat.batch(tip, 1)));
    seat.step({ kind: 'executedTo', height });
  }
  t.deepEqual([texts.length, texts[0], texts[129]], [130, '1: second 1', '130: second 130']);
  t.is(seat.log.stream(`fork-${OWNER}`).length, 130);

  const after = seat.restarted();
  const read = after.recoveryReads.find(({ stream }) => stream === `fork-${OWNER}`);
  t.is(read?.from, 128, 'recovery skips what is below the newest note');
  const again = after.start();
  for (let height = 1; height <= 130; height++) {
    again.push(...after.step({ kind: 'executedTo', height }));
  }
  t.deepEqual(executed(again), texts);
  for (const asked of [seat, after]) {
    for (const { header, digest } of [second[0]!, second[60]!, second[129]!]) {
      const fetch = { kind: 'fetchBatch', lane: OWNER, seq: header.seq, digest } as const;
      const answer = sent(asked.from(1, fetch), 'batch').map(({ message }) => message.header);
      t.deepEqual(answer, [header]);
    }
  }
  const next = lab.batch(OWNER, tip, 'next');
  t.deepEqual(
    executed([...after.batch(next), ...after.finalise(lab.block(131, cut(tipOf(next))))]),
    ['131: next'],
  );
});

test('I104: recovery finds a branch that was stored below the newest note and lies above the base', (t) => {
  const { lab, seat, cut } = seated();
  const chain = lab.batches(OWNER, 3);
  const branch = lab.batches(OWNER, 2, 'second', chain[0]);
  const below = lab.batch(OWNER, undefined, 'below');
  seat.batches(chain);
  seat.holdCut('below', cut(tipOf(below)));
  t.deepEqual(held(serving(seat, [below], 1000).effects), [hash('below')]);
  seat.holdCut('branch', cut(tipOf(branch[1])));
  t.deepEqual(held(serving(seat, branch, 1000).effects), [hash('branch')]);
  for (let height = 1; height <= 64; height++) {
    seat.finalise(lab.block(height, cut(tipOf(chain[0]))));
  }
  const after = seat.restarted();
  const read = after.recoveryReads.find(({ stream }) => stream === `fork-${OWNER}`);
  t.is(read?.from, 1);
  after.start();
  const again = after.holdCut('again', cut(tipOf(branch[1])), cut(tipOf(chain[0])));
  t.deepEqual(held(again), [hash('again')]);
});

test('I104: forks go on where they ended when all of them lie below the newest note', (t) => {
  const { lab, seat, cut } = seated();
  const store = (asked: Seat, height: number, parent: Batch | undefined): Batch => {
    const second = lab.batch(OWNER, parent, `second ${height}`);
    asked.batch(lab.batch(OWNER, parent, `first ${height}`));
    asked.finalise(lab.block(height, cut(tipOf(second))));
    asked.batch(second, 1);
    return second;
  };
  let tip: Batch | undefined;
  for (let height = 1; height <= 64; height++) tip = store(seat, height, tip);
  const after = seat.restarted();
  after.start();
  const read = after.recoveryReads.find(({ stream }) => stream === `fork-${OWNER}`);
  t.is(read?.from, 64, 'nothing of it is read');
  store(after, 65, tip);
  t.is(after.log.stream(`fork-${OWNER}`).at(-1)?.seq, 64);
});
