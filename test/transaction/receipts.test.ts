import test from 'ava';
import fc from 'fast-check';
import { toHex } from '../../protocols/bytes.ts';
import {
  decodeReceipts,
  OutcomeWriter,
  type ReceiptEvent,
} from '../../protocols/transaction/receipts.ts';
import { NotAValue, type Value } from '../../protocols/transaction/values.ts';
import type { Digest } from '../../protocols/types.ts';

const id = 'cd'.repeat(32) as Digest;

type Said =
  | { readonly kind: 'plain' }
  | {
      readonly kind: 'ok';
      readonly result: Value | undefined;
      readonly events: readonly ReceiptEvent[];
    }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

function encode(said: readonly Said[]): Uint8Array {
  const writer = new OutcomeWriter();
  writer.start();
  for (const each of said) {
    if (each.kind === 'plain') {
      writer.plain();
      continue;
    }
    if (each.kind === 'ok') writer.ok(each.result, each.events);
    else writer.failed(each.code, each.message);
    writer.add();
  }
  return writer.take();
}

const value = fc.oneof(fc.nat(), fc.string({ unit: 'grapheme' }), fc.constant(null));
const name = fc.stringMatching(/^[a-z0-9]{1,20}$/);
const event = fc.record({ module: name, name, data: value });
const said = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Said>({ kind: 'plain' }) },
  fc.record({
    kind: fc.constant('ok' as const),
    result: fc.option(value, { nil: undefined }),
    events: fc.array(event, { maxLength: 3 }),
  }),
  fc.record({
    kind: fc.constant('failed' as const),
    code: fc.string({ maxLength: 20 }),
    message: fc.string({ maxLength: 50 }),
  }),
);

test('I52: decoding the outcomes gives each of them back', (t) => {
  fc.assert(
    fc.property(fc.array(said, { minLength: 1, maxLength: 40 }), (outcomes) => {
      const encoded = encode(outcomes);
      const receipts = decodeReceipts({
        id,
        height: 9,
        index: 5,
        txCount: outcomes.length,
        encoded,
      });
      const expected = outcomes.map((each, at) => ({
        id: `${id}-${at}`,
        height: 9,
        index: 5 + at,
        status: each.kind === 'failed' ? 'failed' : 'ok',
        ...(each.kind === 'ok' && each.result !== undefined ? { result: each.result } : {}),
        ...(each.kind === 'failed' ? { error: { code: each.code, message: each.message } } : {}),
        events: each.kind === 'ok' ? each.events : [],
      }));
      t.deepEqual(receipts as unknown, expected);
    }),
    { numRuns: 300 },
  );
});

test('a thousand plain outcomes take three bytes', (t) => {
  const plain = Array.from({ length: 1000 }, (): Said => ({ kind: 'plain' }));
  t.is(toHex(encode(plain)), '0003e8');
});

test('the bytes of every kind of outcome are the committed ones', (t) => {
  const bytes = encode([
    { kind: 'plain' },
    { kind: 'plain' },
    { kind: 'ok', result: 7, events: [{ module: 'm', name: 'e', data: 'x' }] },
    { kind: 'failed', code: 'no', message: 'why' },
    { kind: 'plain' },
  ]);
  t.is(toHex(bytes), '0000028600000001070001036d2e6500000002a17881026e6f0003776879000001');
});

test('I52: bytes that are not that many outcomes are refused, and never throw', (t) => {
  const encoded = encode([{ kind: 'plain' }, { kind: 'failed', code: 'a', message: 'b' }]);
  const base = { id, height: 1, index: 0 };
  t.is(decodeReceipts({ ...base, txCount: 3, encoded }), null);
  t.is(decodeReceipts({ ...base, txCount: 1, encoded }), null);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), fc.nat(5), (bytes, txCount) => {
      const read = decodeReceipts({ ...base, txCount, encoded: bytes });
      t.true(read === null || read.length === txCount);
    }),
    { numRuns: 2000 },
  );
});

test('a result without canonical form leaves nothing in the outcomes', (t) => {
  const writer = new OutcomeWriter();
  writer.start();
  writer.plain();
  t.throws(() => writer.ok(0.5, []), { instanceOf: NotAValue });
  writer.plain();
  t.is(toHex(writer.take()), '000002');
});
