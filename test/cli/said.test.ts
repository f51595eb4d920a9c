/** What an answer says is compared with what is proved, however it is shaped. */
import test from 'ava';
import type { Certified } from '../../protocols/proofs/certification.ts';
import type { Fact } from '../../protocols/proofs/verify.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import { faultIn, type Asked } from '../../src/cli/keep-proof.ts';
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

test('however deep or long it is, it is compared, and told in a message of bounded length', (t) => {
  const nested: unknown = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`);
  const objects: unknown = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`);
  const long = { [`${'x'.repeat(100_000)}`]: ['y'.repeat(100_000)] };
  const many = Array.from({ length: 100_000 }, () => ({ value: 1 }));
  for (const lie of [nested, objects, long, many, { value: nested }, '\u0000'.repeat(100_000)]) {
    for (const said of [
      { ...a, height: lie },
      { ...a, result: lie },
      { ...a, table: lie },
    ]) {
      const comparison = compared(said, { ok: true, certified, facts: both });
      if (comparison.kind !== 'other') return t.fail(comparison.kind);
      t.true(comparison.message.length < 1200);
    }
  }
  const large = { ...row('a'), row: { value: 'z'.repeat(100_000) } } as Fact;
  const comparison = compared(a, { ok: true, certified, facts: [large] });
  t.regex((comparison as { message: string }).message, /proved is \{"value":"z{100,600}…$/);
});

const asked = (name: readonly string[]): Asked['of'] => ({ kind: 'named', name });
const ofKv: Asked['of'] = { kind: 'query', module: 'kv' };
const listed = { height: 12, result: lie };
const one = { height: 12, result: receipt('s-1') };

const answers: readonly (readonly [string, Asked['of'], Said, readonly Fact[], RegExp | null])[] = [
  ['the row that was asked', asked([table, 'a']), a, both, null],
  ['another row that is proved, too', asked([table, 'b']), a, both, /something else/],
  ['the same key of another table', asked(['kv/leases', 'a']), a, both, /something else/],
  ['a lie about the row', asked([table, 'a']), { ...a, result: lie }, both, /the file says/],
  ['a row that is not named', asked([table, 'a']), listed, both, /something else/],
  ['no row', asked([table, 'a']), { height: 12, table, key: 'a' }, both, /no result/],
  ['the receipt that was asked', asked(['s-1']), one, [receipts('s')], null],
  ['the receipt of another index', asked(['s-0']), one, [receipts('s')], /something else/],
  ['a receipt in place of all', asked(['s']), one, [receipts('s')], /something else/],
  ['all in place of a receipt', asked(['s-0']), { result: whole }, [receipts('s')], /some.* else/],
  ['all of another one', asked(['s']), { result: whole }, [receipts('r')], /the file says/],
  ['rows of the module', ofKv, listed, both, null],
  ['rows of another module', { kind: 'query', module: 'ledger' }, listed, both, /something else/],
  ['a row in place of a query', ofKv, a, both, /something else/],
  ['no result of a query', ofKv, { height: 12 }, both, /no result/],
  ['another height beside a query', ofKv, { ...listed, height: 13 }, both, /height 13/],
];

for (const [what, of, said, facts, fault] of answers) {
  test(`an answer with ${what} is ${fault === null ? '' : 'not '}kept`, (t) => {
    const found = faultIn({ of }, said, { ok: true, certified, facts });
    if (fault === null) t.is(found, null);
    else t.regex(found ?? '', fault);
  });
}
