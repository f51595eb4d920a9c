import test from 'ava';
import fc from 'fast-check';
import {
  History,
  HISTORY_LIMITS,
  type HistoryLimits,
} from '../../protocols/transaction/history.ts';
import { PastTable } from '../../protocols/transaction/past-table.ts';
import { LOOK_MAX } from '../../protocols/transaction/table-pages.ts';
import type { IndexRange, Page, ReadTable } from '../../protocols/transaction/module.ts';
import { Journal, MemoryTable } from '../../protocols/transaction/tables.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { Chain, clusterOf, signed, START_MS } from './fixture.ts';
import { put } from './modules.ts';
import { Node } from './node.ts';

type Row = { readonly word: string; readonly value: number };
const KEYS = ['a', 'b', 'c', 'd', 'e'];
const WORDS = ['x', 'y', 'xy'];

/** A table with an index, whose past is kept, and what it must have been at each height. */
class Book {
  readonly history: History;
  readonly journal: Journal;
  readonly table: MemoryTable;
  readonly #model = new Map<string, Row>();
  readonly states: ReadonlyMap<string, Row>[] = [];
  height = 0;
  checkpoint = 0;

  constructor(limits?: HistoryLimits) {
    this.history = new History(limits);
    this.journal = new Journal(this.history);
    const byWord = (row: Value): string | null => (row as Row).word || null;
    this.table = new MemoryTable('m/t', this.journal, new Map([['byWord', byWord]]));
    this.#end();
  }

  block(transactions: readonly Transaction[], isCheckpoint = false): void {
    this.history.startBlock(++this.height);
    for (const { writes, fails } of transactions) {
      for (const [key, row] of writes) {
        if (row === null) this.table.delete(key);
        else this.table.set(key, row);
        if (fails) continue;
        if (row === null) this.#model.delete(key);
        else this.#model.set(key, row);
      }
      if (fails) this.journal.rollback();
      else this.journal.commit();
    }
    if (isCheckpoint) this.checkpoint = this.height;
    this.#end();
    if (isCheckpoint) this.journal.forgetChanges();
  }

  /** Blocks that set and delete the key in turn. */
  churn(blocks: number, key: string, checkpointEvery = 1): void {
    for (let at = 0; at < blocks; at++) {
      const row = at % 2 === 0 ? { word: 'x', value: at } : null;
      this.block([{ writes: [[key, row]], fails: false }], (at + 1) % checkpointEvery === 0);
    }
  }

  at(height: number): ReadTable {
    return new PastTable(this.table, height);
  }

  #end(): void {
    this.history.endBlock(START_MS + this.height, this.checkpoint);
    this.states.push(new Map([...this.#model].toSorted(([a], [b]) => (a < b ? -1 : 1))));
  }
}

interface Transaction {
  readonly writes: readonly (readonly [string, Row | null])[];
  readonly fails: boolean;
}

const row = fc.record({ word: fc.constantFrom('', ...WORDS), value: fc.nat(3) });
const write = fc.tuple(fc.constantFrom(...KEYS), fc.option(row));
const transaction = fc.record({ writes: fc.array(write, { maxLength: 6 }), fails: fc.boolean() });
const block = fc.tuple(fc.array(transaction, { maxLength: 3 }), fc.boolean());

/** All pages, one after the other. */
function all(read: (after: string | undefined) => Page<Value>): (readonly [string, Value])[] {
  const rows: (readonly [string, Value])[] = [];
  for (let after: string | undefined; ;) {
    const page = read(after);
    rows.push(...page.rows);
    if (page.next === null) return rows;
    after = page.next;
  }
}

const byIndex = (table: ReadTable, range: Omit<IndexRange, 'limit'>, limit: number) =>
  all((after) => table.pageBy('byWord', { ...range, after, limit }));

test('I109: every height of the window reads as it was, row by row, by the page and by an index', (t) => {
  fc.assert(
    fc.property(
      fc.array(block, { maxLength: 12 }),
      fc.integer({ min: 1, max: 3 }),
      (blocks, limit) => {
        const book = new Book();
        for (const [transactions, isCheckpoint] of blocks) book.block(transactions, isCheckpoint);
        for (const [height, state] of book.states.entries()) {
          const past = book.at(height);
          for (const key of KEYS) t.is(past.get(key), state.get(key));
          t.deepEqual(
            all((after) => past.page({ after, limit })),
            [...state],
          );
          t.deepEqual(
            all((after) => past.page({ after, limit, reversed: true })),
            [...state].toReversed(),
          );
          for (const equals of WORDS) {
            const standing = [...state].filter(([, { word }]) => word === equals);
            t.deepEqual(byIndex(past, { equals }, limit), standing);
            t.deepEqual(byIndex(past, { equals, reversed: true }, limit), standing.toReversed());
          }
          const words = [...state].filter(([, { word }]) => word.startsWith('x'));
          words.sort(([, a], [, b]) => (a.word === b.word ? 0 : a.word < b.word ? -1 : 1));
          t.deepEqual(byIndex(past, { prefix: 'x' }, limit), words);
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('I110: so many heights are kept, those from the newest checkpoint on always, and nothing else', (t) => {
  const book = new Book({ heightsMax: 10, bytesMax: 1e9 });
  book.churn(100, 'a', 4);
  t.is(book.history.oldest, 90);
  t.is(book.history.timeOf(90), START_MS + 90);
  t.throws(() => book.history.timeOf(89), { message: /height 89/ });
  const long = new Book({ heightsMax: 10, bytesMax: 1 });
  long.churn(99, 'a', 100);
  t.is(long.history.oldest, 0, 'there is no checkpoint yet');
  t.deepEqual(
    all((after) => long.at(1).page({ after, limit: 1 })),
    [...long.states[1]!],
  );
  long.churn(1, 'a', 1);
  t.is(long.history.oldest, 100, 'one height, since no more fits');
});

test('I110: what is kept fits its bytes, and nothing of what is forgotten stays', (t) => {
  const book = new Book({ heightsMax: 1000, bytesMax: 20_000 });
  for (let round = 0; round < 50; round++) {
    for (const key of KEYS) book.churn(10, `${key}/${round}`, 4);
    t.true(book.history.bytes <= 20_000 + 2_000);
  }
  t.true(book.history.oldest > 2_300);
  t.is(book.table.entry('a/0'), undefined);
  book.churn(2_000, 'z', 4);
  const { past } = book.table;
  t.deepEqual(
    [...past.order.from('')].map(({ key }) => key),
    ['z'],
  );
  t.deepEqual([...book.table.index('byWord').past.order.from('')].length, 1);
});

test('I110: a block forgets a bounded part, and more than it adds', (t) => {
  const book = new Book({ heightsMax: 1, bytesMax: 1e9 });
  const writes = Array.from(
    { length: 10_000 },
    (_, at) => [`k${at}`, { word: 'x', value: at }] as const,
  );
  book.block([{ writes, fails: false }]);
  const full = book.history.bytes;
  book.block([], true);
  book.block([], true);
  t.is(book.history.oldest, 2);
  t.true(book.history.bytes > full / 2, 'not at once');
  for (let at = 0; at < 10; at++) book.block([], true);
  t.is(book.history.bytes, 0);
});

test('I98: a page of the past that has to look at too much ends, and the next goes on', (t) => {
  const book = new Book();
  const keys = Array.from({ length: LOOK_MAX + 500 }, (_, at) => `k${String(at).padStart(6, '0')}`);
  book.block([{ writes: [['z', { word: 'y', value: 1 }]], fails: false }]);
  book.block([{ writes: keys.map((key) => [key, { word: 'x', value: 1 }]), fails: false }]);
  const first = book.at(1).page({ limit: 10 });
  t.deepEqual(first.rows, []);
  t.is(first.next, keys[LOOK_MAX - 1]!);
  t.deepEqual(
    all((after) => book.at(1).page({ after, limit: 10 })),
    [...book.states[1]!],
  );
});

test('a query reads a past height, and hears which heights there are', (t) => {
  const node = new Node(clusterOf({ checkpointInterval: 4 }));
  for (let seq = 0; seq < 3; seq++) {
    node.submit(seq, signed(seq, [put('k', seq)]));
    node.settle();
  }
  const ask = (atHeight: number) => {
    const query = {
      kind: 'query',
      request: 9,
      module: 'scratch',
      query: 'get',
      args: 'k',
    } as const;
    const told = node.step({ ...query, atHeight }).find(({ kind }) => kind === 'answer');
    node.fire('transaction/answer');
    return told?.kind === 'answer' ? [told.height, told.result] : null;
  };
  for (const height of [1, 2, 3]) t.like(ask(height), [height, { ok: true, value: height - 1 }]);
  t.like(ask(0), { 1: { ok: false, code: 'row_not_found' } });
  t.like(ask(4), [3, { ok: false, code: 'height_ahead' }]);
  const last = HISTORY_LIMITS.heightsMax + 100;
  for (let height = 4; height <= last; height++) node.execute();
  t.like(ask(3), {
    1: {
      ok: false,
      code: 'height_pruned',
      message: 'the oldest height that can still be read here is 100',
    },
  });
  t.like(ask(last), [last, { ok: true, value: 2 }]);

  const again = new Node(clusterOf({ checkpointInterval: 4 }), node.log);
  const query = { kind: 'query', request: 1, module: 'scratch', query: 'get', args: 'k' } as const;
  t.like(again.ask({ ...query, atHeight: 2 }), { code: 'catching_up' });
  t.like(again.ask({ ...query, atHeight: 4_000 }), { code: 'catching_up' });
});

test('I110: the row that the newest checkpoint covers is there, whatever was written since', (t) => {
  const chain = new Chain(clusterOf({ checkpointInterval: 4 }));
  for (let seq = 0; seq < 7; seq++) chain.run(signed(seq, [put('k', seq)]));
  const { state } = chain.executor;
  const rowAt = (key: string, height: number) =>
    state.viewAt(height).tablesOf('scratch')['rows']!.get(key);
  t.is(rowAt('k', 4), 3);
  t.is(rowAt('k', 7), 6);
  t.is(rowAt('k', 0), undefined);
  t.is(rowAt('other', 4), undefined);
  t.deepEqual(state.viewAt(4).tablesOf('nothing'), {});
});
