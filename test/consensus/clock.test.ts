import test from 'ava';
import type { Effect } from '../../protocols/messages.ts';
import { chainOf, Forge, proposals, Seat, started, timeouts, tipAt } from './forge.ts';

/** Who is asked for blocks. */
const asked = (effects: readonly Effect[]): number[] =>
  effects.flatMap((effect) =>
    effect.kind === 'send' && effect.message.kind === 'fetchBlocks' ? [effect.to] : [],
  );

for (const [how, ms] of [
  ['back', -3_600_000],
  ['forward', 3_600_000],
] as const) {
  test(`I95: a clock set ${how} neither ends patience nor puts off its end`, (t) => {
    const seat = started(new Forge());
    seat.now += 1000 + ms;
    t.is(timeouts(seat.step({ kind: 'timer', timer: 'due' })).length, 0);
    seat.now += 400;
    t.is(timeouts(seat.step({ kind: 'timer', timer: 'due' })).length, 0);
    seat.now += 1200;
    t.is(timeouts(seat.step({ kind: 'timer', timer: 'due' })).length, 1);
  });

  test(`I95: a lane waits as long as it did, also when the clock is set ${how}`, (t) => {
    const seat = started(new Forge());
    const tips = [0, 1, 2, 3].map((lane) => (lane === 0 ? tipAt(0, 'batch') : tipAt(-1, '')));
    seat.step({
      kind: 'tipsReported',
      tips,
      bases: [-1, -1, -1, -1],
      support: [[0, 1, 2], [], [], []],
      executed: null,
    });
    const isShown = (): boolean =>
      seat
        .step({ kind: 'timer', timer: 'due' })
        .some((e) => e.kind === 'tell' && e.message.kind === 'showTips');
    seat.now += ms;
    t.false(isShown());
    seat.now += 249;
    t.false(isShown());
    seat.now += 1;
    t.true(isShown());
  });

  test(`I95: a leader goes on after its clock was set ${how}`, (t) => {
    const seat = new Seat(new Forge(), 0);
    const [first] = proposals(seat.start());
    seat.now += ms;
    seat.step({ kind: 'timer', timer: 'due' });
    seat.now += 5_000;
    t.is(proposals(seat.prepared(first!)).length, 1);
  });

  test(`I95: a clock set ${how} neither ends the turn of a peer nor makes it longer`, (t) => {
    const forge = new Forge();
    const seat = started(forge);
    const [peer] = asked(seat.committed(chainOf(forge, 5)[4]!));
    seat.now += ms;
    seat.step({ kind: 'timer', timer: 'due' });
    seat.now += 299;
    t.deepEqual(asked(seat.step({ kind: 'timer', timer: 'catch-up' })), []);
    seat.now += 1;
    t.deepEqual(asked(seat.step({ kind: 'timer', timer: 'catch-up' })), [peer! + 1]);
  });
}
