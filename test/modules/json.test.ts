import test from 'ava';
import fc from 'fast-check';
import { decodeValue } from '../../protocols/transaction/value-reader.ts';
import { encodeValue, type Value } from '../../protocols/transaction/values.ts';
import { builtInModules } from '../../src/modules/built-in.ts';
import { ModuleCatalog } from '../../src/modules/catalog.ts';
import { toJson } from '../../src/modules/from-json.ts';

const catalog = new ModuleCatalog(builtInModules);

const fits: readonly (readonly [string, unknown, unknown])[] = [
  ['decimal text', '5', 5],
  ['a large amount', '9223372036854775807', 2n ** 63n - 1n],
  ['a number', 7, 7],
  ['a bigint from msgpack', 8n, 8],
];

for (const [what, amount, expected] of fits) {
  test(`an amount may be ${what}`, (t) => {
    const result = catalog.commandArgs('ledger', 'transfer', { from: 'a', to: 'b', amount });
    t.deepEqual(result, { ok: true, args: { from: 'a', to: 'b', amount: expected as number } });
  });
}

const misfits: readonly (readonly [string, string, string, unknown, string, string])[] = [
  ['an unknown module', 'nope', 'x', {}, 'unknown_module', ''],
  ['an unknown command', 'ledger', 'steal', {}, 'unknown_command', ''],
  ['the name of an object method', 'ledger', 'toString', {}, 'unknown_command', ''],
  ['a fraction', 'ledger', 'issue', { account: 'a', amount: 0.5 }, 'invalid_args', 'amount'],
  [
    'hex for an amount',
    'ledger',
    'issue',
    { account: 'a', amount: '0x1' },
    'invalid_args',
    'amount',
  ],
  ['a leading zero', 'ledger', 'issue', { account: 'a', amount: '01' }, 'invalid_args', 'amount'],
  [
    'a number too large',
    'ledger',
    'issue',
    { account: 'a', amount: 2 ** 60 },
    'invalid_args',
    'amount',
  ],
  [
    'a negative amount',
    'ledger',
    'issue',
    { account: 'a', amount: '-1' },
    'invalid_args',
    'amount',
  ],
  ['a missing argument', 'ledger', 'issue', { account: 'a' }, 'invalid_args', 'amount'],
  ['an unknown argument', 'ledger', 'open', { account: 'a', x: 1 }, 'invalid_args', 'x'],
  ['a bad name', 'ledger', 'open', { account: 'a b' }, 'invalid_args', 'account'],
  ['a list', 'ledger', 'open', [], 'invalid_args', ''],
  ['null', 'ledger', 'open', null, 'invalid_args', ''],
  [
    'a fraction inside a value',
    'kv',
    'set',
    { namespace: 'n', key: 'k', value: { a: [1, 1.5] } },
    'invalid_args',
    'value.a[1]',
  ],
  [
    'a reserved key',
    'kv',
    'set',
    { namespace: 'n', key: 'k', value: JSON.parse('{"__proto__":1}') as unknown },
    'invalid_args',
    'value',
  ],
];

for (const [what, module, command, json, code, field] of misfits) {
  test(`refuses ${what} as ${code}, naming ${field === '' ? 'no argument' : field}`, (t) => {
    const result = catalog.commandArgs(module, command, json);
    t.like(result, { ok: false, code, field });
  });
}

test('any JSON either is refused or gives arguments that execution accepts', (t) => {
  const ledger = builtInModules.find(({ name }) => name === 'ledger')!;
  const loose = fc.record(
    {
      from: fc.oneof(fc.constant('a'), fc.anything()),
      to: fc.oneof(fc.constant('b'), fc.string()),
      amount: fc.oneof(fc.nat().map(String), fc.anything()),
      memo: fc.string(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(loose, (json) => {
      const result = catalog.commandArgs('ledger', 'transfer', json);
      if (!result.ok) return;
      t.true(ledger.commands.get('transfer')!.check(result.args));
      const args = result.args as Readonly<Record<string, unknown>>;
      // Deep equality tells a negative zero from zero, and no value is one.
      const expected = args['amount'] === 0 ? { ...args, amount: 0 } : args;
      t.deepEqual(decodeValue(encodeValue(result.args)), expected as Value);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

test('the parameters of a URL are text, whatever the schema says', (t) => {
  t.deepEqual(catalog.queryArgs('kv', 'list', { namespace: 'n', limit: '5', prefix: '7' }, true), {
    ok: true,
    args: { namespace: 'n', limit: 5, prefix: '7' },
  });
  t.like(catalog.queryArgs('kv', 'list', { namespace: 'n', limit: '0' }, true), {
    ok: false,
    field: 'limit',
  });
  t.like(catalog.queryArgs('kv', 'list', { namespace: 'n', limit: 'x' }, true), {
    ok: false,
    field: 'limit',
  });
  t.like(catalog.queryArgs('kv', 'nothing', {}, true), { ok: false, code: 'unknown_query' });
});

test('the arguments of a query from JSON are no text: a spelled number is none', (t) => {
  t.like(catalog.queryArgs('kv', 'list', { namespace: 'n', limit: '5' }, false), {
    ok: false,
    field: 'limit',
  });
  t.like(catalog.queryArgs('kv', 'list', { namespace: 'n', limit: 5 }, false), { ok: true });
});

test('two modules of one name make no catalog', (t) => {
  const [first] = builtInModules;
  t.throws(() => new ModuleCatalog([...builtInModules, { ...first! }]), {
    message: `two modules have the name ${first!.name}`,
  });
});

test('values become JSON without losing what JSON cannot say', (t) => {
  t.deepEqual(toJson({ a: 2n ** 60n, b: Uint8Array.of(1, 255), c: [null, 'x', 3] }), {
    a: '1152921504606846976',
    b: '01ff',
    c: [null, 'x', 3],
  });
});

const AMOUNT = 'expected an integer from 0 to 2^63 - 1, as decimal text such as "1000"';
const NAME = 'expected 1 to 64 letters, digits, dots, dashes, colons or underscores';
const OWNER =
  'expected `key:` and 64 digits of lower-case hex, or `principal:` or `module:` and a name of 1 to 256 characters';
const sentences: readonly (readonly [string, string, object, string, string])[] = [
  ['ledger', 'issue', { account: 'a', amount: String(2n ** 63n) }, 'amount', AMOUNT],
  ['ledger', 'issue', { account: 'a', amount: '9'.repeat(30) }, 'amount', AMOUNT],
  ['ledger', 'issue', { account: 'a', amount: '-1' }, 'amount', AMOUNT],
  ['ledger', 'open', { account: 'a b' }, 'account', NAME],
  ['ledger', 'open', { account: 'a', owner: 'bob' }, 'owner', OWNER],
  [
    'kv',
    'set',
    { namespace: 'a/b', key: 'k', value: 1 },
    'namespace',
    'expected 1 to 64 letters, digits, dots, dashes or underscores',
  ],
];

for (const [module, command, args, field, message] of sentences) {
  test(`${JSON.stringify(args)} is told in words what fits ${field}`, (t) => {
    t.deepEqual(catalog.commandArgs(module, command, args), {
      ok: false,
      code: 'invalid_args',
      field,
      message,
    });
  });
}
