/** A leader that lets go of its term: rule T4. */
import test from 'ava';
import { broadcasts, faults, Forge, proposals, Seat, seatOf, timeouts } from './forge.ts';

test("a leader's hand-over is acted on at once and travels in the timeout (T4)", (t) => {
  const { forge, seat } = seatOf(3);
  const handOver = forge.handOver(0);
  const effects = seat.from(2, { kind: 'handOver', handOver });
  const sent = broadcasts(effects).find((message) => message.kind === 'timeout');
  t.deepEqual(sent?.kind === 'timeout' ? sent.handOver : undefined, handOver);
});

test('a hand-over that the leader did not sign is a fault of who says it (T4)', (t) => {
  const { forge, seat } = seatOf(3);
  const forged = seat.from(2, { kind: 'handOver', handOver: forge.handOver(0, 2) });
  t.is(timeouts(forged).length, 0);
  t.deepEqual(faults(forged), ['bad_hand_over']);
  const other = seat.step({ kind: 'handOverSeen', from: 2, handOver: forge.handOver(1) });
  t.is(timeouts(other).length, 0);
  t.deepEqual(faults(other), []);
});

test('a draining leader hands over once nothing is in flight (T4)', (t) => {
  const forge = new Forge();
  const seat = new Seat(forge, 0);
  const [first] = proposals(seat.start());
  t.is(broadcasts(seat.step({ kind: 'drain' })).filter((m) => m.kind === 'handOver').length, 0);
  t.is(proposals(seat.prepared(first!)).length, 0, 'takes on nothing new');
  const effects = seat.committed(first!);
  t.is(broadcasts(effects).filter((m) => m.kind === 'handOver').length, 1);
  t.true(seat.machine.status().drained);
});
