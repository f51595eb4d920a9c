/** How much of a lane of several branches is kept, and on whose word (I67, I74). */
import test from 'ava';
import { type Batch } from '../../protocols/replication/lane.ts';
import { BRANCH_BATCHES_MAX } from '../../protocols/replication/setting.ts';
import type { Tip } from '../../protocols/types.ts';
import { asked, held, OWNER, reportedTip, seated, serving, sized } from './forked.ts';
import { executed, hash, tells, tipOf } from './lab.ts';

test('I67: a walk ends where its branch is longer than 2W, and begins again when the base has moved', (t) => {
  const { lab, seat, cut } = seated(50);
  const chain = sized(lab, undefined, 'first', 10, 4);
  const second = sized(lab, chain[1], 'second', 10, 9);
  seat.batches(chain);
  seat.holdCut('block', cut(tipOf(second.at(-1))), cut(tipOf(chain[1])));
  const first = serving(seat, second, 20_000);
  t.deepEqual(held(first.effects), []);
  t.is(first.served, 9, 'with the two below them they have 110 bytes');
  seat.finalise(lab.block(1, cut(tipOf(chain[1]))));
  t.deepEqual(held(serving(seat, second, 1000).effects), [hash('block')]);
});

test('I67: a walk holds no more than 2W, whatever it finds', (t) => {
  const { lab, seat, cut } = seated(50);
  const endless = sized(lab, undefined, 'endless', 10, 40);
  seat.batch(lab.batch(OWNER, undefined, 'first'));
  seat.holdCut('block', cut(tipOf(endless.at(-1))));
  const { served, effects } = serving(seat, endless, 20_000);
  t.is(served, 11);
  t.deepEqual(held(effects), []);
  t.deepEqual(asked(seat.wait(5000)), [], 'and stays ended');
});

test('I74: nothing beyond the reach of an honest lane is stored or searched', (t) => {
  const { lab, seat, cut } = seated();
  const far = (seq: number) => lab.batch(OWNER, undefined, 'x', { seq, parentDigest: hash('y') });
  t.is(seat.machine.status().pendingBytes, 0);
  seat.batch(far(BRANCH_BATCHES_MAX - 1));
  t.is(seat.machine.status().pendingBytes, 1);
  seat.batch(far(BRANCH_BATCHES_MAX));
  t.is(seat.machine.status().pendingBytes, 1);
  seat.holdCut('block', cut({ seq: BRANCH_BATCHES_MAX, digest: hash('z') }));
  t.deepEqual(asked(seat.wait(5000)), []);
  const nothing = cut({ seq: BRANCH_BATCHES_MAX, digest: hash('w') });
  for (const peer of [1, 2]) seat.marks(lab.marks(peer, nothing));
  t.deepEqual(asked(seat.wait(5000)), []);
});

test('I74: one leader’s word fetches about one branch; another leader’s, a certificate and f + 1 marks fetch more', (t) => {
  const { lab, seat, cut } = seated(50);
  const root = lab.batch(OWNER, undefined, 'r');
  seat.batches([root, lab.batch(OWNER, root, 'first')]);
  const branches = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => sized(lab, root, name, 9, 11));
  const [a, b, c, d, e, f] = branches as [Batch[], Batch[], Batch[], Batch[], Batch[], Batch[]];
  const proposed = (name: string, batches: Batch[], term: number, parent?: Tip) => {
    const parentCut = parent === undefined ? undefined : cut(parent);
    seat.holdCut(name, cut(tipOf(batches.at(-1))), parentCut, { term });
    return held(serving(seat, batches, 20_000).effects);
  };
  t.deepEqual(proposed('a', a.slice(0, 10), 4), [hash('a')]);
  t.deepEqual(proposed('b', b, 8), [hash('b')], 'one more, since there was room');
  t.deepEqual(proposed('c', c, 12), [], 'the same leader');
  t.deepEqual(proposed('d', d, 13), [hash('d')], 'another one');
  t.deepEqual(
    proposed('e', e.slice(0, 9), 16, tipOf(e[7])),
    [],
    'its own word still does not count',
  );
  const through = tells(
    seat.holdCut('parent', cut(tipOf(e[7])), cut(tipOf(e[3])), { term: 17 }),
    'cutHeld',
  );
  t.is(through.length, 1, 'but what a certificate names was fetched');
  for (const peer of [1, 2]) seat.marks(lab.marks(peer, cut(tipOf(f.at(-1)))));
  serving(seat, f, 20_000);
  t.is(reportedTip(seat.marks(lab.marks(0, cut(tipOf(f.at(-1))))))?.digest, f.at(-1)!.digest);
  // Once blocks have passed them, there is room again.
  seat.finalise(lab.block(1, cut(tipOf(f[0]))));
  const again = sized(lab, f[0], 'g', 9, 5);
  t.deepEqual(proposed('g', again, 20, tipOf(f[0])), [hash('g')]);
});

test('I74: a leader’s word is counted in batches too', (t) => {
  const { lab, seat, cut } = seated();
  seat.batch(lab.batch(OWNER, undefined, 'first'));
  const long = sized(lab, undefined, 'x', 1, BRANCH_BATCHES_MAX);
  seat.holdCut('long', cut(tipOf(long.at(-1))), undefined, { term: 4 });
  t.deepEqual(held(serving(seat, long, 1000).effects), [hash('long')]);
  const other = lab.batch(OWNER, undefined, 'other');
  seat.holdCut('other', cut(tipOf(other)), undefined, { term: 8 });
  t.deepEqual(asked(seat.wait(1000)), []);
});

test('I74: what a leader had fetched counts no more when a final block contradicts it', (t) => {
  const { lab, seat, cut } = seated(50);
  const first = sized(lab, undefined, 'first', 10, 1);
  const second = sized(lab, undefined, 'second', 10, 10);
  const third = sized(lab, first[0], 'third', 10, 2);
  seat.batches([...first, lab.batch(OWNER, first[0], 'next')]);
  seat.holdCut('second', cut(tipOf(second[9])), undefined, { term: 4 });
  t.deepEqual(held(serving(seat, second, 1000).effects), [hash('second')]);
  const parent = cut(tipOf(first[0]));
  seat.holdCut('third', cut(tipOf(third[1])), parent, { term: 8 });
  t.deepEqual(asked(seat.wait(1000)), []);
  seat.finalise(lab.block(1, parent));
  t.deepEqual(held(serving(seat, third, 1000).effects), [hash('third')]);
});

test('I74: what is stored goes before what waits ahead', (t) => {
  const { lab, seat } = seated(50);
  const chain = sized(lab, undefined, 'chain', 30, 3);
  const garbage = [5, 6].map((seq) =>
    lab.batch(OWNER, undefined, 'x'.repeat(30), { seq, parentDigest: hash(`${seq}`) }),
  );
  seat.batches([chain[0]!, ...garbage]);
  t.is(seat.machine.status().pendingBytes, 90);
  seat.batches(chain.slice(1));
  t.is(seat.machine.status().tips[OWNER]?.seq, 2);
  t.is(seat.machine.status().pendingBytes, 90);
});

test('I74: a lane that its owner filled with one branch still takes the one that is final', (t) => {
  const { lab, seat, cut } = seated(50);
  seat.batches(sized(lab, undefined, 'first', 10, 9));
  const waiting = lab.batch(OWNER, undefined, 'x'.repeat(10), { seq: 11, parentDigest: hash('y') });
  seat.batch(waiting);
  t.is(seat.machine.status().pendingBytes, 100);
  const second = sized(lab, undefined, 'second', 20, 5);
  const effects = seat.finalise(lab.block(1, cut(tipOf(second[4]))));
  t.is(executed([...effects, ...serving(seat, second, 1000).effects]).length, 1);
});

test('I67: what a walk holds counts as held in memory until it is stored or given up', (t) => {
  const { lab, seat, cut } = seated(50);
  const branch = sized(lab, undefined, 'branch', 10, 3);
  seat.holdCut('branch', cut(tipOf(branch[2])));
  t.deepEqual(asked(seat.wait(150)).slice(0, 1), [branch[2]!.digest]);
  seat.batch(branch[2]!);
  seat.batch(branch[1]!);
  t.is(seat.machine.status().pendingBytes, 20);
  seat.batch(branch[0]!);
  t.is(seat.machine.status().tips[OWNER]?.seq, 2);
  t.is(seat.machine.status().pendingBytes, 30);
});
