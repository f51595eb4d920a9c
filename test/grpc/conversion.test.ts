/** Values become messages and values again. */
import test from 'ava';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { fromMessage, toMessage } from '../../src/grpc/modules/conversion.ts';
import { moduleProto } from '../../src/grpc/modules/module-proto.ts';
import { shapeOf } from '../../src/grpc/modules/shape.ts';
import { argsOf } from '../../src/modules/args.ts';
import { defineModule } from '../../src/modules/define.ts';
import { Amount, AnyValue, Bytes, Type } from '../../src/module.ts';

const Item = Type.Object({ name: Type.String(), at: Type.Optional(Type.Integer()) });
const schema = Type.Object({
  text: Type.String(),
  flag: Type.Boolean(),
  ifVersion: Type.Optional(Type.Integer()),
  amount: Amount,
  hash: Type.Optional(Bytes(8)),
  value: AnyValue,
  items: Type.Array(Item),
  item: Type.Optional(Item),
  next: Type.Union([Type.String(), Type.Null()]),
  kind: Type.Union([Type.Literal('a'), Type.Literal('b')]),
});
const module = defineModule({
  name: 'all',
  version: 1,
  description: 'All kinds.',
  commands: ({ command }) => ({
    take: command({ description: 'T.', args: schema }, () => undefined),
  }),
});
const root = protobuf.parse(moduleProto(module, '').replace(/repeated althing.*/g, '')).root;
root.addJSON(protobuf.common.get('google/protobuf/struct.proto')!.nested!);
const Message = root.lookupType('althing.module.all.v1.TakeCommand');
const { schema: taken, type } = module.commandDefinitions['take']!;
const shape = shapeOf(schema);

const integer = fc.maxSafeInteger().map((each) => (each === 0 ? 0 : each));
const item = fc.record({ name: fc.string(), at: integer }, { requiredKeys: ['name'] });
const value = fc.record(
  {
    text: fc.string(),
    flag: fc.boolean(),
    ifVersion: integer,
    amount: fc.oneof(fc.nat(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n })),
    hash: fc.uint8Array({ maxLength: 8 }),
    value: fc.constantFrom<unknown>(null, true, 5, 'x', [1, 'y'], { a: { b: [] } }),
    items: fc.array(item, { maxLength: 3 }),
    item,
    next: fc.option(fc.string()),
    kind: fc.constantFrom('a', 'b'),
  },
  {
    noNullPrototype: true,
    requiredKeys: ['text', 'flag', 'amount', 'value', 'items', 'next', 'kind'],
  },
);

test('what fits a schema arrives as it was sent', (t) => {
  fc.assert(
    fc.property(value, (sent) => {
      const message = Message.fromObject(toMessage(shape, sent) as object);
      const bytes = Message.encode(message).finish();
      const decoded = Message.toObject(Message.decode(bytes), {
        longs: String,
        enums: String,
        defaults: true,
        oneofs: true,
      });
      const args = argsOf({ schema: taken, type }, fromMessage(shape, decoded), false);
      t.deepEqual(args, { args: sent as never });
    }),
    { numRuns: 300 },
  );
});

test('an integer of more than 53 bits is refused where only such of 53 fit', (t) => {
  const of = shapeOf(Type.Object({ count: Type.Integer() }));
  t.deepEqual(fromMessage(of, { count: '9007199254740991' }), { count: 2 ** 53 - 1 });
  t.deepEqual(fromMessage(of, { count: '9007199254740993' }), { count: '9007199254740993' });
});
