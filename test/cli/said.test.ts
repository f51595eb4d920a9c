/** What an answer says is compared with what is proved, however it is shaped. */
import test from 'ava';
import type { Certified } from '../../protocols/proofs/certification.ts';
import type { Fact } from '../../protocols/proofs/verify.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import { compared, type Comparison, type Said } from '../../src/cli/said.ts';

const certified = { executed: { height: 12 } } as Certified;
const table = 'kv/entries';
const row = (key: string): Fact => ({ kind: 'row', table, key, row: { value: key } });
const absence: Fact = { kind: 'absence', table, key: 'none' };
const receipt = (id: string) => ({ id, height: 9, status: 'ok' }) as Receipt;
const receipts = (id: string) =>
  ({
    kind: 'receipts',
    submission: { id, height: 9 },
    receipts: [receipt(`${id}-0`), receipt(`${id}-1`)],
  }) as unknown as Fact;
const whole = { id: 's', height: 9, receipts: [receipt('s-0'), receipt('s-1')] };
const a = { height: 12, table, key: 'a', result: { value: 'a' } };
const none = { height: 12, table, key: 'none', result: null };
const lie = { value: 'lie' };
const both = [row('a'), row('b')];

const cases: readonly (readonly [string, Comparison['kind'], Said, readonly Fact[]])[] = [
  ['a row as it is', 'proved', a, [row('a')]],
  ['a row beside others', 'proved', a, [row('b'), receipts('s'), row('a')]],
  ['a row that is not there', 'proved', none, [row('a'), absence]],
  ['another row', 'other', { ...a, result: lie }, [row('a')]],
  ['another row beside others', 'other', { ...a, result: lie }, both],
  ['the row of another key', 'other', { ...a, result: { value: 'b' } }, both],
  ['a row of which nothing is proved', 'other', { ...a, key: 'c' }, both],
  ['a row of another table', 'other', { ...a, table: 'kv/leases' }, both],
  ['a row with half of its name', 'other', { ...a, key: undefined }, both],
  ['a row where there is none', 'other', { ...none, result: lie }, [absence]],
  ['a row where receipts are proved', 'other', a, [receipts('s')]],
  ['another height', 'other', { ...a, height: 99_999 }, [row('a')]],
  ['a height as text', 'other', { ...a, height: '12' }, [row('a')]],
  ['another height, and no result', 'other', { height: 11, code: 'no' }, [absence]],
  ['the height, and no result', 'none', { height: 12, code: 'no' }, [absence]],
  ['nothing', 'none', {}, [receipts('s')]],
  ['a result that names nothing', 'unchecked', { height: 12, result: lie }, [row('a')]],
  ['a result that names nothing, of rows', 'unchecked', { result: lie }, both],
  ['receipts as they are', 'proved', { height: 12, result: whole }, [receipts('s')]],
  ['receipts beside others', 'proved', { result: whole }, [row('a'), receipts('r'), receipts('s')]],
  ['a receipt', 'proved', { result: receipt('s-1') }, [receipts('s')]],
  ['other receipts', 'other', { result: { ...whole, height: 8 } }, [receipts('s')]],
  ['other receipts beside a row', 'other', { result: { id: 's', lie } }, [receipts('s'), row('a')]],
  ['receipts of another submission', 'other', { result: whole }, [receipts('r')]],
  ['no receipts', 'other', { result: null }, [receipts('s')]],
];

for (const [what, kind, said, facts] of cases) {
  test(`an answer that says ${what}: ${kind}`, (t) => {
    t.is(compared(said, { ok: true, certified, facts }).kind, kind);
  });
}

test('the message names what is said and what is proved', (t) => {
  const messages = [
    { ...a, result: lie },
    { ...a, key: 'c' },
    { ...a, height: 7 },
  ].map((said) => compared(said, { ok: true, certified, facts: both }));
  t.deepEqual(messages, [
    { kind: 'other', message: 'the file says {"value":"lie"}, proved is {"value":"a"}' },
    {
      kind: 'other',
      message: 'the file says something of ["kv/entries","c"], proved is nothing of it',
    },
    { kind: 'other', message: 'the file says height 7, proved is height 12' },
  ]);
});
