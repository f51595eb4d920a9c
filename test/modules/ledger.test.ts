import test from 'ava';
import fc from 'fast-check';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { minus, plus } from '../../src/modules/ledger/amount.ts';
import { alice, bob } from '../transaction/fixture.ts';
import { World } from './run.ts';

const MAX = 2n ** 63n - 1n;
const aliceName = `key:${alice.publicKey}`;
const bobName = `key:${bob.publicKey}`;

const call = (command: string, args: Value): Call => ({ module: 'ledger', command, args });
const open = (account: string, owner?: string): Call =>
  call('open', owner === undefined ? { account } : { account, owner });
const issue = (account: string, amount: number | bigint): Call =>
  call('issue', { account, amount });
const transfer = (from: string, to: string, amount: number | bigint): Call =>
  call('transfer', { from, to, amount });

function world(): World {
  const world = new World({ ledger: { issuers: [aliceName] } });
  world.run([open('a'), open('b', bobName), issue('a', 100)]);
  return world;
}

const balance = (of: World, account: string): unknown =>
  (of.ask('ledger', 'account', { account }) as { balance: string }).balance;

test('moves an amount from one account to another', (t) => {
  const w = world();
  t.deepEqual(w.run([transfer('a', 'b', 30)]), ['ok']);
  t.deepEqual(w.ask('ledger', 'account', { account: 'a' }), {
    account: 'a',
    owner: aliceName,
    balance: '70',
  });
  t.is(balance(w, 'b'), '30');
  t.deepEqual(w.ask('ledger', 'supply', {}), { supply: '100' });
});

const refused: readonly (readonly [string, Call, string])[] = [
  ['an overdraft', transfer('a', 'b', 101), 'insufficient_funds'],
  ['nothing', transfer('a', 'b', 0), 'zero_amount'],
  ['a transfer to itself', transfer('a', 'a', 1), 'self_transfer'],
  ['a transfer to nowhere', transfer('a', 'nowhere', 1), 'account_not_found'],
  ['a transfer from nowhere', transfer('nowhere', 'a', 1), 'account_not_found'],
  ['to take from the account of another', transfer('b', 'a', 1), 'not_owner'],
  ['to open an account twice', open('a'), 'account_exists'],
  ['to issue nothing', issue('a', 0), 'zero_amount'],
  ['to issue to nowhere', issue('nowhere', 1), 'account_not_found'],
  ['to issue more than an amount can be', issue('a', MAX), 'overflow'],
  ['a negative amount', transfer('a', 'b', -1), 'invalid_args'],
  ['an amount that is text', call('transfer', { from: 'a', to: 'b', amount: '1' }), 'invalid_args'],
  ['an amount beyond 2^63 - 1', transfer('a', 'b', MAX + 1n), 'invalid_args'],
  ['an argument too many', call('open', { account: 'x', colour: 'red' }), 'invalid_args'],
  ['an argument too few', call('transfer', { from: 'a', to: 'b' }), 'invalid_args'],
  ['a name that is none', open('no spaces'), 'invalid_args'],
  ['an owner that is none', open('x', 'somebody'), 'invalid_args'],
];

for (const [what, each, code] of refused) {
  test(`Q2: refuses ${what} with ${code}`, (t) => {
    const w = world();
    const before = w.chain.executor.state.checkpoint();
    const rows = () => ['a', 'b'].map((account) => balance(w, account));
    const were = rows();
    t.deepEqual(w.run([each]), [code]);
    t.deepEqual(rows(), were);
    t.is(typeof before, 'string');
  });
}

test('Q1: only an issuer of the genesis issues', (t) => {
  const w = world();
  t.deepEqual(w.run([issue('b', 5)], bob), ['not_issuer']);
  t.deepEqual(w.run([issue('b', 5)]), ['ok']);
  t.deepEqual(w.ask('ledger', 'supply', {}), { supply: '105' });
});

test('Q1, Q2: whatever is tried, the balances add up to the supply and none is negative', (t) => {
  const names = ['a', 'b', 'c'];
  const name = fc.constantFrom(...names);
  const amount = fc.oneof(
    fc.nat(200).map(BigInt),
    fc.bigInt({ min: 2n ** 53n - 2n, max: 2n ** 53n + 2n }),
    fc.bigInt({ min: MAX - 3n, max: MAX }),
  );
  const anyCall = fc.oneof(
    fc.tuple(name, amount).map(([account, n]) => issue(account, n)),
    fc.tuple(name, name, amount).map(([from, to, n]) => transfer(from, to, n)),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(anyCall, fc.boolean()), { maxLength: 30 }), (calls) => {
      const w = world();
      w.run([open('c')]);
      for (const [each, asBob] of calls) w.run([each], asBob ? bob : alice);
      const sum = names.reduce(
        (total, account) => total + BigInt(balance(w, account) as string),
        0n,
      );
      const { supply } = w.ask('ledger', 'supply', {}) as { supply: string };
      t.is(sum.toString(), supply);
      t.true(sum <= MAX);
      t.true(names.every((account) => BigInt(balance(w, account) as string) >= 0n));
    }),
    { numRuns: 60 },
  );
});

test('amounts are exact on both sides of 2^53', (t) => {
  const amount = fc.bigInt({ min: 0n, max: MAX });
  const near = fc.bigInt({ min: 2n ** 53n - 5n, max: 2n ** 53n + 5n });
  const any = fc.oneof(amount, near, fc.bigInt({ min: 0n, max: 9n }));
  const normal = (n: bigint) => (n < 2n ** 53n ? Number(n) : n);
  fc.assert(
    fc.property(any, any, (a, b) => {
      const sum = plus(normal(a), normal(b));
      t.is(sum, a + b > MAX ? null : normal(a + b));
      const [low, high] = a < b ? [a, b] : [b, a];
      t.is(minus(normal(high), normal(low)), normal(high - low));
    }),
  );
});

test('lists accounts in order, page by page', (t) => {
  const w = new World({
    ledger: {
      accounts: ['d', 'b', 'a', 'c'].map((account) => ({ account, owner: bobName, balance: '1' })),
    },
  });
  const page = w.ask('ledger', 'accounts', { limit: 2 }) as Record<string, unknown>;
  t.deepEqual(
    (page['accounts'] as { account: string }[]).map(({ account }) => account),
    ['a', 'b'],
  );
  t.is(page['next'], 'b');
  const rest = w.ask('ledger', 'accounts', { limit: 2, after: 'b' }) as Record<string, unknown>;
  t.is(rest['next'], null);
  t.is((rest['accounts'] as unknown[]).length, 2);
});

const badGenesis: readonly (readonly [string, unknown, RegExp])[] = [
  ['an issuer that is no sender', { issuers: ['x'] }, /issuers/],
  ['an unknown field', { issuer: [] }, /issuer: unknown/],
  [
    'an account twice',
    { accounts: Array(2).fill({ account: 'a', owner: bobName, balance: '1' }) },
    /a: named twice/,
  ],
  [
    'a balance that is none',
    { accounts: [{ account: 'a', owner: bobName, balance: '-1' }] },
    /balance/,
  ],
];

for (const [what, ledger, message] of badGenesis) {
  test(`a genesis with ${what} is refused by name`, (t) => {
    t.throws(() => new World({ ledger }), { message });
  });
}
