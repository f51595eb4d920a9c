import test from 'ava';
import type { Executed } from '../../protocols/types.ts';
import { Forge, Seat, faults, tipAt, votes, T0 } from './forge.ts';

function follower(): { forge: Forge; seat: Seat } {
  const forge = new Forge();
  const seat = new Seat(forge, 3);
  seat.start();
  return { forge, seat };
}

test('votes for the first block of term 0 once its batches are durable here (I35, I36)', (t) => {
  const { forge, seat } = follower();
  const block = forge.block({});
  t.is(votes(seat.propose(block), 'prepare').length, 0);
  const cast = votes(seat.step({ kind: 'cutHeld', block: forge.digest(block) }), 'prepare');
  t.is(cast.length, 1);
  t.is(cast[0]?.block, forge.digest(block));
  t.true(cast[0]?.first);
});

test('a prepare vote is in the log with its block before it leaves (I30)', (t) => {
  const { forge, seat } = follower();
  const block = forge.block({});
  seat.propose(block);
  const output = seat.machine.step({ kind: 'cutHeld', block: forge.digest(block) }, seat.now);
  t.deepEqual(
    output.events.map(({ kind }) => kind),
    ['prepareVoted'],
  );
  t.is(votes(output.immediate, 'prepare').length, 0);
  t.is(votes(output.effects, 'prepare').length, 1);
});

test('refuses a second prepare vote in the same term and height (I30)', (t) => {
  const { forge, seat } = follower();
  t.is(votes(seat.proposeHeld(forge.block({})), 'prepare').length, 1);
  t.is(votes(seat.proposeHeld(forge.block({ timestamp: T0 + 1001 })), 'prepare').length, 0);
});

test('refuses a second first block in a term, at whatever height (I31)', (t) => {
  const forge = new Forge();
  const seat = new Seat(forge, 3);
  seat.start();
  const root = forge.block({});
  seat.proposeHeld(root);
  seat.prepared(root);
  const low = forge.timeoutCertificate(0, [null, null, null]);
  const high = forge.timeoutCertificate(0, [forge.certificate('prepare', root), null, null]);
  const one = forge.block({ term: 1, justify: { kind: 'timeouts', certificate: low } });
  t.is(votes(seat.proposeHeld(one), 'prepare').length, 1);
  const two = forge.block({
    term: 1,
    height: 2,
    parent: forge.digest(root),
    justify: { kind: 'timeouts', certificate: high },
    timestamp: T0 + 1002,
  });
  t.is(votes(seat.proposeHeld(two), 'prepare').length, 0);
});

test('a restart does not make it vote again (I30, I31)', (t) => {
  const { forge, seat } = follower();
  seat.proposeHeld(forge.block({}));
  const again = seat.restarted();
  again.start();
  t.is(votes(again.proposeHeld(forge.block({ timestamp: T0 + 1001 })), 'prepare').length, 0);
});

test('does not vote in a term that it abandoned, also after a restart (I32)', (t) => {
  const { forge, seat } = follower();
  seat.step({ kind: 'timeoutsJoined', term: 0 });
  t.is(votes(seat.proposeHeld(forge.block({})), 'prepare').length, 0);
  const again = seat.restarted();
  again.start();
  t.is(votes(again.proposeHeld(forge.block({})), 'prepare').length, 0);
});

test('does not vote in a term that it has not entered (I32)', (t) => {
  const { forge, seat } = follower();
  const root = forge.block({});
  seat.proposeHeld(root);
  const stray = forge.block({ term: 1, justify: { kind: 'epoch' } });
  t.true(faults(seat.proposeHeld(stray)).includes('unjustified_block'));
});

test('casts a commit vote on a prepare certificate, logged with it (I34)', (t) => {
  const { forge, seat } = follower();
  const block = forge.block({});
  seat.proposeHeld(block);
  const certificate = forge.certificate('prepare', block);
  const output = seat.machine.step(
    { kind: 'prepareCertified', certificate, lastVoted: [] },
    seat.now,
  );
  t.deepEqual(
    output.events.map(({ kind }) => kind),
    ['commitVoted'],
  );
  t.is(votes(output.effects, 'commit').length, 1);
});

test('casts no commit vote in an abandoned term (I32, I34)', (t) => {
  const { forge, seat } = follower();
  const block = forge.block({});
  seat.proposeHeld(block);
  seat.step({ kind: 'timeoutsJoined', term: 0 });
  t.is(votes(seat.prepared(block), 'commit').length, 0);
});

test('casts no commit vote on a certificate of an older term (I34)', (t) => {
  const { forge, seat } = follower();
  const block = forge.block({});
  seat.proposeHeld(block);
  seat.step({ kind: 'timeoutCertified', certificate: forge.timeoutCertificate(0) });
  t.is(votes(seat.prepared(block), 'commit').length, 0);
});

test('a certificate of a higher term moves a lagging node there, and it votes to commit (T2)', (t) => {
  const { forge, seat } = follower();
  const certificate = forge.timeoutCertificate(0);
  const block = forge.block({ term: 1, justify: { kind: 'timeouts', certificate } });
  t.is(votes(seat.prepared(block), 'commit').length, 1);
  t.is(seat.machine.status().term, 1);
});

const tip = tipAt(0, 'batch');
const cut = [tip, ...forgeCut(3)];
function forgeCut(n: number): { seq: number; digest: typeof tip.digest }[] {
  return Array.from({ length: n }, () => ({
    seq: -1,
    digest: '0'.repeat(64) as typeof tip.digest,
  }));
}
const claimed: Executed = {
  height: 16,
  stateRoot: tip.digest,
  receiptsRoot: tip.digest,
  pendingSet: '0'.repeat(64) as typeof tip.digest,
};

const unacceptable: readonly [string, Parameters<Forge['child']>[1]][] = [
  ['a cut that goes back', { cut: forgeCut(4) }],
  ['another batch at the same seq', { cut: [tipAt(0, 'other'), ...forgeCut(3)] }],
  ['a cut of the wrong width', { cut: forgeCut(3) }],
  ['a time that is not after its parent', { timestamp: T0 + 1000 }],
  ['a time too far ahead', { timestamp: T0 + 60_000 }],
  ['an executed state that it did not compute', { executed: claimed }],
  ['the end of an epoch that no change asked for', { endsEpoch: tip.digest }],
];

for (const [what, fields] of unacceptable) {
  test(`does not vote for a block with ${what} (I36)`, (t) => {
    const { forge, seat } = follower();
    const parent = forge.block({ cut });
    seat.proposeHeld(parent);
    t.is(votes(seat.proposeHeld(forge.child(parent, fields)), 'prepare').length, 0);
    t.is(votes(seat.proposeHeld(forge.child(parent)), 'prepare').length, 1, 'the same without it');
  });
}

test('votes for an executed state that it computed too, however late (I36)', (t) => {
  const { forge, seat } = follower();
  const parent = forge.block({});
  seat.proposeHeld(parent);
  t.is(votes(seat.proposeHeld(forge.child(parent, { executed: claimed })), 'prepare').length, 0);
  const late = seat.step({ kind: 'checkpointExecuted', executed: claimed });
  t.is(votes(late, 'prepare').length, 1);
});

test('votes at most 64 heights above its final block, but for a first block anywhere (I93)', (t) => {
  const { forge, seat } = follower();
  let top = forge.block({});
  t.is(votes(seat.proposeHeld(top), 'prepare').length, 1);
  for (let height = 2; height <= 64; height++) {
    top = forge.child(top);
    t.is(votes(seat.proposeHeld(top), 'prepare').length, 1, `height ${height}`);
  }
  const above = forge.child(top);
  t.is(votes(seat.proposeHeld(above), 'prepare').length, 0);
  const certificate = forge.timeoutCertificate(0, [
    forge.certificate('prepare', above),
    null,
    null,
  ]);
  const first = forge.block({
    term: 1,
    height: 66,
    parent: forge.digest(above),
    justify: { kind: 'timeouts', certificate },
    timestamp: T0 + 2_000,
  });
  t.is(votes(seat.proposeHeld(first), 'prepare').length, 1);
});

test('takes the first block of a term at any height, others near its final block (I93)', (t) => {
  const { forge, seat } = follower();
  const far = forge.block({ height: 5_000 });
  t.is(seat.propose(forge.child(far)).length, 0);
  const certificate = forge.timeoutCertificate(0, [forge.certificate('prepare', far), null, null]);
  const justify = { kind: 'timeouts', certificate } as const;
  const first = forge.block({ term: 1, height: 5_001, parent: forge.digest(far), justify });
  t.true(
    seat.propose(first).some((e) => e.kind === 'send' && e.message.kind === 'fetchBlock'),
    'its parent is asked for',
  );
  t.is(seat.machine.status().term, 1);
});

test("refuses a block that its term's leader did not sign", (t) => {
  const { forge, seat } = follower();
  t.true(faults(seat.proposeHeld(forge.block({}, 1))).includes('bad_block_signature'));
});

test('refuses a child whose certificate lacks a quorum of valid votes (I3, I35)', (t) => {
  const { forge, seat } = follower();
  const parent = forge.block({});
  seat.proposeHeld(parent);
  const good = forge.certificate('prepare', parent);
  const bad = [
    { ...good, votes: good.votes.slice(0, 2) },
    { ...good, votes: [good.votes[0]!, good.votes[0]!, good.votes[1]!] },
    {
      ...good,
      votes: good.votes.map(({ voter }) => ({ voter, signature: good.votes[0]!.signature })),
    },
    forge.certificate('commit', parent),
  ];
  for (const certificate of bad) {
    const child = forge.child(parent, { justify: { kind: 'certificate', certificate } });
    t.true(faults(seat.proposeHeld(child)).includes('unjustified_block'));
  }
});

test('refuses a first block that does not extend the highest certificate of its timeouts (I35)', (t) => {
  const { forge, seat } = follower();
  const root = forge.block({});
  seat.proposeHeld(root);
  const certificate = forge.timeoutCertificate(0, [forge.certificate('prepare', root), null, null]);
  const beside = forge.block({ term: 1, justify: { kind: 'timeouts', certificate } });
  t.true(faults(seat.proposeHeld(beside)).includes('unjustified_block'));
});

test('refuses a timeout certificate that hides its highest claim (I4)', (t) => {
  const { forge, seat } = follower();
  const root = forge.block({});
  const honest = forge.timeoutCertificate(0, [forge.certificate('prepare', root), null, null]);
  const certificate = { ...honest, highest: null };
  const block = forge.block({ term: 1, justify: { kind: 'timeouts', certificate } });
  t.true(faults(seat.proposeHeld(block)).includes('unjustified_block'));
});
