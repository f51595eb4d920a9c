/** The .proto files that are published, and that the numbers of their fields never change. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import protobuf from 'protobufjs';
import { moduleProto } from '../../src/grpc/modules/module-proto.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { defineModule, type DefinedModule } from '../../src/modules/define.ts';
import { Amount, AnyValue, Bytes, Type, type TSchema } from '../../src/module.ts';
import { committedProto, generatedProto } from './protos.ts';

for (const module of builtInModules) {
  test(`the .proto file of ${module.name} is what \`npm run generate\` writes`, (t) => {
    t.is(committedProto(module), generatedProto(module));
  });
}

function withArguments(properties: Record<string, TSchema>): DefinedModule {
  return defineModule({
    name: 'tickets',
    version: 1,
    description: 'Tickets.',
    commands: ({ command }) => ({
      sell: command({ description: 'Sells.', args: Type.Object(properties) }, () => undefined),
    }),
  });
}

/** `number: type name` of each field of the command. */
function fieldsOf(text: string): readonly string[] {
  const message = /^message SellCommand \{\n([^]*?)^\}/m.exec(text)?.[1] ?? '';
  return [...message.matchAll(/^ {2}(\S.*) = (\d+);$/gm)].map(([, field, at]) => `${at}: ${field}`);
}

const first = { seat: Type.Integer(), buyer: Type.String(), price: Amount };

test('fields are numbered in the order of their declaration', (t) => {
  const text = moduleProto(withArguments(first), '');
  t.deepEqual(fieldsOf(text), ['1: int64 seat', '2: string buyer', '3: int64 price']);
});

test('a field that is moved keeps its number, and one that is new takes the next', (t) => {
  const before = moduleProto(withArguments(first), '');
  const { seat, buyer, price } = first;
  const text = moduleProto(withArguments({ note: Type.String(), price, seat, buyer }), before);
  t.deepEqual(fieldsOf(text), [
    '4: string note',
    '3: int64 price',
    '1: int64 seat',
    '2: string buyer',
  ]);
});

test('the number of a field that is gone, or of another type, is never given again', (t) => {
  const before = moduleProto(withArguments(first), '');
  const { seat } = first;
  const second = moduleProto(withArguments({ seat, price: Type.String() }), before);
  t.deepEqual(fieldsOf(second), ['1: int64 seat', '4: string price']);
  t.regex(second, /message SellCommand \{\n {2}reserved 2, 3;/);
  const third = moduleProto(withArguments({ ...first, price: Type.String() }), second);
  t.deepEqual(fieldsOf(third), ['1: int64 seat', '5: string buyer', '4: string price']);
  t.regex(third, /reserved 2, 3;/);
  t.is(moduleProto(withArguments({ ...first, price: Type.String() }), third), third);
});

test('what may become required or optional keeps its number', (t) => {
  const before = moduleProto(withArguments(first), '');
  const { seat, buyer, price } = first;
  const text = moduleProto(withArguments({ seat, buyer: Type.Optional(buyer), price }), before);
  t.true(fieldsOf(text).includes('2: optional string buyer'));
});

test('whatever a schema holds, the file is protobuf', (t) => {
  const nested = Type.Object({ deep: Type.Array(Type.Object({ a: Type.Integer() })) });
  const text = moduleProto(
    withArguments({
      nested,
      ifVersion: Type.Optional(Type.Integer()),
      hash: Bytes(32),
      any: AnyValue,
      lists: Type.Array(Type.Array(Type.String())),
      open: Type.Record(Type.String(), Type.Integer()),
      strange: Type.Object({ 'no name': Type.String() }),
      either: Type.Union([Type.Literal('a'), Type.Literal('b')]),
      mixed: Type.Union([Type.String(), Type.Integer()]),
      maybe: Type.Union([nested, Type.Null()]),
    }),
    '',
  );
  t.deepEqual(
    fieldsOf(text).map((each) => each.replace(/^\d+: /, '')),
    [
      'Nested nested',
      'optional int64 if_version',
      'bytes hash',
      'google.protobuf.Value any',
      'repeated google.protobuf.Value lists',
      'google.protobuf.Struct open',
      'google.protobuf.Struct strange',
      'string either',
      'google.protobuf.Value mixed',
      'optional Maybe maybe',
    ],
  );
  t.notThrows(() => protobuf.parse(text));
});

test('the package exports its .proto files', (t) => {
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: object };
  t.like(manifest.exports, { './proto/*': './protocols/proto/*' });
});
