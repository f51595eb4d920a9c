import test from 'ava';
import fc from 'fast-check';
import { Packr } from 'msgpackr';
import { DEFAULT_LIMITS } from '../../protocols/genesis.ts';
import { Problem } from '../../src/edge/problem.ts';
import { parseJson, VALUES_MAX } from '../../src/edge/strict-json.ts';
import { parseMsgpack } from '../../src/edge/strict-msgpack.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const packr = new Packr({ useRecords: false, moreTypes: false });

for (const text of [
  '{}',
  ' [ 1 , -2.5e3 , true , false , null , "a\\u00e9\\n\\"" ] ',
  '{"a":{"b":[{}]},"c":""}',
  '0',
  '"\\ud83d\\ude00"',
]) {
  test(`reads ${text} as JSON.parse does`, (t) => {
    t.deepEqual(parseJson(bytes(text)), { value: JSON.parse(text) as unknown });
  });
}

const REFUSED: readonly (readonly [string, string | Uint8Array])[] = [
  ['nothing at all', ''],
  ['an open object', '{"a":1'],
  ['an open string', '"abc'],
  ['two values', '1 2'],
  ['a trailing comma', '[1,]'],
  ['a name that stands twice', '{"a":1,"a":2}'],
  ['a name that stands twice in other letters', '{"a":1,"\\u0061":2}'],
  ['__proto__', '{"__proto__":{"admin":true}}'],
  ['constructor', '{"constructor":1}'],
  ['a number with a leading zero', '01'],
  ['a number beyond 2^53', '9007199254740993'],
  ['a number beyond a double', '1e400'],
  ['a number of a thousand digits', '1'.repeat(1000)],
  ['NaN', 'NaN'],
  ['a comment', '1 // one'],
  ['single quotes', "{'a':1}"],
  ['a raw control character', '"a\u0001"'],
  ['half a surrogate pair', '"\\ud83d"'],
  ['a byte order mark', '\ufeff{}'],
  ['bytes that are not UTF-8', Uint8Array.of(0x22, 0xff, 0xfe, 0x22)],
  ['an overlong encoding', Uint8Array.of(0x22, 0xc0, 0x80, 0x22)],
  ['a depth bomb', '['.repeat(100_000)],
  ['a closed depth bomb', '['.repeat(100_000) + ']'.repeat(100_000)],
  ['an object depth bomb', '{"a":'.repeat(50_000)],
];

for (const [name, body] of REFUSED) {
  test(`refuses JSON with ${name}`, (t) => {
    const parsed = parseJson(typeof body === 'string' ? bytes(body) : body);
    t.true(parsed instanceof Problem && parsed.status === 400);
  });
}

test('pollutes no prototype', (t) => {
  parseJson(bytes('{"__proto__":{"polluted":true}}'));
  parseMsgpack(packr.pack({ a: 1 }));
  t.false('polluted' in {});
});

test('reads every JSON value as JSON.parse does', (t) => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 8 }), (text) => {
      const parsed = parseJson(bytes(text));
      // Refused are only numbers and names that JSON.parse would take.
      if (!(parsed instanceof Problem)) t.deepEqual(parsed.value, JSON.parse(text) as unknown);
      else t.regex(parsed.detail, /double|not allowed|surrogate/);
    }),
    { numRuns: 300 },
  );
  t.pass();
});

test('never throws on any bytes, as JSON or as msgpack', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
      parseJson(body);
      parseMsgpack(body);
    }),
    { numRuns: 3_000 },
  );
  t.pass();
});

test('never throws on bytes that are nearly JSON', (t) => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"a"',
    ':',
    ',',
    '1',
    '-',
    'e',
    'true',
    '\\',
    '"',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 40 }), (text) => {
      parseJson(bytes(text.join('')));
    }),
    { numRuns: 2_000 },
  );
  t.pass();
});

test('reads every msgpack value that a client library writes', (t) => {
  const value = fc.letrec((tie) => ({
    leaf: fc.oneof(
      fc.integer(),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.string({ unit: 'grapheme', maxLength: 40 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    ),
    node: fc.oneof(
      { maxDepth: 4 },
      tie('leaf'),
      fc.array(tie('node'), { maxLength: 20 }),
      fc.dictionary(
        fc.string({ maxLength: 8 }).filter((name) => !['__proto__', 'constructor'].includes(name)),
        tie('node'),
        { maxKeys: 20, noNullPrototype: true },
      ),
    ),
  })).node;
  fc.assert(
    fc.property(value, (each) => {
      const parsed = parseMsgpack(packr.pack(each));
      t.false(parsed instanceof Problem);
      if (!(parsed instanceof Problem)) t.deepEqual(parsed.value, packr.unpack(packr.pack(each)));
    }),
    { numRuns: 300 },
  );
});

test('reads 64-bit integers and bytes out of msgpack', (t) => {
  const big = 2n ** 63n - 1n;
  t.deepEqual(parseMsgpack(packr.pack({ big, raw: Uint8Array.of(1, 2) })), {
    value: { big, raw: Uint8Array.of(1, 2) },
  });
});

const MSGPACK_REFUSED: readonly (readonly [string, readonly number[]])[] = [
  ['nothing', []],
  ['a length beyond the body', [0xdd, 0xff, 0xff, 0xff, 0xff]],
  ['a map longer than the body', [0xdf, 0xff, 0xff, 0xff, 0xff, 0x00]],
  ['a string cut short', [0xa5, 0x61]],
  ['bytes left over', [0x01, 0x02]],
  ['an extension type', [0xd4, 0x01, 0x00]],
  ['a timestamp', [0xd6, 0xff, 0, 0, 0, 0]],
  ['the tag that is never used', [0xc1]],
  ['NaN', [0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0]],
  ['a name that is not text', [0x81, 0x01, 0x02]],
  ['a name twice', [0x82, 0xa1, 0x61, 0x01, 0xa1, 0x61, 0x02]],
  ['text that is not UTF-8', [0xa1, 0xff]],
  ['a depth bomb', Array.from({ length: 50_000 }, () => 0x91)],
];

for (const [name, body] of MSGPACK_REFUSED) {
  test(`refuses msgpack with ${name}`, (t) => {
    const parsed = parseMsgpack(Uint8Array.from(body));
    t.true(parsed instanceof Problem && parsed.status === 400);
  });
}

test('refuses msgpack with __proto__ as a name', (t) => {
  const parsed = parseMsgpack(Uint8Array.from([0x81, 0xa9, ...bytes('__proto__'), 0x80]));
  t.true(parsed instanceof Problem);
});

/** Documents of so many values and names: one list and what is in it. */
const CROWDS: readonly (readonly [string, (values: number) => unknown])[] = [
  ['numbers', (values) => Array.from({ length: values - 1 }, () => 1)],
  ['empty lists', (values) => Array.from({ length: values - 1 }, () => [])],
  ['empty objects', (values) => Array.from({ length: values - 1 }, () => ({}))],
  [
    'members',
    (values) => [
      ...Array.from({ length: values % 2 }, () => 1),
      Object.fromEntries(Array.from({ length: values / 2 - 1 }, (_, at) => [`n${at}`, 1])),
    ],
  ],
];

for (const [what, crowd] of CROWDS) {
  test(`reads as many ${what} as it says, and refuses one more`, (t) => {
    for (const [write, parse] of [
      [(value: unknown) => bytes(JSON.stringify(value)), parseJson],
      [(value: unknown) => packr.pack(value), parseMsgpack],
    ] as const) {
      t.false(parse(write(crowd(VALUES_MAX))) instanceof Problem);
      const refused = parse(write(crowd(VALUES_MAX + 1)));
      t.true(refused instanceof Problem && refused.code === 'too_many_values');
      t.true(refused instanceof Problem && refused.status === 413);
      t.true(refused instanceof Problem && refused.detail.includes(String(VALUES_MAX)));
    }
  });
}

test('the longest submission of transfers has room five times over', (t) => {
  const { transactionsPerSubmissionMax } = DEFAULT_LIMITS;
  const transfer = { from: 'alice', to: 'bob', amount: 1, memo: 'm', reference: 'r' };
  const call = { module: 'ledger', command: 'transfer', args: transfer };
  const transactions = Array.from({ length: 5 * transactionsPerSubmissionMax }, () => call);
  t.false(parseJson(bytes(JSON.stringify({ transactions }))) instanceof Problem);
});
