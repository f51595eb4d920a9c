/** What is said of a schema, against what is taken by it. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import { Amount, AnyValue, Bytes, Type } from '../../src/module.ts';
import { argsOf } from '../../src/modules/args.ts';
import { Misfit } from '../../src/modules/from-json.ts';
import { jsonSchemaOf } from '../../src/modules/json-schema.ts';
import { TypeCompiler } from '@sinclair/typebox/compiler';

const schema = Type.Object(
  {
    amount: Amount,
    hash: Type.Optional(Bytes(4)),
    value: Type.Optional(AnyValue),
    count: Type.Optional(Type.Integer({ minimum: 1 })),
    list: Type.Optional(
      Type.Array(Type.Object({ amount: Amount }, { additionalProperties: false })),
    ),
    either: Type.Optional(Type.Union([Type.Literal('a'), Type.Null()])),
  },
  { additionalProperties: false },
);
const said = new Ajv2020({ strict: false }).compile(jsonSchemaOf(schema));
const definition = { schema, type: TypeCompiler.Compile(schema) };

const cases: readonly (readonly [boolean, unknown])[] = [
  [true, { amount: '5' }],
  [true, { amount: 5 }],
  [true, { amount: '9223372036854775807', hash: '00ff', value: { a: [1] }, count: 1 }],
  [true, { amount: '0', list: [{ amount: '1' }], either: null }],
  [false, {}],
  [false, { amount: '01' }],
  [false, { amount: -1 }],
  [false, { amount: '-1' }],
  [false, { amount: 2 ** 60 }],
  [false, { amount: 1.5 }],
  [false, { amount: null }],
  [false, { amount: '1', hash: 'f' }],
  [false, { amount: '1', hash: 'FF' }],
  [false, { amount: '1', hash: '0011223344' }],
  [false, { amount: '1', count: 0 }],
  [false, { amount: '1', count: 2 ** 53 }],
  [false, { amount: '1', list: [{ amount: 'x' }] }],
  [false, { amount: '1', list: [{ amount: '1', more: 1 }] }],
  [false, { amount: '1', either: 'b' }],
  [false, { amount: '1', more: 1 }],
];

for (const [fits, json] of cases) {
  test(`${JSON.stringify(json)} ${fits ? 'fits' : 'does not fit'}, as said and as taken`, (t) => {
    t.is(said(json), fits);
    t.is(!(argsOf(definition, json, false) instanceof Misfit), fits);
  });
}

test('what is said is JSON: nothing of it is lost on the way', (t) => {
  const converted = jsonSchemaOf(schema);
  t.deepEqual(JSON.parse(JSON.stringify(converted)), converted);
});

test('in a query string an amount has one form, and a list is JSON', (t) => {
  t.like(jsonSchemaOf(Amount, 'query'), { type: 'string' });
  const read = (text: string): unknown => argsOf(definition, { amount: '7', list: text }, true);
  t.deepEqual(read('[{"amount":"8"}]'), { args: { amount: 7, list: [{ amount: 8 }] } });
  for (const text of ['[{"amount":8', '{}', '7', 'x', '[{"__proto__":1}]']) {
    t.true(read(text) instanceof Misfit, text);
  }
});
