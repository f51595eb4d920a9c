import test from 'ava';
import { EMPTY_TIP, type Block, type Tip } from '../../protocols/types.ts';
import {
  broadcasts,
  Forge,
  proposals,
  reported,
  Seat,
  seatOf,
  started,
  timeouts,
  tipAt,
  votes,
} from './forge.ts';

test('a timeout claims the highest certificate and carries it (I37)', (t) => {
  const { forge, seat } = seatOf(3);
  const block = forge.block({});
  seat.proposeHeld(block);
  seat.prepared(block);
  const effects = seat.step({ kind: 'timeoutsJoined', term: 0 });
  const [timeout] = timeouts(effects);
  t.is(timeout?.highTerm, 0);
  t.is(timeout?.highHeight, 1);
  t.is(timeout?.highBlock, forge.digest(block));
  const sent = broadcasts(effects).find((message) => message.kind === 'timeout');
  t.is(sent?.kind === 'timeout' ? sent.highest?.block : undefined, forge.digest(block));
});

test('a timeout is durable before it is sent, and one per term (I37)', (t) => {
  const { seat } = seatOf(3);
  const output = seat.machine.step({ kind: 'timeoutsJoined', term: 0 }, seat.now);
  t.deepEqual(
    output.events.map(({ kind }) => kind),
    ['timeoutCast'],
  );
  t.is(timeouts(output.immediate).length, 0);
  t.is(timeouts(output.effects).length, 1);
  t.is(timeouts(seat.step({ kind: 'timeoutsJoined', term: 0 })).length, 0);
});

test('after a restart the timeout still claims what the commit vote stood for (I37, I33)', (t) => {
  const { forge, seat } = seatOf(3);
  const block = forge.block({});
  seat.proposeHeld(block);
  seat.prepared(block);
  const again = seat.restarted();
  again.start();
  const [timeout] = timeouts(again.step({ kind: 'timeoutsJoined', term: 0 }));
  t.is(timeout?.highHeight, 1);
});

test('a prepare vote stands on a certificate too: a crash does not forget it (I33)', (t) => {
  const { forge, seat } = seatOf(3);
  const block = forge.block({});
  seat.proposeHeld(block);
  const child = forge.child(block);
  seat.proposeHeld(child);
  const log = seat.log.filter(({ kind }) => kind !== 'commitVoted');
  const again = new Seat(
    forge,
    3,
    log.map((event, seq) => ({ ...event, seq })),
  );
  again.start();
  const [timeout] = timeouts(again.step({ kind: 'timeoutsJoined', term: 0 }));
  t.is(timeout?.highHeight, 1);
});

/** The first block of a term, and those that follow it. */
function chainOfTerm(forge: Forge, term: number, length: number): Block[] {
  const certificate = forge.timeoutCertificate(term - 1);
  const blocks = [forge.block({ term, justify: { kind: 'timeouts', certificate } })];
  while (blocks.length < length) blocks.push(forge.child(blocks.at(-1)!));
  return blocks;
}

test('a certificate of a later term moves a node there, whatever it knows of its block (I38, T2)', (t) => {
  const forge = new Forge();
  const [, second] = chainOfTerm(forge, 5, 2);
  for (const certify of ['prepared', 'committed'] as const) {
    const seat = started(forge);
    const effects = seat[certify](second!);
    t.is(seat.machine.status().term, 5, certify);
    t.true(effects.some((e) => e.kind === 'tell' && e.message.kind === 'termEntered'));
    t.is(seat.restarted().machine.status().term, 5, 'and is durable');
  }
  const [old] = chainOfTerm(forge, 1, 1);
  const seat = started(forge);
  seat.propose(old!);
  seat.step({ kind: 'timeoutCertified', certificate: forge.timeoutCertificate(1) });
  seat.committed(old!);
  t.is(seat.machine.status().finalHeight, 1);
  t.is(seat.machine.status().term, 2, 'never backwards');
});

test('the entry of a term by a commit certificate is durable before anybody hears of it (I38, P1)', (t) => {
  const { forge, seat } = seatOf(1);
  const [block] = chainOfTerm(forge, 5, 1);
  const certificate = forge.certificate('commit', block!);
  const output = seat.machine.step({ kind: 'commitCertified', certificate }, seat.now);
  t.deepEqual(
    output.events.map(({ kind }) => kind),
    ['termEntered'],
  );
  t.false(output.immediate.some((e) => e.kind === 'tell' && e.message.kind === 'termEntered'));
  const entered = seat.machine.step({ kind: 'timer', timer: 'entered/5' }, seat.now);
  t.is(proposals([...entered.immediate, ...entered.effects]).length, 0, 'others led it already');
});

test('the certificate of blocks that are fetched moves a node too, also before all are here (T2)', (t) => {
  const forge = new Forge();
  const seat = started(forge);
  const chain = chainOfTerm(forge, 5, 5);
  seat.committed(forge.block({ height: 9 }));
  t.is(seat.machine.status().term, 0);
  const certificate = forge.certificate('commit', chain[4]!);
  seat.from(0, { kind: 'blocks', blocks: chain.slice(0, 2), certificate });
  t.is(seat.machine.status().finalHeight, 0);
  t.is(seat.machine.status().term, 5);
});

test('enters a term only forward (I38)', (t) => {
  const { forge, seat } = seatOf(3);
  seat.step({ kind: 'timeoutCertified', certificate: forge.timeoutCertificate(4) });
  t.is(seat.machine.status().term, 5);
  seat.step({ kind: 'timeoutCertified', certificate: forge.timeoutCertificate(2) });
  t.is(seat.machine.status().term, 5);
});

test('hands the timeout certificate to the next leader', (t) => {
  const { forge, seat } = seatOf(3);
  const certificate = forge.timeoutCertificate(0);
  const effects = seat.step({ kind: 'timeoutCertified', certificate });
  t.true(
    effects.some((e) => e.kind === 'send' && e.to === 1 && e.message.kind === 'timeoutCertificate'),
  );
});

test('the first proposal of a term waits until the entry of the term is durable (I39, P1)', (t) => {
  const { forge, seat } = seatOf(1);
  const certificate = forge.timeoutCertificate(0);
  const output = seat.machine.step({ kind: 'timeoutCertified', certificate }, seat.now);
  t.deepEqual(
    output.events.map(({ kind }) => kind),
    ['termEntered'],
  );
  t.is(proposals([...output.immediate, ...output.effects]).length, 0);
  const entered = seat.machine.step({ kind: 'timer', timer: 'entered/1' }, seat.now);
  t.is(proposals(entered.immediate).length, 1);
});

test('the first block of a term extends the highest certificate of the timeouts (I35)', (t) => {
  const { forge, seat } = seatOf(1);
  const block = forge.block({});
  seat.proposeHeld(block);
  const certificate = forge.timeoutCertificate(0, [
    null,
    forge.certificate('prepare', block),
    null,
  ]);
  const [first] = proposals(seat.step({ kind: 'timeoutCertified', certificate }));
  t.is(first?.parent, forge.digest(block));
  t.is(first?.height, 2);
});

test('nobody waits for a tip that is not reported any more (T1)', (t) => {
  const { forge, seat } = seatOf(3);
  const tipsTo = (tip: Tip): Tip[] => [tip, EMPTY_TIP, EMPTY_TIP, EMPTY_TIP];
  const lookAgain = (): number => timeouts(seat.step({ kind: 'timer', timer: 'due' })).length;
  seat.step(reported(tipsTo(tipAt(9, 'of another branch')), [-1, -1, -1, -1]));
  seat.now += 300;
  t.is(lookAgain(), 0, 'shown to the leader');
  const block = forge.block({ cut: tipsTo(tipAt(2, 'a branch')) });
  seat.proposeHeld(block);
  seat.committed(block);
  seat.step(reported(block.cut, [2, -1, -1, -1]));
  seat.now += 600;
  t.is(lookAgain(), 0);
});

test('a restarted leader proposes nothing in its old term and lets go of it at once (I39, P2)', (t) => {
  const { seat } = seatOf(0);
  const again = seat.restarted();
  const effects = again.start();
  t.is(proposals(effects).length, 0);
  t.is(timeouts(effects).length, 1);
  again.now += 10_000;
  t.is(proposals(again.step({ kind: 'timer', timer: 'propose' })).length, 0);
});

test("proposes the next block only on the last one's prepare certificate (I39)", (t) => {
  const { forge, seat } = seatOf(0);
  const again = new Seat(forge, 0);
  const [first] = proposals(again.start());
  t.is(first?.height, 1);
  again.now += 5_000;
  t.is(proposals(again.step({ kind: 'timer', timer: 'propose' })).length, 0);
  const [second] = proposals(again.prepared(first!));
  t.is(second?.height, 2);
  t.is(second?.parent, forge.digest(first!));
  t.truthy(seat);
});

test('proposes at most 64 heights above the final block, but always the first of a term (I93)', (t) => {
  const forge = new Forge();
  const seat = new Seat(forge, 0);
  let [top] = proposals(seat.start());
  for (let next: typeof top = top; next !== undefined; [next] = proposals(seat.prepared(top!))) {
    top = next;
    seat.now += 1_000;
  }
  t.is(top?.height, 64);
  const certificate = forge.timeoutCertificate(3, [forge.certificate('prepare', top!), null, null]);
  const [first] = proposals(seat.step({ kind: 'timeoutCertified', certificate }));
  t.is(first?.height, 65);
});

test('abandons the term when no block comes within heartbeat and timeout (T1)', (t) => {
  const { seat } = seatOf(3);
  seat.now += 1400;
  t.is(timeouts(seat.step({ kind: 'timer', timer: 'due' })).length, 0);
  seat.now += 200;
  t.is(timeouts(seat.step({ kind: 'timer', timer: 'due' })).length, 1);
});

test('a lost connection to the leader shortens the timeout, a lost follower does not (T1)', (t) => {
  const { seat } = seatOf(3);
  seat.step({ kind: 'peerDisconnected', peer: 1 });
  seat.now += 200;
  t.is(timeouts(seat.step({ kind: 'timer', timer: 'due' })).length, 0);
  seat.step({ kind: 'peerConnected', peer: 1 });
  seat.step({ kind: 'peerDisconnected', peer: 0 });
  seat.now += 200;
  t.is(timeouts(seat.step({ kind: 'timer', timer: 'due' })).length, 1);
});

test('shows the leader a reported tip that it does not propose, then replaces it (T1)', (t) => {
  const { seat } = seatOf(3);
  const tips = [
    tipAt(0, 'batch'),
    ...Array.from({ length: 3 }, () => ({ ...tipAt(-1, ''), seq: -1 })),
  ];
  const support = [[0, 1, 2], [], [], []];
  seat.step({ kind: 'tipsReported', tips, bases: [-1, -1, -1, -1], support, executed: null });
  seat.now += 300;
  const effects = seat.step({ kind: 'timer', timer: 'due' });
  t.true(effects.some((e) => e.kind === 'tell' && e.message.kind === 'showTips'));
  t.is(timeouts(effects).length, 0, 'it was only just shown');
  seat.now += 499;
  t.is(timeouts(seat.step({ kind: 'timer', timer: 'due' })).length, 0);
  seat.now += 2;
  t.is(timeouts(seat.step({ kind: 'timer', timer: 'due' })).length, 1);
});

test('an executed state is due once q validators report it, not before: nodes may replay (T1)', (t) => {
  const { forge, seat } = seatOf(3);
  const { executed: nothing } = forge.block({});
  const at = (height: number): typeof nothing => ({
    ...nothing,
    height,
    stateRoot: tipAt(0, `state ${height}`).digest,
  });
  const wait = (): number => {
    seat.step({ kind: 'timer', timer: 'due' });
    seat.now += 600;
    return timeouts(seat.step({ kind: 'timer', timer: 'due' })).length;
  };
  for (const height of [16, 32, 48]) {
    seat.step({ kind: 'checkpointExecuted', executed: at(height) });
  }
  t.is(wait(), 0);
  seat.step({ kind: 'tipsReported', tips: [], bases: [], support: [], executed: at(48) });
  t.is(wait(), 1);
});

test('timeouts double with each failed term and fall back on progress (T5)', (t) => {
  const { forge, seat } = seatOf(3);
  t.is(seat.machine.status().timeoutMs, 500);
  seat.step({ kind: 'timeoutCertified', certificate: forge.timeoutCertificate(0) });
  t.is(seat.machine.status().timeoutMs, 1000);
  seat.step({ kind: 'timeoutCertified', certificate: forge.timeoutCertificate(1) });
  t.is(seat.machine.status().timeoutMs, 2000);
  const block = forge.block({
    term: 2,
    justify: { kind: 'timeouts', certificate: forge.timeoutCertificate(1) },
  });
  seat.proposeHeld(block);
  seat.committed(block);
  t.is(seat.machine.status().timeoutMs, 500);
});

test('says again its timeout, undecided votes and certificates to a peer that reconnects (T3)', (t) => {
  const { forge, seat } = seatOf(3);
  const block = forge.block({});
  const [prepare] = votes(seat.proposeHeld(block), 'prepare');
  seat.prepared(block);
  const [timeout] = timeouts(seat.step({ kind: 'timeoutsJoined', term: 0 }));
  const again = seat.restarted();
  again.start();
  const sent = again
    .step({ kind: 'peerConnected', peer: 1 })
    .flatMap((e) => (e.kind === 'send' ? [e.message] : []));
  t.true(
    sent.some(
      (m) => m.kind === 'vote' && m.vote.block === prepare?.block && m.vote.kind === 'prepare',
    ),
  );
  t.true(sent.some((m) => m.kind === 'vote' && m.vote.kind === 'commit'));
  t.true(sent.some((m) => m.kind === 'timeout' && m.timeout.term === timeout?.term));
});
