import test from 'ava';
import type { Value } from '../../protocols/transaction/values.ts';
import { Journal } from '../../protocols/transaction/tables.ts';
import { SCHEDULED_MAX, Timers, TIMERS_PER_BLOCK } from '../../protocols/transaction/timers.ts';
import { Chain, finalBlock, receiptsOf, signed, START_MS } from './fixture.ts';

const later = (at: number, data: Value, timer = 'tick') => ({
  module: 'scratch',
  command: 'later',
  args: { at, timer, data },
});
const call = (command: string, args: Value) => ({ module: 'scratch', command, args });

const rowOf = (chain: Chain, key: string): Value | undefined =>
  chain.executor.state.tablesOf('scratch')['rows']!.get(key);

const ticks = (chain: Chain): string[] =>
  chain.executor.state
    .tablesOf('scratch')
    ['rows']!.page({ prefix: 'tick/', limit: 1000 })
    .rows.map(([key]) => JSON.parse(key.slice('tick/'.length)) as string);

test('I117: a timer runs once, in the first block whose time has reached it, as its module', (t) => {
  const chain = new Chain();
  chain.run(signed(0, [later(START_MS + 1000, 'a')]));
  chain.next([], START_MS + 999);
  t.deepEqual(ticks(chain), []);
  const result = chain.next([], START_MS + 1000);
  t.deepEqual(rowOf(chain, 'tick/"a"'), {
    height: 3,
    time: START_MS + 1000,
    sender: 'module:scratch',
  });
  const [receipt] = receiptsOf(result);
  t.is(receipt!.status, 'ok');
  t.deepEqual(receipt!.events as unknown, [{ module: 'scratch', name: 'ticked', data: 'a' }]);
  t.is(receiptsOf(chain.next([], START_MS + 2000)).length, 0);
});

test('I117: timers run in the order of time, then of setting, before what was submitted', (t) => {
  const chain = new Chain();
  const at = START_MS + 500;
  chain.run(signed(0, [later(at + 1, 'late'), later(at, 'first'), later(at, 'second')]));
  const result = chain.next([[0, [signed(1, [call('put', { key: 'x', value: 1 })])]]], at + 5);
  const data = receiptsOf(result).flatMap(({ events }) => events.map((event) => event.data));
  t.deepEqual(data, ['first', 'second', 'late']);
  t.deepEqual(
    result.receipts.map(({ index, txCount, sender }) => [index, txCount, sender.slice(0, 4)]),
    [
      [0, 3, ''],
      [3, 1, 'key:'],
    ],
  );
  t.deepEqual(
    receiptsOf(result).map(({ index }) => index),
    [0, 1, 2, 3],
  );
});

test('I117: what fails, and what no module has any more, leaves a failed receipt and is gone', (t) => {
  const chain = new Chain();
  chain.run(signed(0, [later(START_MS, 'x', 'fail'), later(START_MS, 'y')]));
  const receipts = receiptsOf(chain.next([], START_MS + 100));
  t.deepEqual(
    receipts.map(({ error }) => error?.code ?? 'ok'),
    ['module_fault', 'ok'],
  );
  t.is(rowOf(chain, 'tick/fail'), undefined);
  t.is(receiptsOf(chain.next([], START_MS + 200)).length, 0);
});

test('I117: a cancelled timer does not run, and only its module can cancel it', (t) => {
  const chain = new Chain();
  const [set] = receiptsOf(chain.run(signed(0, [later(START_MS + 50, 'a')])));
  const id = set!.result as string;
  const stranger = { module: 'second', command: 'cancel', args: id };
  const [refused] = receiptsOf(chain.run(signed(1, [stranger])));
  t.is(refused!.result, false);
  const [done, again] = receiptsOf(chain.run(signed(2, [call('cancel', id), call('cancel', id)])));
  t.deepEqual([done!.result, again!.result], [true, false]);
  chain.next([], START_MS + 100);
  t.deepEqual(ticks(chain), []);
});

test('I47: a transaction that is refused has set no timer', (t) => {
  const chain = new Chain();
  chain.run(signed(0, [call('laterThenRefuse', START_MS)]));
  t.is(receiptsOf(chain.next([], START_MS + 100)).length, 0);
});

test('a transaction sets a bounded number of timers, at sound times, of its own module', (t) => {
  const chain = new Chain();
  const bad = [later(-1, 'a'), later(0.5, 'a'), later(START_MS, 'a', 'noSuchTimer')].filter(
    ({ args }) => Number.isInteger(args.at),
  );
  const codes = receiptsOf(chain.run(signed(0, bad))).map(({ error }) => error?.code);
  t.deepEqual(codes, ['module_fault', 'module_fault']);
  const many = Array.from({ length: SCHEDULED_MAX + 1 }, (_, at) => [
    'scratch',
    'later',
    { at: START_MS, timer: 'tick', data: at },
  ]);
  const outcome = (calls: Value) =>
    receiptsOf(chain.run(signed(calls === many ? 1 : 2, [call('callAll', calls)]))).at(-1)!.result;
  t.is((outcome(many) as string[]).at(-1), 'module_fault');
  t.false((outcome(many.slice(1)) as string[]).includes('module_fault'));
});

test('I117: what is due beyond the bound of a block runs in the next ones, whatever the slices', (t) => {
  const run = (slice: number): unknown => {
    const chain = new Chain();
    const perTransaction = SCHEDULED_MAX;
    const needed = Math.ceil((TIMERS_PER_BLOCK + 10) / perTransaction);
    for (let i = 0; i < needed; i++) {
      const calls = Array.from({ length: perTransaction }, (_, at) => [
        'scratch',
        'later',
        { at: START_MS + 10_000, timer: 'tick', data: i * perTransaction + at },
      ]);
      chain.run(signed(i, [call('callAll', calls)]));
    }
    const counts = [20_000, 20_010, 20_020].map((ms) => {
      const { executor } = chain;
      executor.begin(finalBlock(executor.height + 1, [], START_MS + ms), { left: slice });
      let result = null;
      while (result === null) result = executor.advance({ left: slice });
      return [result.txCount, result.receiptsRoot];
    });
    return [counts, chain.root(), needed * perTransaction];
  };
  const [counts, , total] = run(Infinity) as [[number, string][], string, number];
  t.deepEqual(
    counts.map(([count]) => count),
    [TIMERS_PER_BLOCK, total - TIMERS_PER_BLOCK, 0],
  );
  t.deepEqual(run(7), run(Infinity));
});

/** Sets `count` timers of a module, each in a transaction of SCHEDULED_MAX. */
function setMany(chain: Chain, module: string, at: number, count: number, firstSeq: number): void {
  for (let done = 0; done < count; done += SCHEDULED_MAX) {
    const each = Array.from({ length: Math.min(SCHEDULED_MAX, count - done) }, (_, n) => [
      module,
      'later',
      { at, timer: 'tick', data: done + n },
    ]);
    const submission = signed(firstSeq + done / SCHEDULED_MAX, [call('callAll', each)]);
    chain.next([[0, [submission]]], START_MS);
  }
}

const ranIn = (chain: Chain, ms: number): string[] =>
  receiptsOf(chain.next([], START_MS + ms)).flatMap(({ events }) =>
    events.map((event) => event.module),
  );
const countOf = (ran: readonly string[], module: string): number =>
  ran.filter((each) => each === module).length;

test('I132: who floods one module delays the timers of no other', (t) => {
  const chain = new Chain();
  setMany(chain, 'scratch', START_MS + 100, 3 * TIMERS_PER_BLOCK, 0);
  setMany(chain, 'second', START_MS + 200, 20, 1000);
  const ran = ranIn(chain, 1000);
  t.is(ran.length, TIMERS_PER_BLOCK);
  t.is(countOf(ran, 'second'), 20);
  t.deepEqual(ran.slice(0, 4), ['scratch', 'second', 'scratch', 'second']);
});

test('I132: what timers cost in one block is forgotten in the next', (t) => {
  const timers = new Timers(new Journal());
  const set = (module: string, at: number) => timers.set(at, { module, timer: 'tick', args: null });
  timers.startBlock(1);
  set('first', 1);
  set('first', 2);
  set('second', 3);
  t.is(timers.next(5)?.module, 'first');
  timers.ran('first', 100);
  timers.startBlock(2);
  t.is(timers.next(5)?.module, 'first', 'it is due first');
  timers.ran('first', 1);
  t.is(timers.next(5)?.module, 'second');
});

test('I117: modules whose names begin alike have their own timers', (t) => {
  const timers = new Timers(new Journal());
  timers.startBlock(1);
  const names = ['b', 'ab', 'a0', 'a', 'a-b', 'z'];
  for (const [at, module] of names.entries()) timers.set(at, { module, timer: 'tick', args: at });
  for (const module of names) t.is(timers.next(100)?.module, module);
  t.is(timers.next(100), undefined);
});

test('I132: modules that both have more than a block takes share it, and all run in the end', (t) => {
  const chain = new Chain();
  setMany(chain, 'scratch', START_MS + 100, TIMERS_PER_BLOCK, 0);
  setMany(chain, 'second', START_MS + 200, TIMERS_PER_BLOCK, 1000);
  const half = TIMERS_PER_BLOCK / 2;
  for (const ms of [1000, 2000]) {
    const ran = ranIn(chain, ms);
    t.deepEqual([countOf(ran, 'scratch'), countOf(ran, 'second')], [half, half]);
  }
  t.deepEqual(ranIn(chain, 3000), []);
});
