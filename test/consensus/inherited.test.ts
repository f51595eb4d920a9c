/** What a new leader proposes on top of a block that others left it. */
import test from 'ava';
import { EMPTY_TIP, type Block } from '../../protocols/types.ts';
import { proposals, reported, seatOf, tipAt, type Forge, type Seat } from './forge.ts';

/** Leader 1 comes after a term that left `parent` prepared, which names seq 2 of lane 0. */
function inheriting(): { forge: Forge; seat: Seat; parent: Block; lead(): Block[] } {
  const { forge, seat } = seatOf(1);
  const parent = forge.block({ cut: [tipAt(2, 'a branch'), EMPTY_TIP, EMPTY_TIP, EMPTY_TIP] });
  seat.proposeHeld(parent);
  const certificate = forge.timeoutCertificate(0, [
    null,
    forge.certificate('prepare', parent),
    null,
  ]);
  return {
    forge,
    seat,
    parent,
    lead: () => proposals(seat.step({ kind: 'timeoutCertified', certificate })),
  };
}

test('in a new term no lane moves until it is reported from what was inherited on (B3)', (t) => {
  const { seat, parent, lead } = inheriting();
  seat.step(
    reported([tipAt(3, 'of another one'), EMPTY_TIP, EMPTY_TIP, EMPTY_TIP], [-1, -1, -1, -1]),
  );
  const [first] = lead();
  t.deepEqual(first?.cut, parent.cut);
  t.deepEqual(proposals(seat.prepared(first!)), [], 'the next one waits');
  t.deepEqual(proposals(seat.committed(first!)), [], 'what was reported before is no better now');
  seat.now += 1_000;
  const [heartbeat] = proposals(seat.step({ kind: 'timer', timer: 'propose' }));
  t.deepEqual(heartbeat?.cut, parent.cut);
  seat.prepared(heartbeat!);
  const tips = [tipAt(3, 'of the branch'), EMPTY_TIP, EMPTY_TIP, EMPTY_TIP];
  t.deepEqual(proposals(seat.step(reported(tips, [2, -1, -1, -1])))[0]?.cut, tips);
});

test('what was inherited holds no other lane back, and none once it is settled (B3)', (t) => {
  const other = inheriting();
  const [, , ...rest] = other.parent.cut;
  const stale = [tipAt(3, 'of another one'), tipAt(0, 'of lane 1'), ...rest];
  other.seat.step(reported(stale, [-1, -1, -1, -1]));
  t.deepEqual(other.lead()[0]?.cut, [other.parent.cut[0], stale[1], ...rest]);
  const settled = inheriting();
  const tips = [tipAt(3, 'of the branch'), EMPTY_TIP, EMPTY_TIP, EMPTY_TIP];
  settled.seat.step(reported(tips, [2, -1, -1, -1]));
  const [first] = settled.lead();
  t.deepEqual(first?.cut, tips);
  const more = [tipAt(4, 'of the branch'), EMPTY_TIP, EMPTY_TIP, EMPTY_TIP];
  settled.seat.step(reported(more, [2, -1, -1, -1]));
  const [second] = proposals(settled.seat.prepared(first!));
  t.deepEqual(second?.cut, more, 'on the prepare certificate alone');
});
