/** One test for each code of createTransfers, and which comes first. */
import test from 'ava';
import type { Value } from '../../../protocols/transaction/values.ts';
import { bob } from '../../transaction/fixture.ts';
import { account, aliceName, balance, bobName, books, call, codes, many, MAX } from './books.ts';
import { issue, open, pend, transfer } from './books.ts';

/** Each event has all the faults of those below it, so that it is refused with the first one's code. */
const precedence: readonly (readonly [Value, string])[] = [
  [{ flags: ['pending'], amount: 1 }, 'id_must_not_be_zero'],
  [{ flags: ['pending'], id: 'failed', amount: 1 }, 'id_already_failed'],
  [{ pendingId: 'p', timeoutMs: 1 }, 'debit_account_id_must_not_be_zero'],
  [{ from: 'x', pendingId: 'p', timeoutMs: 1 }, 'credit_account_id_must_not_be_zero'],
  [{ from: 'x', to: 'x', pendingId: 'p' }, 'accounts_must_be_different'],
  [{ from: 'x', to: 'y', pendingId: 'p', timeoutMs: 1 }, 'pending_id_must_be_zero'],
  [
    { from: 'x', to: 'y', timeoutMs: 1, flags: ['closingDebit'] },
    'timeout_reserved_for_pending_transfer',
  ],
  [
    { from: 'x', to: 'y', poster: aliceName, flags: ['closingDebit'] },
    'closing_transfer_must_be_pending',
  ],
  [{ from: 'x', to: 'y', poster: aliceName }, 'poster_reserved_for_pending_transfer'],
  [{ from: 'x', to: 'y' }, 'amount_required'],
  [{ from: 'x', to: 'y', amount: 1 }, 'debit_account_not_found'],
  [{ from: 'b', to: 'y', amount: 1 }, 'credit_account_not_found'],
  [{ from: 'b', to: 'e', amount: 1, asset: 'X' }, 'not_owner'],
  [{ from: 'a', to: 'e', amount: 1, asset: 'X' }, 'accounts_must_have_the_same_ledger'],
  [
    { from: 'shut', to: 'b', amount: 101, asset: 'EUR' },
    'transfer_must_have_the_same_ledger_as_accounts',
  ],
  [{ from: 'shut', to: 'shut2', amount: 1 }, 'debit_account_already_closed'],
  [{ from: 'a', to: 'shut', amount: 101 }, 'credit_account_already_closed'],
  [
    { id: 'q', from: 'full', to: 'brim', amount: MAX, flags: ['pending'] },
    'overflows_debits_pending',
  ],
  [
    { id: 'q', from: 'loose', to: 'brim', amount: MAX, flags: ['pending'] },
    'overflows_credits_pending',
  ],
  [{ from: 'full', to: 'brim', amount: MAX }, 'overflows_debits_posted'],
  [{ from: 'loose', to: 'a', amount: MAX }, 'overflows_credits_posted'],
  [{ from: 'half', to: 'b', amount: MAX - 3n }, 'overflows_debits'],
  [{ from: 'loose', to: 'brim', amount: MAX - 3n }, 'overflows_credits'],
  [{ from: 'a', to: 'owed', amount: 101 }, 'exceeds_credits'],
  [{ from: 'a', to: 'owed', amount: 1 }, 'exceeds_debits'],
  [{ from: 'a', to: 'b', amount: 100 }, 'ok'],
];

/** `full` and `half` have debits, `brim` credits, of both kinds; `shut` and `shut2` are closed. */
function prepared() {
  const w = books();
  const closed = (name: string) => open(name, { flags: ['debitsMustNotExceedCredits', 'closed'] });
  const made = w.run([
    closed('shut'),
    closed('shut2'),
    open('full', { flags: [] }),
    open('half', { flags: [] }),
    open('brim'),
    open('sink'),
    transfer('full', 'brim', 3),
    call('pend', { id: 'p1', from: 'full', to: 'brim', amount: 2 }),
    call('pend', { id: 'p2', from: 'half', to: 'sink', amount: 5 }),
  ]);
  if (made.some((code) => code !== 'ok')) throw new Error(made.join());
  codes(w, many({ id: 'failed', from: 'a', to: 'b', amount: 1000 }));
  return w;
}

for (const [event, code] of precedence) {
  const shown = JSON.stringify(event, (_, value: unknown) =>
    typeof value === 'bigint' ? `${value}` : value,
  );
  test(`${shown} gets ${code}`, (t) => {
    t.deepEqual(codes(prepared(), many(event)), [code]);
  });
}

const first = { id: 'x', from: 'a', to: 'b', amount: 10, userData: 'u', code: 7 };
const held = { ...first, flags: ['pending'], timeoutMs: 1000, poster: bobName };
const known: readonly (readonly [Record<string, Value>, Record<string, Value>, string])[] = [
  [first, { flags: ['pending'], pendingId: 'p', from: 'q' }, 'exists_with_different_flags'],
  [first, { pendingId: 'p', timeoutMs: 1, from: 'q' }, 'exists_with_different_pending_id'],
  [held, { timeoutMs: 1, poster: aliceName }, 'exists_with_different_timeout'],
  [held, { poster: aliceName, from: 'q' }, 'exists_with_different_poster'],
  [first, { from: 'q', to: 'a' }, 'exists_with_different_debit_account_id'],
  [first, { to: 'q', amount: 1 }, 'exists_with_different_credit_account_id'],
  [first, { amount: 11, userData: 'v' }, 'exists_with_different_amount'],
  [first, { userData: 'v', asset: 'EUR' }, 'exists_with_different_user_data'],
  [first, { asset: 'EUR', code: 8 }, 'exists_with_different_ledger'],
  [first, { code: 8 }, 'exists_with_different_code'],
  [first, { asset: 'unit' }, 'exists'],
];

for (const [event, other, code] of known) {
  test(`Q5: what has the id of another transfer and ${JSON.stringify(other)} gets ${code}`, (t) => {
    const w = books();
    t.deepEqual(codes(w, many(event)), ['ok']);
    t.deepEqual(codes(w, many({ ...event, ...other })), [code]);
    t.is(account(w, 'a')['available'], '90');
  });
}

test('Q5: an id that failed for what another time might succeed is used up, but not one refused alone', (t) => {
  const w = books();
  const event = { id: 'x', from: 'a', to: 'b', amount: 101 };
  t.deepEqual(codes(w, many(event)), ['exceeds_credits']);
  w.run([issue('a', 1000)]);
  t.deepEqual(codes(w, many(event)), ['id_already_failed']);
  t.deepEqual(codes(w, many({ ...event, id: 'y', asset: 'EUR' })), [
    'transfer_must_have_the_same_ledger_as_accounts',
  ]);
  t.deepEqual(codes(w, many({ ...event, id: 'y' })), ['ok']);
  t.deepEqual(w.run([transfer('b', 'a', 999, 'z')], bob), ['exceeds_credits']);
  t.deepEqual(w.run([transfer('b', 'a', 1, 'z')], bob), ['ok'], 'nothing remains of a transaction');
});

test('Q5: a transfer is kept if it has an id, or if an account of it keeps history', (t) => {
  const w = books();
  w.run([transfer('a', 'b', 1), transfer('a', 'b', 2, 'two'), transfer('a', 'kept', 3)]);
  const { transfers } = w.ask('ledger', 'accountTransfers', { account: 'kept' }) as {
    transfers: { transfer: string; amount: string }[];
  };
  t.is(transfers.length, 1);
  t.regex(transfers[0]!.transfer, /^@\d+$/);
  t.like(w.ask('ledger', 'transfer', { transfer: transfers[0]!.transfer }), { to: 'kept' });
  t.like(w.ask('ledger', 'transfer', { transfer: 'two' }), { amount: '2' });
  t.is(w.ask('ledger', 'transfer', { transfer: 'one' }), 'transfer_not_found');
});

test('a balancing transfer moves what the balances allow, and is the same when it comes again', (t) => {
  const w = books();
  const all = { id: 'x', from: 'a', to: 'b', flags: ['balancingDebit'] };
  w.run([pend('p', 30)]);
  t.deepEqual(codes(w, many(all)), ['ok']);
  t.is(balance(w, 'b'), '70');
  t.deepEqual(codes(w, many(all, { ...all, amount: 70 }, { ...all, amount: 69 })), [
    'exists',
    'exists',
    'exists_with_different_amount',
  ]);
  t.deepEqual(
    codes(w, many({ from: 'loose', to: 'owed', amount: 5, flags: ['balancingCredit'] })),
    ['ok'],
  );
  t.is(balance(w, 'owed'), '0');
  t.deepEqual(codes(w, many({ from: 'owed', to: 'b', amount: 5 })), ['ok']);
  t.deepEqual(
    codes(w, many({ from: 'loose', to: 'owed', amount: 9, flags: ['balancingCredit'] })),
    ['ok'],
  );
  t.is(balance(w, 'owed'), '0');
  t.is(balance(w, 'loose'), '-5');
});

test('Q7: events that are linked succeed together or not at all, and the others go on', (t) => {
  const w = books();
  const linked = ['linked'];
  const move = (amount: number, more: Record<string, Value> = {}): Value => ({
    from: 'a',
    to: 'b',
    amount,
    ...more,
  });
  const results = codes(
    w,
    many(
      move(1),
      move(2, { flags: linked, id: 'gone' }),
      move(3, { flags: ['linked', 'pending'], id: 'gone2', timeoutMs: 10 }),
      move(1000, { flags: linked, id: 'failed' }),
      move(4),
      move(5, { flags: linked, id: 'kept' }),
      move(6),
      move(7, { flags: linked }),
      move(8, { flags: linked }),
    ),
  );
  t.deepEqual(results, [
    'ok',
    'linked_event_failed',
    'linked_event_failed',
    'exceeds_credits',
    'linked_event_failed',
    'ok',
    'ok',
    'linked_event_failed',
    'linked_event_chain_open',
  ]);
  t.is(balance(w, 'b'), '12');
  t.is(account(w, 'a')['debitsPending'], '0');
  t.is(w.ask('ledger', 'transfer', { transfer: 'gone' }), 'transfer_not_found');
  t.like(w.ask('ledger', 'transfer', { transfer: 'kept' }), { amount: '5', flags: linked });
  t.deepEqual(codes(w, many(move(1, { id: 'gone' }), move(1, { id: 'failed' }))), [
    'ok',
    'id_already_failed',
  ]);
  for (let block = 0; block < 3; block++) w.chain.next([]);
  t.is(account(w, 'a')['debitsPending'], '0');
});

test('Q7: an event of a chain sees what those before it did', (t) => {
  const w = books();
  const chain = [
    { from: 'a', to: 'b', amount: 60, flags: ['linked'] },
    { from: 'a', to: 'b', amount: 41 },
  ];
  t.deepEqual(codes(w, many(...chain)), ['linked_event_failed', 'exceeds_credits']);
  const held = { id: 'p', from: 'a', to: 'b', amount: 60, flags: ['linked', 'pending'] };
  const post = { pendingId: 'p', flags: ['postPendingTransfer'] };
  t.deepEqual(codes(w, many({ ...held, poster: aliceName }, post)), ['ok', 'ok']);
  t.is(balance(w, 'b'), '60');
});
