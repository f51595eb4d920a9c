import test from 'ava';
import fc from 'fast-check';
import { PLACES_MAX, TEXT_MAX } from '../../protocols/transaction/table-index.ts';
import { PAGE_ROWS_MAX } from '../../protocols/transaction/table-pages.ts';
import { Journal, MemoryTable } from '../../protocols/transaction/tables.ts';
import { compareText, NotAValue, type Value } from '../../protocols/transaction/values.ts';

/** The words of a row, each of them once in the index. */
const words = (row: Value): readonly string[] | null =>
  typeof row === 'string' ? row.split(' ') : null;

function tableWithWords(journal = new Journal()): { table: MemoryTable; journal: Journal } {
  return { table: new MemoryTable('m/t', journal, new Map([['byWord', words]])), journal };
}

const key = fc.integer({ min: 0, max: 8 }).map(String);
const text = fc.array(fc.constantFrom('a', 'b', 'ab', ''), { maxLength: 3 });
/** More than stand in a short list, with some of them in common. */
const many = fc
  .array(fc.nat(40), { minLength: 9, maxLength: 64 })
  .map((all) => all.map((each) => `w${each}`).join(' '));
const row = fc.oneof(
  many,
  fc.constant(7),
  text.map((each) => each.join(' ')),
);
const write = fc.tuple(key, fc.option(row));
const transaction = fc.record({ writes: fc.array(write, { maxLength: 8 }), fails: fc.boolean() });

test('I119: an index holds what its function says of the rows, whatever was rolled back', (t) => {
  fc.assert(
    fc.property(fc.array(transaction, { maxLength: 12 }), (transactions) => {
      const { table, journal } = tableWithWords();
      for (const { writes, fails } of transactions) {
        for (const [at, each] of writes) {
          if (each === null) table.delete(at);
          else table.set(at, each);
        }
        if (fails) journal.rollback();
        else journal.commit();
      }
      const expected = table
        .page({ limit: PAGE_ROWS_MAX })
        .rows.flatMap(([at, each]) => [...new Set(words(each) ?? [])].map((word) => [word, at]))
        .toSorted(([a = '', x = ''], [b = '', y = '']) => compareText(a, b) || compareText(x, y));
      const { rows } = table.pageBy('byWord', { limit: PAGE_ROWS_MAX });
      t.deepEqual(
        rows.map(([at]) => at),
        expected.map(([, at]) => at),
      );
      for (const word of ['a', 'b', 'ab', '', 'none']) {
        const found: string[] = [];
        let after: string | undefined;
        do {
          const page = table.pageBy('byWord', { equals: word, after, limit: 2 });
          found.push(...page.rows.map(([at]) => at));
          after = page.next ?? undefined;
        } while (after !== undefined);
        t.deepEqual(
          found,
          expected.filter(([each]) => each === word).map(([, at]) => at),
        );
        const back = table.pageBy('byWord', { equals: word, limit: PAGE_ROWS_MAX, reversed: true });
        t.deepEqual(
          back.rows.map(([at]) => at),
          found.toReversed(),
        );
      }
    }),
  );
});

test('an index is asked by a prefix of its text, page by page', (t) => {
  const { table } = tableWithWords();
  for (const [at, text] of ['apple', 'apricot', 'banana', 'application'].entries()) {
    table.set(String(at), text);
  }
  const first = table.pageBy('byWord', { prefix: 'ap', limit: 2 });
  t.deepEqual(
    first.rows.map(([, text]) => text),
    ['apple', 'application'],
  );
  const second = table.pageBy('byWord', { prefix: 'ap', after: first.next!, limit: 2 });
  t.deepEqual([second.rows.map(([, text]) => text), second.next], [['apricot'], null]);
  const back = table.pageBy('byWord', { prefix: 'ap', limit: 2, reversed: true });
  t.deepEqual(
    back.rows.map(([, text]) => text),
    ['apricot', 'application'],
  );
  const { rows } = table.pageBy('byWord', {
    prefix: 'ap',
    limit: 2,
    reversed: true,
    after: back.next!,
  });
  t.deepEqual(
    rows.map(([, text]) => text),
    ['apple'],
  );
});

test('I119: a row that its index cannot place is not written', (t) => {
  const journal = new Journal();
  const bad = new Map([['odd', (each: Value) => (each === 'half' ? '\ud800' : (each as string))]]);
  const table = new MemoryTable('m/t', journal, bad);
  for (const each of [1, 'a\u0000b', 'half', ['x', 2]]) {
    t.throws(() => table.set('k', each as Value), { instanceOf: NotAValue });
    t.is(table.get('k'), undefined);
  }
  t.deepEqual(journal.changed, []);
  t.throws(() => table.pageBy('none', { limit: 1 }), { message: 'm/t has no index none' });
});

test('I133: an index says a bounded number of texts of a row, each of bounded length', (t) => {
  const { table, journal } = tableWithWords();
  const texts = (count: number) => Array.from({ length: count }, (_, at) => `w${at}`).join(' ');
  table.set('most', texts(PLACES_MAX));
  table.set('long', 'x'.repeat(TEXT_MAX));
  journal.commit();
  for (const each of [texts(PLACES_MAX + 1), 'x'.repeat(TEXT_MAX + 1)]) {
    t.throws(() => table.set('k', each), { instanceOf: NotAValue });
    t.is(table.get('k'), undefined);
  }
  for (const equals of ['w0', `w${PLACES_MAX - 1}`, 'x'.repeat(TEXT_MAX)]) {
    t.is(table.pageBy('byWord', { equals, limit: 2 }).rows.length, 1);
  }
});

for (const many of [1, 20]) {
  test(`I119: a row leaves the places of one index and keeps the same text in another, of ${many} texts`, (t) => {
    const journal = new Journal();
    /** `<texts of the one>|<texts of the other>`. */
    const half = (at: number) => (row: Value) =>
      (row as string)
        .split('|')
        [at]!.split(' ')
        .flatMap((word) => Array.from({ length: word === '' ? 0 : many }, (_, n) => `${word}${n}`));
    const indexes = new Map([
      ['one', half(0)],
      ['other', half(1)],
    ]);
    const table = new MemoryTable('m/t', journal, indexes);
    const found = (index: string) => table.pageBy(index, { equals: 'x0', limit: 5 }).rows.length;
    for (const [row, one, other] of [
      ['x|', 1, 0],
      ['|x', 0, 1],
      ['x|x', 1, 1],
      ['y|x', 0, 1],
    ] as const) {
      table.set('k', row);
      journal.commit();
      t.deepEqual([found('one'), found('other')], [one, other], row);
    }
  });
}
