import test from 'ava';
import fc from 'fast-check';
import { Unpackr } from 'msgpackr';
import { toHex } from '../../protocols/bytes.ts';
import { decodeValue } from '../../protocols/transaction/value-reader.ts';
import {
  compareText,
  encodeValue,
  NotAValue,
  type Value,
} from '../../protocols/transaction/values.ts';

const GOLDEN: readonly (readonly [Value, string])[] = [
  [null, 'c0'],
  [true, 'c3'],
  [127, '7f'],
  [128, 'cc80'],
  [256, 'cd0100'],
  [65_536, 'ce00010000'],
  [2 ** 32, 'cf0000000100000000'],
  [2n ** 64n - 1n, 'cfffffffffffffffff'],
  [-32, 'e0'],
  [-33, 'd0df'],
  [-129, 'd1ff7f'],
  [-32_769, 'd2ffff7fff'],
  [-(2 ** 31) - 1, 'd3ffffffff7fffffff'],
  [-(2n ** 63n), 'd38000000000000000'],
  ['é', 'a2c3a9'],
  [Uint8Array.of(1, 2), 'c4020102'],
  [[1, 'a'], '9201a161'],
  [{ b: 1, a: [], '€': null }, '83a16190a16201a3e282acc0'],
];

const text = fc.string({ unit: 'grapheme', maxLength: 40 });
const anyValue = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant<Value>(null),
    fc.boolean(),
    fc.maxSafeInteger().map((each) => (each === 0 ? 0 : each)),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.bigInt({ min: -(2n ** 63n), max: -(2n ** 53n) }),
    text,
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(
      text.filter((key) => key !== '__proto__'),
      tie('value'),
      {
        maxKeys: 20,
        noNullPrototype: true,
      },
    ),
  ),
})).value;

test('I40: the bytes of every kind of value are the committed ones', (t) => {
  for (const [value, hex] of GOLDEN) {
    t.is(toHex(encodeValue(value)), hex);
    t.deepEqual(decodeValue(encodeValue(value)), value);
  }
});

test('I40: decoding what was encoded gives the value back', (t) => {
  fc.assert(
    fc.property(anyValue, (value) => {
      t.deepEqual(decodeValue(encodeValue(value)), value);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('I40: any bytes either are refused or are the canonical form of what they decode to', (t) => {
  const mutated = fc
    .tuple(anyValue, fc.nat(), fc.nat(255), fc.nat(2))
    .map(([value, at, byte, more]) => {
      const bytes = encodeValue(value);
      bytes[at % bytes.length] = byte;
      return Uint8Array.from([...bytes, ...new Uint8Array(more)]);
    });
  const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated);
  fc.assert(
    fc.property(bytes, (input) => {
      const value = decodeValue(input);
      if (value !== undefined) t.is(toHex(encodeValue(value)), toHex(input));
    }),
    { numRuns: 3000 },
  );
  t.pass();
});

test('msgpackr reads the same value from the bytes', (t) => {
  const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: true });
  const plain = (value: unknown): unknown => {
    if (value instanceof Uint8Array) return Uint8Array.from(value);
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== 'object') return normal(value);
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
  };
  const normal = (value: unknown): unknown =>
    typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  fc.assert(
    fc.property(anyValue, (value) => {
      t.deepEqual(plain(unpackr.unpack(encodeValue(value))), plain(value));
    }),
  );
  t.pass();
});

const REFUSED: readonly (readonly [string, string])[] = [
  ['nothing', ''],
  ['trailing bytes', '0101'],
  ['an integer that is not in its shortest form', 'cc7f'],
  ['a negative integer that is not in its shortest form', 'd0ff'],
  ['a positive integer in a signed form', 'd07f'],
  ['a length that is not in its shortest form', 'd90161'],
  ['a float', 'cb3ff0000000000000'],
  ['an extension', 'd40100'],
  ['keys out of order', '82a16201a16101'],
  ['a key twice', '82a16101a16102'],
  ['a key that is not text', '810101'],
  ['the key __proto__', '81a95f5f70726f746f5f5f01'],
  ['an overlong UTF-8 form', 'a2c080'],
  ['a surrogate in UTF-8', 'a3eda080'],
  ['a code point beyond U+10FFFF', 'a4f4908080'],
  ['text that ends inside a character', 'a2e282'],
  ['an array that claims more than there is', 'ddffffffff'],
  ['33 levels', `${'91'.repeat(33)}01`],
];

for (const [what, hex] of REFUSED) {
  test(`I40: refuses ${what}`, (t) => {
    t.is(decodeValue(Uint8Array.from(Buffer.from(hex, 'hex'))), undefined);
  });
}

test('refuses to encode what has no canonical form', (t) => {
  const cyclic: Value[] = [];
  cyclic.push(cyclic);
  const bad: unknown[] = [1.5, Number.NaN, 2 ** 60, 2n ** 64n, '\ud800', undefined, cyclic];
  for (const each of bad) t.throws(() => encodeValue(each as Value), { instanceOf: NotAValue });
});

test('text is ordered as its UTF-8 bytes', (t) => {
  const any = fc.string({ unit: 'binary', maxLength: 4 });
  fc.assert(
    fc.property(any, any, (a, b) => {
      const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
      t.is(Math.sign(compareText(a, b)), expected);
    }),
  );
  t.pass();
});
