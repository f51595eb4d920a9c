import test from 'ava';
import fc from 'fast-check';
import { Journal, MemoryTable } from '../../protocols/transaction/tables.ts';
import { NotAValue } from '../../protocols/transaction/values.ts';

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
        t.deepEqual(Object.fromEntries(table.entries()), Object.fromEntries(model));
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
        const before = new Map(table.entries());
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
