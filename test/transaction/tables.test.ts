import test from 'ava';
import fc from 'fast-check';
import { PAGE_BYTES, PAGE_ROWS_MAX } from '../../protocols/transaction/table-pages.ts';
import { Journal, MemoryTable } from '../../protocols/transaction/tables.ts';
import { KeyOrder } from '../../protocols/transaction/key-order.ts';
import type { Page } from '../../protocols/transaction/module.ts';
import { compareText, NotAValue, type Value } from '../../protocols/transaction/values.ts';

const write = fc.tuple(fc.integer({ min: 0, max: 6 }).map(String), fc.option(fc.nat(9)));
const transaction = fc.record({ writes: fc.array(write, { maxLength: 12 }), fails: fc.boolean() });

function apply(
  table: { set: MemoryTable['set']; delete: MemoryTable['delete'] },
  writes: readonly (readonly [string, number | null])[],
): void {
  for (const [key, row] of writes) {
    if (row === null) table.delete(key);
    else table.set(key, row);
  }
}

const rowsOf = (table: MemoryTable) => table.page({ limit: PAGE_ROWS_MAX }).rows;

test('I47: a transaction that is rolled back leaves the rows as if it had never been', (t) => {
  fc.assert(
    fc.property(fc.array(transaction, { maxLength: 10 }), (transactions) => {
      const journal = new Journal();
      const table = new MemoryTable('t', journal);
      const model = new Map<string, number>();
      for (const { writes, fails } of transactions) {
        apply(table, writes);
        if (fails) journal.rollback();
        else {
          journal.commit();
          apply(model as unknown as MemoryTable, writes);
        }
        t.deepEqual(Object.fromEntries(rowsOf(table)), Object.fromEntries(model));
      }
    }),
  );
});

test('I48: every row that differs from the last checkpoint is named', (t) => {
  const batches = fc.array(fc.array(transaction, { maxLength: 4 }), { maxLength: 4 });
  fc.assert(
    fc.property(batches, (checkpoints) => {
      const journal = new Journal();
      const table = new MemoryTable('t', journal);
      for (const transactions of checkpoints) {
        const before = new Map(rowsOf(table));
        for (const { writes, fails } of transactions) {
          apply(table, writes);
          if (fails) journal.rollback();
          else journal.commit();
        }
        const named = new Set(journal.changed.map(({ key }) => key));
        for (const key of '0123456') {
          if (before.get(key) !== table.get(key)) t.true(named.has(key));
        }
        journal.forgetChanges();
        t.is(journal.changed.length, 0);
      }
      t.pass();
    }),
  );
});

test('a row or a key without canonical form is refused where it is written', (t) => {
  const table = new MemoryTable('t', new Journal());
  t.throws(() => table.set('k', 0.5), { instanceOf: NotAValue });
  t.throws(() => table.set('k', { a: [undefined as never] }), { instanceOf: NotAValue });
  t.throws(() => table.set('\ud800', 1), { instanceOf: NotAValue });
  t.is(table.get('k'), undefined);
});

/** All pages of a range one after the other. */
function paged(table: MemoryTable, prefix: string, limit: number, reversed = false): string[] {
  const keys: string[] = [];
  for (let after: string | null | undefined; after !== null;) {
    const page: Page<Value> = table.page({ prefix, after, limit, reversed });
    keys.push(...page.rows.map(([key]) => key));
    after = page.next;
  }
  return keys;
}

/** Some of them sort otherwise as UTF-16; many share a prefix. */
const keyAt = (at: number): string =>
  `${['a', '\uffff', '\u{1F600}'][at % 3]}${at % 7}/${(at * 7919) % 1009}`;

test('I98: pages hold the keys that have rows in byte order, whatever came and went', (t) => {
  const step = fc.record({
    writes: fc.array(fc.tuple(fc.nat(1499), fc.boolean()), { maxLength: 300 }),
    end: fc.constantFrom('commit', 'rollback', 'checkpoint'),
  });
  const range = fc.record({ at: fc.nat(1499), length: fc.nat(4), limit: fc.integer({ min: 1 }) });
  const scenario = fc.tuple(fc.nat(1499), fc.array(step, { maxLength: 8 }), fc.array(range));
  fc.assert(
    fc.property(scenario, ([held, steps, ranges]) => {
      const journal = new Journal();
      const table = new MemoryTable('t', journal);
      const model = new Set<string>();
      for (let at = 0; at < held; at++) {
        table.set(keyAt(at), at);
        model.add(keyAt(at));
      }
      journal.commit();
      for (const { writes, end } of steps) {
        for (const [at, there] of writes) {
          if (there) table.set(keyAt(at), at);
          else table.delete(keyAt(at));
          if (end === 'rollback') continue;
          if (there) model.add(keyAt(at));
          else model.delete(keyAt(at));
        }
        if (end === 'rollback') journal.rollback();
        else journal.commit();
        if (end === 'checkpoint') journal.forgetChanges();
      }
      const sorted = [...model].toSorted(compareText);
      t.deepEqual(paged(table, '', 333), sorted);
      for (const { at, length, limit } of ranges) {
        const after = keyAt(at);
        const prefix = Array.from(keyAt(at + 1))
          .slice(0, length)
          .join('');
        const inRange = sorted.filter((key) => key.startsWith(prefix));
        t.deepEqual(paged(table, prefix, Math.max(limit, 100)), inRange);
        const above = inRange.filter((key) => compareText(key, after) > 0);
        const page = table.page({ prefix, after, limit });
        const expected = above.slice(0, Math.min(limit, PAGE_ROWS_MAX));
        t.deepEqual(
          page.rows.map(([key]) => key),
          expected,
        );
        t.is(page.next, expected.length < above.length ? expected.at(-1)! : null);
        const reversed = { prefix, limit: Math.max(limit, 100), reversed: true };
        t.deepEqual(paged(table, prefix, reversed.limit, true), inRange.toReversed());
        const below = inRange.filter((key) => compareText(key, after) < 0).toReversed();
        t.deepEqual(
          table.page({ ...reversed, after }).rows.map(([key]) => key),
          below.slice(0, Math.min(reversed.limit, PAGE_ROWS_MAX)),
        );
      }
    }),
    { numRuns: 30 },
  );
});

test('I98: a page visits the rows that it holds and one more, of however many', (t) => {
  const journal = new Journal();
  const table = new MemoryTable('t', journal);
  for (let at = 0; at < 20_000; at++) table.set(`n${at % 100}/${at}`, at);
  for (let at = 0; at < 20_000; at += 3) table.delete(`n${at % 100}/${at}`);
  journal.commit();
  let visited = 0;
  const from = table.order.from.bind(table.order);
  table.order.from = function* (key) {
    for (const entry of from(key)) {
      visited++;
      yield entry;
    }
  };
  const down = table.order.down.bind(table.order);
  table.order.down = function* (above) {
    for (const entry of down(above)) {
      visited++;
      yield entry;
    }
  };
  for (const [prefix, after, limit] of [
    ['nope/', undefined, 1],
    ['n5/', undefined, 10],
    ['n5/', 'n5/5', 10],
    ['', 'n5/5', 10],
    ['n5/', 'zzz', 1000],
    ['n5/', 'a', 1000],
    ['zzz', undefined, 1000],
  ] as const) {
    visited = 0;
    const { rows } = table.page({ prefix, after, limit });
    t.true(visited <= rows.length + 2, `${prefix} after ${after}: ${visited}`);
    visited = 0;
    const back = table.page({ prefix, after, limit, reversed: true });
    t.true(visited <= back.rows.length + 1, `${prefix} before ${after}: ${visited}`);
  }
});

/** Neighbours by number are neighbours in order, but for those that sort otherwise as UTF-16. */
const runKey = (at: number): string =>
  `${at % 500 < 490 ? '' : keyAt(at)}${String(at).padStart(5, '0')}`;

test('I98: keys that come and go in runs, up or down, stand in their order', (t) => {
  const run = fc.record({
    from: fc.nat(2999),
    length: fc.integer({ min: 1, max: 700 }),
    step: fc.constantFrom(-3, -1, 1, 2),
    there: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 20 }), (runs) => {
      const order = new KeyOrder<{ readonly key: string }>();
      const model = new Set<string>();
      for (const { from, length, step, there } of runs) {
        for (let at = 0; at < length; at++) {
          const key = runKey(Math.abs(from + at * step));
          if (there === model.has(key)) continue;
          if (there) order.add({ key });
          else order.remove(key);
          if (there) model.add(key);
          else model.delete(key);
        }
      }
      t.deepEqual(
        [...order.from('')].map(({ key }) => key),
        [...model].toSorted(compareText),
      );
    }),
  );
});

test('I98: the place of a key is found without looking at most of the others', (t) => {
  const order = new KeyOrder<{ readonly key: string }>();
  let looked = 0;
  const item = (at: number) => ({
    get key() {
      looked++;
      return String(at).padStart(6, '0');
    },
  });
  let most = 0;
  for (let at = 0; at < 30_000; at++) {
    looked = 0;
    order.add(item((at * 7919) % 30_000));
    most = Math.max(most, looked);
  }
  for (let at = 0; at < 30_000; at += 7) {
    looked = 0;
    const [first] = order.from(String(at).padStart(6, '0'));
    t.is(Number(first?.key), at);
    if (at % 2 === 0) order.remove(String(at).padStart(6, '0'));
    most = Math.max(most, looked);
  }
  t.true(most < 100, String(most));
});

test('I98: a page ends after the row with which it is large, and the next goes on behind it', (t) => {
  const table = new MemoryTable('t', new Journal());
  for (let at = 0; at < 9; at++) table.set(`k${at}`, { value: 'x'.repeat(PAGE_BYTES / 2) });
  table.set('k9', 1);
  const first = table.page({ limit: 100 });
  t.deepEqual([first.rows.length, first.next], [2, 'k1']);
  t.is(paged(table, '', 100).length, 10);
});
