import test from 'ava';
import type { Marks } from '../../protocols/types.ts';
import { EMPTY_TIP } from '../../protocols/types.ts';
import { checkpoint, faults, hash, Lab, marked, Seat, sent, tells, tipOf } from './lab.ts';

/** Seqs that a quorum holds, per lane, as consensus was last told. */
function reported(effects: Parameters<typeof tells>[0]): number[] | undefined {
  return tells(effects, 'tipsReported')
    .at(-1)
    ?.tips.map(({ seq }) => seq);
}

test('reports a tip once a quorum holds it, and who does', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const batches = lab.batches(1, 3);
  seat.batches(batches);
  const at = (seq: number) => lab.cut({ 1: tipOf(batches[seq]) });
  t.is(reported(seat.marks(lab.marks(1, at(2)))), undefined);
  const effects = seat.marks(lab.marks(2, at(1)));
  t.deepEqual(reported(effects), [-1, 1, -1, -1]);
  t.deepEqual(tells(effects, 'tipsReported').at(-1)?.support[1], [0, 1, 2]);
  const more = seat.marks(lab.marks(3, at(2)));
  t.deepEqual(reported(more), [-1, 2, -1, -1]);
  t.deepEqual(tells(more, 'tipsReported').at(-1)?.support[1], [0, 1, 3]);
});

test('I63: a mark counts only when it names a batch of the own chain', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const batches = lab.batches(1, 2);
  seat.batches(batches);
  const other = lab.cut({ 1: { seq: 1, digest: hash('another batch') } });
  seat.marks(lab.marks(2, other));
  t.is(reported(seat.marks(lab.marks(3, other))), undefined);
  seat.marks(lab.marks(1, lab.cut({ 1: tipOf(batches[1]) })));
  const honest = seat.marks(lab.marks(2, lab.cut({ 1: tipOf(batches[1]) })));
  t.deepEqual(reported(honest), [-1, 1, -1, -1]);
});

test('I63: marks ahead of the own chain count as soon as the batches come', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const batches = lab.batches(1, 3);
  for (const peer of [1, 2]) {
    for (const batch of batches) seat.marks(lab.marks(peer, lab.cut({ 1: tipOf(batch) })));
  }
  t.deepEqual(reported(seat.batch(batches[0]!)), [-1, 0, -1, -1]);
  t.deepEqual(reported(seat.batches(batches.slice(1))), [-1, 2, -1, -1]);
});

test('I63: remembers a bounded number of marks that do not link', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const batches = lab.batches(1, 40);
  for (const peer of [1, 2]) {
    for (const batch of batches) seat.marks(lab.marks(peer, lab.cut({ 1: tipOf(batch) })));
  }
  t.is(reported(seat.batches(batches.slice(0, 8))), undefined);
  t.deepEqual(reported(seat.batch(batches[8]!)), [-1, 8, -1, -1]);
});

test('I64: old marks that come late take nothing back', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const batches = lab.batches(1, 2);
  seat.batches(batches);
  seat.marks(lab.marks(1, lab.cut({ 1: tipOf(batches[1]) })));
  t.deepEqual(
    reported(seat.marks(lab.marks(2, lab.cut({ 1: tipOf(batches[1]) })))),
    [-1, 1, -1, -1],
  );
  t.is(reported(seat.marks(lab.marks(2, lab.cut({ 1: tipOf(batches[0]) })))), undefined);
  t.is(reported(seat.marks(lab.marks(2, lab.cut({})))), undefined);
});

test('a validator that claims everything moves only its own support', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const batches = lab.batches(1, 2);
  seat.batches(batches);
  const endless = { seq: Number.MAX_SAFE_INTEGER, digest: hash('nothing') };
  seat.marks(lab.marks(3, [endless, endless, endless, endless]));
  seat.marks(lab.marks(1, lab.cut({ 1: tipOf(batches[1]) })));
  const effects = seat.marks(lab.marks(2, lab.cut({ 1: tipOf(batches[1]) })));
  t.deepEqual(tells(effects, 'tipsReported').at(-1)?.support[1], [0, 1, 2]);
  const asked = sent(seat.wait(3000), 'fetchBatches').filter(({ message }) => message.lane !== 3);
  t.deepEqual(asked, []);
});

const malformed: Record<string, (marks: Marks) => Marks> = {
  'of another validator': (marks) => ({ ...marks, validator: 2 }),
  'of a validator that does not exist': (marks) => ({ ...marks, validator: 9 }),
  'of another epoch': (marks) => ({ ...marks, epoch: 1 }),
  'with too few lanes': (marks) => ({ ...marks, tips: marks.tips.slice(1) }),
  'with too many lanes': (marks) => ({ ...marks, tips: [...marks.tips, EMPTY_TIP] }),
};

for (const [what, spoil] of Object.entries(malformed)) {
  test(`refuses marks ${what}`, (t) => {
    const lab = new Lab();
    const marks = spoil(lab.marks(1, lab.cut({})));
    const effects = new Seat(lab).from(1, { kind: 'marks', marks });
    t.deepEqual(faults(effects), ['marks_malformed']);
  });
}

test('marks leave with the batch at first and a few milliseconds apart under load', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const effects = seat.batches(lab.batches(1, 100));
  const first = sent(effects, 'marks').length;
  t.true(first >= 1 && first <= 6);
  const later = seat.wait(5);
  t.is(sent(later, 'marks').length, 1);
  t.is(marked(later)?.[1]?.seq, 99);
});

test('says its marks again while something is not final, and to a peer that comes back', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  t.deepEqual(sent(seat.wait(1500), 'marks'), []);
  seat.seal('one');
  t.is(sent(seat.wait(1500), 'marks').length, 3);
  const [again] = sent(seat.step({ kind: 'peerConnected', peer: 2 }), 'marks');
  t.is(again?.to, 2);
  t.is(again?.message.marks.tips[0]?.seq, 0);
});

test('reports the highest checkpoint that a quorum reports alike, at whatever pace', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const agreed = (effects: Parameters<typeof tells>[0]) =>
    tells(effects, 'tipsReported').at(-1)?.executed?.height;
  const report = (peer: number, height: number, name?: string) =>
    seat.marks(lab.marks(peer, lab.cut({}), checkpoint(height, name)));
  for (const height of [16, 32, 48]) {
    const effects = seat.step({ kind: 'checkpointExecuted', executed: checkpoint(height) });
    t.is(sent(effects, 'marks')[0]?.message.marks.executed.height, height);
  }
  report(1, 48, 'a lie');
  for (const height of [16, 32, 48]) report(2, height);
  t.is(agreed(report(3, 16)), 16);
  t.is(agreed(report(3, 32)), 32);
  t.is(agreed(report(1, 64)), undefined);
  t.is(agreed(report(3, 48)), 48);
});

test('I76: shows the leader signed marks of a quorum behind a tip', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const [batch] = lab.batches(1, 1);
  seat.batch(batch!);
  const cut = lab.cut({ 1: tipOf(batch) });
  for (const peer of [1, 2]) seat.marks(lab.marks(peer, cut));
  const [shown] = sent(seat.step({ kind: 'showTips', leader: 3, lanes: [1] }), 'tipsShown');
  t.is(shown?.to, 3);
  t.deepEqual(
    shown?.message.marks.map(({ validator }) => validator),
    [0, 1, 2],
  );

  const leader = new Seat(lab, 3);
  leader.start();
  leader.batch(batch!);
  const effects = leader.from(0, shown!.message);
  t.deepEqual(faults(effects), []);
  t.deepEqual(reported(effects), [-1, 0, -1, -1]);
});

test('I76: marks that a third validator shows count only with their signer’s signature', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab, 3);
  seat.start();
  const [batch] = lab.batches(1, 1);
  seat.batch(batch!);
  const cut = lab.cut({ 1: tipOf(batch) });
  const forged = [1, 2].map((peer) => lab.marks(peer, cut, undefined, 0));
  const effects = seat.from(0, { kind: 'tipsShown', marks: forged });
  t.deepEqual(faults(effects), ['tips_shown_signature']);
  t.is(reported(effects), undefined);
  const short = { ...forged[0]!, tips: [] };
  t.deepEqual(faults(seat.from(0, { kind: 'tipsShown', marks: [short] })), [
    'tips_shown_malformed',
  ]);
});

test('I77: who signs its marks wrongly is not counted until it signs them rightly', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const [batch] = lab.batches(1, 1);
  seat.batch(batch!);
  const cut = lab.cut({ 1: tipOf(batch) });
  const wrong = lab.marks(2, cut, undefined, 3);
  seat.marks(lab.marks(1, cut));
  t.deepEqual(reported(seat.marks(wrong)), [-1, 0, -1, -1]);
  const showing = seat.step({ kind: 'showTips', leader: 3, lanes: [1] });
  t.deepEqual(faults(showing), ['marks_signature']);
  t.deepEqual(reported(showing), [-1, -1, -1, -1]);
  t.deepEqual(faults(seat.marks(wrong)), ['marks_signature']);
  t.deepEqual(reported(seat.marks(lab.marks(2, cut))), [-1, 0, -1, -1]);
});

test('shows nothing when it leads itself, and nothing of an empty lane', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  t.deepEqual(sent(seat.step({ kind: 'showTips', leader: 1, lanes: [0, 7] }), 'tipsShown'), []);
  seat.seal('one');
  t.deepEqual(sent(seat.step({ kind: 'showTips', leader: 0, lanes: [0] }), 'tipsShown'), []);
});

test('shown marks are checked once for each validator, and only where they say something new', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const batches = lab.batches(1, 128);
  const ownOf = (batch: (typeof batches)[number]) => lab.marks(3, lab.cut({ 1: tipOf(batch) }));
  const flood = seat.from(3, { kind: 'tipsShown', marks: batches.map(ownOf) });
  t.deepEqual(faults(flood), ['tips_shown_malformed']);
  t.is(seat.checks, 0);
  const news = { kind: 'tipsShown', marks: [ownOf(batches[9]!)] } as const;
  for (let i = 0; i < 5; i++) seat.from(3, news);
  t.is(seat.checks, 1);
});

test('I96: a branch that f + 1 report and this node lacks is fetched, and a quorum of them supports it', (t) => {
  const lab = new Lab();
  const seat = new Seat(lab);
  seat.start();
  const mine = lab.batch(1, undefined, 'for this node alone');
  const first = lab.batch(1, undefined, 'for all others');
  const second = lab.batch(1, first, 'the next of it');
  seat.batch(mine);
  const theirs = lab.cut({ 1: tipOf(second) });
  t.deepEqual(sent(seat.marks(lab.marks(2, theirs)), 'fetchBatch'), [], 'one may lie');
  seat.marks(lab.marks(3, theirs));
  const asked = sent(seat.wait(500), 'fetchBatch').map(({ message }) => message.digest);
  t.true(asked.length > 0 && asked.every((digest) => digest === second.digest));
  seat.batch(second, 2);
  seat.batch(first, 2);
  const effects = seat.marks(lab.marks(1, theirs));
  t.deepEqual(reported(effects), [-1, 1, -1, -1]);
  t.deepEqual(tells(effects, 'tipsReported').at(-1)?.tips[1], tipOf(second));
  t.deepEqual(tells(effects, 'tipsReported').at(-1)?.support[1], [1, 2, 3]);
  const own = sent(seat.wait(1000), 'marks').map(({ message }) => message.marks.tips[1]);
  t.true(own.length > 0 && own.every((tip) => tip?.digest === mine.digest), 'its own mark stays');
});
