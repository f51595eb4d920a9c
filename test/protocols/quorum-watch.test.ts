import test from 'ava';
import fc from 'fast-check';
import { LOOK_GAP_MS_MAX, QuorumWatch } from '../../protocols/quorum-watch.ts';

const ALL = [1, 2, 3];
const EVERY_MS = 250;

/** A node of four, which looks on while time passes. */
class Watched {
  readonly watch = new QuorumWatch(4, 3, 0);
  now = 5_000;
  height = 0;
  connected: readonly number[] = ALL;
  baseTimeoutMs = 1_000;

  look(): void {
    const { connected, height: finalHeight, baseTimeoutMs } = this;
    this.watch.look(this.now, { connected, finalHeight, baseTimeoutMs });
  }

  /** Looks on for so long. A new height each time, unless all stands still. */
  pass(ms: number, isStill = false): this {
    for (const end = this.now + ms; this.now < end;) {
      this.now += EVERY_MS;
      if (!isStill) this.height++;
      this.look();
    }
    return this;
  }

  get isLost(): boolean {
    return this.watch.lostSince !== null;
  }
}

test('one validator less is no loss, nor is a leader that is replaced within some seconds (I143)', (t) => {
  const watched = new Watched().pass(1_000);
  watched.connected = [1, 2];
  t.false(watched.pass(60_000).isLost);
  t.false(watched.pass(4_000, true).isLost, 'two leaders in a row');
  t.false(watched.pass(1_000).isLost);
});

test('too few connected for some time is a loss, and for a moment is none (I143)', (t) => {
  const watched = new Watched().pass(1_000);
  for (let round = 0; round < 10; round++) {
    watched.connected = [1];
    t.false(watched.pass(1_500, true).isLost);
    watched.connected = [1, 2];
    t.false(watched.pass(250).isLost);
  }
  watched.connected = [1];
  const since = watched.now + EVERY_MS;
  t.true(watched.pass(2_500, true).isLost);
  t.is(watched.watch.lostSince, since);
  t.deepEqual([...watched.watch.unheard.keys()], [3, 2], 'the longest first');
  t.is(watched.watch.unheard.get(2), since);
});

test('enough connected of whom nothing becomes final are a loss, later where terms take longer (I143)', (t) => {
  for (const [baseTimeoutMs, patienceMs] of [
    [1_000, 10_000],
    [5_000, 20_000],
  ] as const) {
    const watched = new Watched().pass(1_000);
    watched.baseTimeoutMs = baseTimeoutMs;
    t.false(watched.pass(patienceMs - EVERY_MS, true).isLost);
    t.true(watched.pass(EVERY_MS, true).isLost);
    t.is(watched.watch.unheard.size, 0);
  }
  t.true(new Watched().pass(10_500, true).isLost, 'also before the first block');
});

test('a quorum is back once it is connected and made something final, not before (I144)', (t) => {
  const watched = new Watched().pass(1_000);
  watched.connected = [];
  t.true(watched.pass(3_000, true).isLost);
  watched.connected = [1];
  for (let look = 0; look < 9; look++) {
    t.true(watched.pass(EVERY_MS).isLost, 'what one peer tells may be final since long');
  }
  watched.connected = [];
  watched.pass(EVERY_MS, true).connected = ALL;
  t.true(watched.pass(EVERY_MS, true).isLost, 'nor does what was learned without it count');
  t.false(watched.pass(EVERY_MS).isLost);
  t.false(watched.pass(9_000, true).isLost, 'and patience begins anew');

  const other = new Watched().pass(1_000);
  other.connected = [1];
  other.pass(3_000, true).connected = ALL;
  for (let look = 0; look < 60; look++) {
    t.true(other.pass(EVERY_MS, true).isLost, 'a connection promises nothing');
  }
  t.false(other.pass(EVERY_MS).isLost);
});

test('a node that was frozen blames nobody for that time (I145)', (t) => {
  for (const connected of [ALL, [1]]) {
    const watched = new Watched().pass(1_000);
    watched.connected = connected;
    watched.pass(1_000, true);
    watched.now += 3_600_000;
    watched.look();
    t.false(watched.isLost);
    t.is(watched.pass(750, true).isLost, false);
    t.is(watched.pass(9_000, true).isLost, true);
  }
});

test('whatever is seen, what is lost was lost for long, and a quorum that works is never lost (I143, I144)', (t) => {
  const step = fc.record({
    ms: fc.integer({ min: 1, max: LOOK_GAP_MS_MAX }),
    connected: fc.subarray([1, 2, 3]),
    grows: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const watched = new Watched().pass(250);
      let workedAt = watched.now;
      for (const { ms, connected, grows } of steps) {
        watched.now += ms;
        watched.connected = connected;
        if (grows) watched.height++;
        watched.look();
        const works = connected.length >= 2 && grows;
        if (works) workedAt = watched.now;
        if (works) t.false(watched.isLost);
        if (watched.isLost) t.true(watched.now - workedAt >= 2_000);
      }
    }),
  );
});
