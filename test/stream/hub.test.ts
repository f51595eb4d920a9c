import test from 'ava';
import fc from 'fast-check';
import { SILENT_MS_MAX } from '../../src/http/channel.ts';
import { STREAM_LIMITS } from '../../src/stream/hub.ts';
import { after } from '../../src/stream/position.ts';
import { EVERYTHING, FakeClock, FakeOutlet, FakeSource, HALF, hubOf, type Made } from './fake.ts';

const START = { height: 1, index: 0 };

/** Adds heights with so many items, and executes them. */
function execute({ hub }: Made, source: FakeSource, ...counts: readonly number[]): void {
  for (const count of counts) hub.executed(source.add(count), count);
}

test('gives every item once and in order, to those who were there and to those who come later', async (t) => {
  const source = new FakeSource();
  const made = hubOf(source);
  const early = new FakeOutlet();
  made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet: early });
  execute(made, source, 3, 0, 8, 1);
  await made.clock.pass(500);
  execute(made, source, 0, 5);
  const late = new FakeOutlet();
  made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet: late });
  await made.clock.pass(500);
  t.deepEqual(early.ids, source.ids());
  t.deepEqual(late.ids, source.ids());
});

// S7
test('whoever resumes where it was cut off, under whatever filter, gets what follows and nothing else', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 6 }),
      fc.constantFrom(EVERYTHING, HALF),
      fc.integer({ min: 1, max: 4 }),
      fc.constantFrom(1, 2, Infinity),
      async (counts, cuts, filter, partMax, atOnce) => {
        const source = new FakeSource({ partMax });
        const made = hubOf(source);
        execute(made, source, ...counts);
        const got: string[] = [];
        let from = START;
        for (const cut of [...cuts, Infinity]) {
          const outlet = new FakeOutlet();
          outlet.atOnce = atOnce;
          const { end } = made.hub.subscribe('a', { from, filter, outlet });
          await made.clock.pass(3_000);
          end();
          // What it has seen when its connection breaks, progress included.
          const seen = outlet.items.slice(0, cut);
          got.push(
            ...seen
              .map(({ value }) => value as { id: string; kind: string })
              .filter(({ kind }) => kind === 'event')
              .map(({ id }) => id),
          );
          from = seen.length === 0 ? from : after(seen.at(-1)!.id)!;
        }
        const wanted = source
          .ids()
          .filter((id) => filter === EVERYTHING || Number(id.split('.')[1]) % 2 === 0);
        t.deepEqual(got, wanted);
      },
    ),
    { numRuns: 60 },
  );
});

test('a place beyond the last item of its height goes on with the next height', async (t) => {
  const source = new FakeSource();
  const made = hubOf(source);
  execute(made, source, 2, 2);
  const outlet = new FakeOutlet();
  made.hub.subscribe('a', { from: { height: 1, index: 99 }, filter: EVERYTHING, outlet });
  await made.clock.pass(500);
  t.deepEqual(outlet.ids, ['2.0', '2.1']);
});

test('waits for a height that is not executed yet, and asks the log for nothing meanwhile', async (t) => {
  const source = new FakeSource();
  const made = hubOf(source);
  execute(made, source, 1);
  const outlet = new FakeOutlet();
  made.hub.subscribe('a', { from: { height: 3, index: 0 }, filter: EVERYTHING, outlet });
  await made.clock.pass(60_000);
  t.deepEqual(source.reads, []);
  execute(made, source, 1, 1);
  await made.clock.pass(500);
  t.deepEqual(outlet.ids, ['3.0']);
});

test('asks ever more rarely for what is executed and not in the log', async (t) => {
  const source = new FakeSource();
  const made = hubOf(source);
  source.late = 1;
  const outlet = new FakeOutlet();
  made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet });
  execute(made, source, 1);
  await made.clock.pass(10_000);
  t.deepEqual(outlet.ids, []);
  t.true(source.reads.length < 40);
  source.late = 0;
  await made.clock.pass(1_000);
  t.deepEqual(outlet.ids, ['1.0']);
});

test('many who are at the same place share what is read', async (t) => {
  const source = new FakeSource();
  const made = hubOf(source);
  const outlets = Array.from({ length: 50 }, () => new FakeOutlet());
  for (const outlet of outlets) {
    made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet });
  }
  execute(made, source, 1, 1, 1, 1);
  await made.clock.pass(500);
  t.deepEqual(source.reads, [1]);
  for (const outlet of outlets) t.deepEqual(outlet.ids, source.ids());
});

// S6
test('what is held is bounded, and those at different places all get on', async (t) => {
  const source = new FakeSource();
  const mebibyte = 1024 * 1024;
  source.bytesPerHeight = 2 * mebibyte;
  source.weightPerItem = 3 * mebibyte;
  const made = hubOf(source);
  execute(made, source, ...Array.from({ length: 60 }, () => 2));
  const outlets = Array.from({ length: 10 }, () => new FakeOutlet());
  const members = outlets.map((outlet, at) =>
    made.hub.subscribe('a', { from: { height: 1 + 5 * at, index: 0 }, filter: EVERYTHING, outlet }),
  );
  const newest = new FakeOutlet();
  const from = { height: 60, index: 0 };
  members.push(made.hub.subscribe('a', { from, filter: EVERYTHING, outlet: newest }));
  // The page of the newest place is the first or the second to be read.
  await made.clock.pass(60);
  t.deepEqual(newest.ids, ['60.0', '60.1']);
  let mostBytes = 0;
  for (let times = 0; times < 1_000; times++) {
    await made.clock.pass(20);
    mostBytes = Math.max(mostBytes, made.hub.figures().heldBytes);
  }
  t.true(mostBytes <= (16 + 32 + 8 + 6) * mebibyte, `${mostBytes}`);
  for (const [at, outlet] of outlets.entries()) {
    t.deepEqual(outlet.ids, source.ids().slice(2 * 5 * at));
  }
  for (const { end } of members) end();
  t.is(made.hub.figures().heldBytes, 0);
});

// S8
test('an outlet that takes nothing holds no more than its bound and one batch', async (t) => {
  const source = new FakeSource({ partMax: 1_000 });
  const made = hubOf(source, { outletBytesMax: 100 });
  execute(made, source, 1_000, 1_000);
  const outlet = new FakeOutlet(0);
  const { resume } = made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet });
  await made.clock.pass(2_000);
  t.true(outlet.items.length >= 100 && outlet.items.length < 164);
  for (let times = 0; times < 100; times++) {
    outlet.take(50);
    resume();
    await made.clock.pass(100);
    t.true(outlet.waitingBytes() < 164);
  }
  t.deepEqual(outlet.ids, source.ids());
});

test('who takes nothing for too long is told where to resume; who takes a little is not', async (t) => {
  const source = new FakeSource();
  const made = hubOf(source, { outletBytesMax: 10, stallMsMax: 5_000 });
  execute(made, source, ...Array.from({ length: 100 }, () => 5));
  const slow = new FakeOutlet(0);
  const still = new FakeOutlet(0);
  const { resume } = made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet: slow });
  made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet: still });
  for (let times = 0; times < 10; times++) {
    await made.clock.pass(2_000);
    slow.take(1);
    resume();
  }
  t.is(slow.ending, null);
  t.like(still.ending, { code: 'slow_consumer', resume: still.ids.at(-1) });
  t.like(made.hub.figures(), { subscribers: 1, closedSlow: 1 });
});

test('who takes nothing is told before a binding gives it up', (t) => {
  const { stallMsMax, progressMs } = STREAM_LIMITS;
  // uWebSockets.js: ten seconds, counted in steps of four.
  t.true(stallMsMax + progressMs < 8_000);
  t.true(stallMsMax + progressMs < SILENT_MS_MAX);
});

test('says how far it is at most once a second, and keeps the line open', async (t) => {
  const source = new FakeSource();
  const made = hubOf(source);
  const outlet = new FakeOutlet();
  made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet });
  t.deepEqual(
    outlet.items.map(({ value }) => value),
    [{ id: '0', kind: 'progress', height: 0 }],
  );
  for (let height = 1; height <= 50; height++) {
    execute(made, source, 0);
    await made.clock.pass(100);
  }
  t.true(outlet.items.length >= 5 && outlet.items.length <= 6);
  t.is(outlet.keptAlive, 0);
  await made.clock.pass(20_000);
  t.like(outlet.items.at(-1)!.value, { id: '50', kind: 'progress', height: 50 });
  t.true(outlet.keptAlive > 3);
});

// S5
test('takes a fifth of the time, whatever there is to do', async (t) => {
  const clock = new FakeClock();
  let workedMs = 0;
  const source = new FakeSource({
    partMax: 1,
    pageMax: 1_000,
    cost: () => {
      workedMs += 1;
      clock.spend(1);
    },
  });
  const made = hubOf(source, {}, clock);
  execute(made, source, ...Array.from({ length: 1_000 }, () => 2));
  const outlet = new FakeOutlet();
  made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet });
  await clock.pass(5_000);
  t.true(workedMs > 800 && workedMs <= 1_010, `${workedMs}`);
});

// S9
test('takes as many as its limits say, from one address and on the whole', (t) => {
  const source = new FakeSource();
  const { hub } = hubOf(source, { streamsMax: 3, streamsPerAddressMax: 2 });
  const interest = { from: START, filter: EVERYTHING };
  const first = hub.subscribe('a', { ...interest, outlet: new FakeOutlet() });
  hub.subscribe('a', { ...interest, outlet: new FakeOutlet() });
  t.is(hub.refusal('a'), 'too_many_streams_of_address');
  t.is(hub.refusal('b'), null);
  hub.subscribe('b', { ...interest, outlet: new FakeOutlet() });
  t.is(hub.refusal('b'), 'too_many_streams');
  first.end();
  first.end();
  t.is(hub.refusal('a'), null);
  t.is(hub.figures().subscribers, 2);
});

test('waits while the log is away, and ends streams whose log cannot be read', async (t) => {
  const source = new FakeSource();
  const made = hubOf(source);
  const outlet = new FakeOutlet();
  made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet });
  source.failure = new Error('away');
  t.is(await made.hub.newest(), 'unavailable');
  execute(made, source, 1);
  await made.clock.pass(5_000);
  t.is(outlet.ending, null);
  source.failure = null;
  await made.clock.pass(1_000);
  t.deepEqual(outlet.ids, ['1.0']);
  source.failure = new Error('altered');
  execute(made, source, 1);
  await made.clock.pass(1_000);
  t.like(outlet.ending, { code: 'log_unreadable', resume: '1' });
  t.is(made.errors.length, 1);
  await t.throwsAsync(made.hub.newest());
});

test('a node that stops tells all of them, and takes no more', async (t) => {
  const source = new FakeSource();
  const made = hubOf(source);
  execute(made, source, 2);
  const outlet = new FakeOutlet();
  made.hub.subscribe('a', { from: START, filter: EVERYTHING, outlet });
  await made.clock.pass(500);
  made.hub.close();
  t.like(outlet.ending, { code: 'draining', resume: '1' });
  t.is(made.hub.refusal('b'), 'draining');
  const { reads } = source;
  execute(made, source, 2);
  await made.clock.pass(5_000);
  t.is(source.reads, reads);
  t.is(made.hub.figures().subscribers, 0);
});
