/** A node that is connected to too few for a quorum. */
import test from 'ava';
import { Forge, Seat, seatOf, timeouts } from './forge.ts';

/** Time passes in steps, not as a clock that is set (I95). How often the node gave up meanwhile. */
function pass(seat: Seat, ms: number): number {
  let given = 0;
  for (const end = seat.now + ms; seat.now < end;) {
    seat.now = Math.min(end, seat.now + 100);
    given += timeouts(seat.step({ kind: 'timer', timer: 'due' })).length;
  }
  return given;
}

test('I105: a node that starts before the others does not give up on the term without them', (t) => {
  const seat = new Seat(new Forge(), 3);
  seat.start();
  seat.step({ kind: 'peerConnected', peer: 1 });
  t.is(pass(seat, 60_000), 0, 'two of four');
  t.is(seat.machine.status().state, 'CANDIDATE');
  t.is(timeouts(seat.step({ kind: 'peerConnected', peer: 0 })).length, 0);
  t.is(seat.machine.status().state, 'FOLLOWER');
  t.is(pass(seat, 1400), 0, 'patience begins now');
  t.is(pass(seat, 200), 1);
});

test('I105: a leader without a quorum does not say that it leads', (t) => {
  const { seat } = seatOf(0);
  t.is(seat.machine.status().state, 'LEADER');
  for (const peer of [1, 2]) seat.step({ kind: 'peerDisconnected', peer });
  t.is(seat.machine.status().state, 'CANDIDATE');
  seat.step({ kind: 'peerConnected', peer: 2 });
  t.is(seat.machine.status().state, 'LEADER');
});

test('I105: who is cut off from all keeps what was left of its patience', (t) => {
  const { seat } = seatOf(3);
  t.is(pass(seat, 1000), 0);
  for (const peer of [0, 1]) seat.step({ kind: 'peerDisconnected', peer });
  t.is(pass(seat, 60_000), 0);
  for (const peer of [1, 0]) seat.step({ kind: 'peerConnected', peer });
  t.is(pass(seat, 400), 0);
  t.is(pass(seat, 100), 1);
});
