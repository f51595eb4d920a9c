import test from 'ava';
import fc from 'fast-check';
import type { Call } from '../../../protocols/transaction/submission.ts';
import { minus, plus } from '../../../src/modules/ledger/amount.ts';
import { alice, bob } from '../../transaction/fixture.ts';
import { World } from '../run.ts';
import { account, aliceName, balance, bobName, books, call, codes, issue, MAX } from './books.ts';
import { open, transfer } from './books.ts';

test('moves an amount from one account to another', (t) => {
  const w = books();
  t.deepEqual(w.run([transfer('a', 'b', 30)]), ['ok']);
  t.deepEqual(account(w, 'a'), {
    account: 'a',
    owner: aliceName,
    asset: 'unit',
    code: 0,
    flags: ['debitsMustNotExceedCredits'],
    debitsPosted: '30',
    creditsPosted: '100',
    debitsPending: '0',
    creditsPending: '0',
    balance: '70',
    available: '70',
  });
  t.is(balance(w, 'b'), '30');
  t.is(balance(w, 'issued:unit'), '-100');
  t.deepEqual(w.ask('ledger', 'supply', {}), { supply: '100' });
});

const refused: readonly (readonly [string, Call, string])[] = [
  ['an overdraft', transfer('a', 'b', 101), 'exceeds_credits'],
  ['a transfer to itself', transfer('a', 'a', 1), 'accounts_must_be_different'],
  ['a transfer to nowhere', transfer('a', 'nowhere', 1), 'credit_account_not_found'],
  ['a transfer from nowhere', transfer('nowhere', 'a', 1), 'debit_account_not_found'],
  ['to take from the account of another', transfer('b', 'a', 1), 'not_owner'],
  ['to take from the account that issues', transfer('issued:unit', 'a', 1), 'not_owner'],
  ['another asset', transfer('a', 'e', 1), 'accounts_must_have_the_same_ledger'],
  ['to credit what owes nothing', transfer('a', 'owed', 1), 'exceeds_debits'],
  ['to issue to nowhere', issue('nowhere', 1), 'credit_account_not_found'],
  ['to issue more than an amount can be', issue('a', MAX), 'overflows_debits_posted'],
  ['a negative amount', transfer('a', 'b', -1), 'invalid_args'],
  ['an amount that is text', call('transfer', { from: 'a', to: 'b', amount: '1' }), 'invalid_args'],
  ['an amount beyond 2^63 - 1', transfer('a', 'b', MAX + 1n), 'invalid_args'],
  ['an argument too many', open('x', { colour: 'red' }), 'invalid_args'],
  ['an argument too few', call('transfer', { from: 'a', to: 'b' }), 'invalid_args'],
  ['an id of the ledger’s own kind', transfer('a', 'b', 1, '@1'), 'invalid_args'],
  ['a name that is none', open('no spaces'), 'invalid_args'],
  ['an owner that is none', open('x', { owner: 'somebody' }), 'invalid_args'],
  ['no events', call('createTransfers', { transfers: [] }), 'invalid_args'],
  [
    'more events than one command may have',
    call('createTransfers', { transfers: Array(65).fill({ from: 'a', to: 'b', amount: 1 }) }),
    'invalid_args',
  ],
  [
    'a flag that is none',
    call('createTransfers', { transfers: [{ from: 'a', to: 'b', amount: 1, flags: ['x'] }] }),
    'invalid_args',
  ],
];

for (const [what, each, code] of refused) {
  test(`Q2, Q4: refuses ${what} with ${code}, and nothing changes`, (t) => {
    const w = books();
    const were = w.ask('ledger', 'accounts', {});
    t.deepEqual(w.run([each]), [code]);
    t.deepEqual(w.ask('ledger', 'accounts', {}), were);
  });
}

test('Q1: only an issuer of an asset issues it, and adds assets', (t) => {
  const w = books();
  t.deepEqual(w.run([issue('b', 5)], bob), ['not_issuer']);
  t.deepEqual(w.run([issue('b', 5)]), ['ok']);
  t.deepEqual(w.ask('ledger', 'supply', {}), { supply: '105' });
  const add = call('addAsset', { asset: 'GBP', issuers: [bobName] });
  t.deepEqual(w.run([add], bob), ['not_issuer']);
  t.deepEqual(w.run([add, add, open('g', { asset: 'GBP' })]), ['ok', 'asset_exists', 'ok']);
  t.deepEqual(w.run([issue('g', 7)]), ['not_issuer']);
  t.deepEqual(w.run([issue('g', 7)], bob), ['ok']);
  t.deepEqual(w.ask('ledger', 'asset', { asset: 'GBP' }), {
    asset: 'GBP',
    issuers: [bobName],
    account: 'issued:GBP',
    issued: '7',
    redeemed: '0',
    supply: '7',
  });
  t.is(w.ask('ledger', 'asset', { asset: 'DM' }), 'asset_not_found');
  const { assets } = w.ask('ledger', 'assets', {}) as { assets: { asset: string }[] };
  t.deepEqual(
    assets.map(({ asset }) => asset),
    ['EUR', 'GBP', 'unit'],
  );
});

test('Q1: what is given back to the issuing account is no supply any more', (t) => {
  const w = books();
  t.deepEqual(w.run([transfer('a', 'issued:unit', 40), transfer('a', 'loose', 10)]), ['ok', 'ok']);
  t.deepEqual(w.ask('ledger', 'supply', {}), { supply: '50' });
  t.deepEqual(w.run([transfer('loose', 'a', 35)]), ['ok']);
  t.deepEqual(w.ask('ledger', 'supply', {}), { supply: '85' });
});

test('Q1: an issue under an id is made once', (t) => {
  const w = books();
  const once = call('issue', { account: 'a', amount: 5, id: 'i' });
  t.deepEqual(w.run([once, once]), ['ok', 'exists']);
  t.is(balance(w, 'a'), '105');
});

test('an event says what was opened, issued, and transferred under an id; a plain transfer says nothing', (t) => {
  const w = books();
  const names = w
    .receipts([
      open('x', { owner: bobName }),
      issue('a', 5),
      transfer('a', 'b', 1),
      transfer('a', 'b', 1, 'known'),
      call('addAsset', { asset: 'X' }),
    ])
    .map(({ events }) => events);
  const about = (name: string, data: object) => [{ module: 'ledger', name, data }];
  t.deepEqual(names, [
    about('opened', { account: 'x', owner: bobName, asset: 'unit' }),
    about('issued', { account: 'a', asset: 'unit', amount: '5' }),
    [],
    about('transferred', { id: 'known', from: 'a', to: 'b', amount: '1' }),
    about('assetAdded', { asset: 'X' }),
  ] as never);
});

const accountCodes: readonly (readonly [object, string])[] = [
  [{ account: 'issued:XY', owner: 'module:x' }, 'reserved_name'],
  [
    { account: 'a', owner: bobName, flags: [], asset: 'EUR', code: 1 },
    'exists_with_different_owner',
  ],
  [
    { account: 'a', flags: [], userData: 'u', asset: 'EUR', code: 1 },
    'exists_with_different_flags',
  ],
  [{ account: 'a', userData: 'u', asset: 'EUR', code: 1 }, 'exists_with_different_user_data'],
  [{ account: 'a', asset: 'EUR', code: 1 }, 'exists_with_different_ledger'],
  [{ account: 'a', code: 1 }, 'exists_with_different_code'],
  [{ account: 'a' }, 'exists'],
  [
    {
      account: 'new',
      flags: ['debitsMustNotExceedCredits', 'creditsMustNotExceedDebits'],
      asset: 'none',
    },
    'flags_are_mutually_exclusive',
  ],
  [{ account: 'new', asset: 'none', flags: [] }, 'asset_not_found'],
  [{ account: 'new', flags: ['linked'] }, 'linked_event_chain_open'],
];

for (const [event, code] of accountCodes) {
  test(`opening ${JSON.stringify(event)} gets ${code}`, (t) => {
    t.deepEqual(codes(books(), call('createAccounts', { accounts: [event] as never })), [code]);
  });
}

test('Q3: only an issuer of its asset opens an account that may be overdrawn', (t) => {
  const w = books();
  const loose = (flags: string[]): Call => open('mine', { flags });
  t.deepEqual(w.run([loose([]), loose(['creditsMustNotExceedDebits'])], bob), [
    'not_issuer',
    'not_issuer',
  ]);
  t.deepEqual(w.run([loose(['debitsMustNotExceedCredits'])], bob), ['ok']);
});

test('Q7: accounts that are linked are opened together or not at all', (t) => {
  const w = books();
  const flags = ['linked', 'debitsMustNotExceedCredits'];
  const accounts = [
    { account: 'x', flags },
    { account: 'a', asset: 'EUR' },
    { account: 'y', flags },
    { account: 'z' },
  ];
  t.deepEqual(codes(w, call('createAccounts', { accounts })), [
    'linked_event_failed',
    'exists_with_different_ledger',
    'ok',
    'ok',
  ]);
  t.is(w.ask('ledger', 'account', { account: 'x' }), 'account_not_found');
  t.deepEqual(account(w, 'y')['flags'], ['debitsMustNotExceedCredits']);
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
      accounts: ['d', 'b', 'a', 'c'].map((name) => ({
        account: name,
        owner: bobName,
        balance: '1',
      })),
    },
  });
  const page = w.ask('ledger', 'accounts', { limit: 2 }) as Record<string, unknown>;
  t.deepEqual(
    (page['accounts'] as { account: string }[]).map((each) => each.account),
    ['a', 'b'],
  );
  t.is(page['next'], 'b');
  const rest = w.ask('ledger', 'accounts', { limit: 3, after: 'b' }) as Record<string, unknown>;
  t.is(rest['next'], null);
  t.is((rest['accounts'] as unknown[]).length, 3);
  t.deepEqual(w.ask('ledger', 'supply', {}), { supply: '4' });
  t.is(w.ask('ledger', 'account', { account: 'nobody' }), 'account_not_found');
  t.is(w.run([call('open', { account: 'a' })], alice)[0], 'exists_with_different_owner');
});

const one = { account: 'a', owner: bobName, balance: '1' };
const badGenesis: readonly (readonly [string, unknown, RegExp])[] = [
  ['an issuer that is no sender', { issuers: ['x'] }, /issuers/],
  ['an unknown field', { issuer: [] }, /issuer: unknown/],
  ['an account twice', { accounts: [one, one] }, /a: named twice/],
  [
    'a name of the ledger’s own',
    { accounts: [{ ...one, account: 'issued:unit' }] },
    /issued:unit: /,
  ],
  ['an asset that is not there', { accounts: [{ ...one, asset: 'EUR' }] }, /no asset EUR/],
  ['an asset twice', { assets: [{ asset: 'unit', issuers: [] }] }, /unit: an asset named twice/],
  ['a balance that is none', { accounts: [{ ...one, balance: '-1' }] }, /balance/],
  [
    'more than there can be',
    {
      accounts: [
        { ...one, balance: String(MAX) },
        { ...one, account: 'b' },
      ],
    },
    /b: a sum of an account cannot exceed/,
  ],
];

for (const [what, ledger, message] of badGenesis) {
  test(`a genesis with ${what} is refused by name`, (t) => {
    t.throws(() => new World({ ledger }), { message });
  });
}
