/** Named timers on Node's. */
import testInTurn from 'ava';
import { Timers } from '../../actors/timers.ts';

/** One after the other: one of them sets the clock. */
const test = testInTurn.serial;

interface Fired {
  readonly timer: string;
  readonly at: number;
}

/** Timers whose firings can be awaited one by one. */
function newTimers() {
  const fired: Fired[] = [];
  let wake: (() => void) | null = null;
  const timers = new Timers((timer) => {
    fired.push({ timer, at: Date.now() });
    wake?.();
  });
  const next = async (): Promise<Fired> => {
    while (fired.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    return fired.shift()!;
  };
  return { timers, fired, next };
}

test('I22: fires once, at its newest time and never before', async (t) => {
  const { timers, fired, next } = newTimers();
  const at = Date.now() + 30;
  timers.set('a', at - 25);
  timers.set('a', at);
  timers.set('b', at + 5);
  const first = await next();
  t.is(first.timer, 'a');
  t.true(first.at >= at);
  t.is((await next()).timer, 'b');
  t.deepEqual(fired, [], 'the first time of a was moved, not added');
});

test('I22: a cleared timer does not fire, nor any after the end', async (t) => {
  const { timers, fired, next } = newTimers();
  const at = Date.now() + 5;
  timers.set('cleared', at);
  timers.clear('cleared');
  timers.set('later', at + 10);
  t.is((await next()).timer, 'later');
  t.deepEqual(fired, []);
  const other = newTimers();
  other.timers.set('ended', at);
  other.timers.end();
  other.timers.set('after the end', at);
  timers.set('witness', Date.now() + 20);
  await next();
  t.deepEqual(other.fired, []);
});

test('I22: a clock set back, by any span, does not put a timer off', async (t) => {
  const { timers, fired, next } = newTimers();
  const wall = Date.now;
  t.teardown(() => void (Date.now = wall));
  timers.set('short', wall() + 20);
  timers.set('long', wall() + 60);
  Date.now = () => wall() - 3_600_000;
  t.is((await next()).timer, 'short');
  Date.now = () => wall() - 40;
  t.is((await next()).timer, 'long');
  timers.set('again', Date.now() + 10);
  t.is((await next()).timer, 'again');
  t.deepEqual(fired, []);
});

test('I22: a time further away than Node can wait is not taken for now', async (t) => {
  const { timers, fired, next } = newTimers();
  timers.set('far', Date.now() + 2 ** 33);
  timers.set('near', Date.now() + 10);
  t.is((await next()).timer, 'near');
  t.deepEqual(fired, []);
  timers.end();
});
