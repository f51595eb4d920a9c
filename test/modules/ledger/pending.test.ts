/** Two phases: who posts, what refuses, and how time ends it. */
import test from 'ava';
import { RECEIPT_STEPS } from '../../../protocols/transaction/meter.ts';
import { decodeReceipts } from '../../../protocols/transaction/receipts.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import { EXPIRE_STEPS } from '../../../src/modules/ledger/pending.ts';
import { alice, bob, receiptsOf, signed, START_MS } from '../../transaction/fixture.ts';
import type { World } from '../run.ts';
import { account, aliceName, balance, bobName, books, call, codes, many, MAX } from './books.ts';
import { open, pend, transfer } from './books.ts';

const post = (pendingId: string, more: Record<string, Value> = {}) =>
  call('post', { pendingId, ...more });
const voided = (pendingId: string) => call('void', { pendingId });
const status = (w: World, id: string): unknown =>
  (w.ask('ledger', 'transfer', { transfer: id }) as { status?: string }).status;

test('holds an amount, then moves it, or a part of it', (t) => {
  const w = books();
  t.deepEqual(w.run([pend('p', 60), pend('q', 40), pend('r', 1)]), ['ok', 'ok', 'exceeds_credits']);
  t.like(account(w, 'a'), { balance: '100', available: '0', debitsPending: '100' });
  t.like(account(w, 'b'), { balance: '0', creditsPending: '100' });
  t.deepEqual(w.run([post('p'), post('q', { amount: 15, id: 'part' })], bob), ['ok', 'ok']);
  t.like(account(w, 'a'), { balance: '25', available: '25', debitsPending: '0' });
  t.like(account(w, 'b'), { balance: '75', creditsPending: '0' });
  t.like(w.ask('ledger', 'transfer', { transfer: 'q' }), {
    status: 'posted',
    amount: '40',
    postedAmount: '15',
  });
  t.like(w.ask('ledger', 'transfer', { transfer: 'part' }), { pendingId: 'q', amount: '15' });
});

test('Q6: without a poster the credited side posts and voids, and never the debited one', (t) => {
  const w = books();
  w.run([pend('p', 10), pend('q', 10)]);
  t.deepEqual(w.run([post('p'), voided('p')], alice), ['not_poster', 'not_poster']);
  t.deepEqual(w.run([post('p'), voided('q')], bob), ['ok', 'ok']);
  t.is(status(w, 'p'), 'posted');
  t.is(status(w, 'q'), 'voided');
  t.like(account(w, 'a'), { balance: '90', available: '90' });
});

test('Q6: with a poster it alone posts; the credited side may still let go', (t) => {
  const w = books();
  w.run([
    pend('p', 10, { poster: aliceName }),
    pend('q', 10, { poster: aliceName }),
    pend('r', 10, { poster: aliceName }),
  ]);
  t.deepEqual(w.run([post('p'), voided('q')], bob), ['not_poster', 'ok']);
  t.deepEqual(w.run([post('p'), voided('r')], alice), ['ok', 'ok']);
  t.is(balance(w, 'b'), '10');
});

test('Q6: a pending transfer ends in the first block whose time has reached its timeout, and not before', (t) => {
  const w = books();
  const now = START_MS + (w.chain.executor.height + 1) * 10;
  w.run([pend('late', 30, { timeoutMs: 45 }), pend('p', 10, { timeoutMs: 20 }), pend('q', 5)]);
  w.chain.next([], now + 19);
  t.is(status(w, 'p'), 'pending');
  t.is(account(w, 'a')['debitsPending'], '45');
  const { receipts } = w.chain.next([], now + 20);
  t.is(status(w, 'p'), 'expired');
  t.is(account(w, 'a')['debitsPending'], '35');
  const events = receipts
    .flatMap((each) => decodeReceipts(each) ?? [])
    .flatMap((each) => each.events);
  const data = { id: 'p', from: 'a', to: 'b', amount: '10' };
  t.deepEqual(events, [{ module: 'ledger', name: 'expired', data }] as never);
  w.chain.next([], now + 44);
  t.is(status(w, 'late'), 'pending');
  w.chain.next([], now + 45);
  t.is(status(w, 'late'), 'expired');
  w.chain.next([], now + 1_000_000);
  t.is(status(w, 'q'), 'pending');
  t.like(account(w, 'a'), { balance: '100', available: '95' });
});

test('Q6: what ends at once ends in one block, each with an event of its own, and nothing ends twice', (t) => {
  const w = books();
  const ids = Array.from({ length: 150 }, (_, at) => `p${at}`);
  const now = START_MS + (w.chain.executor.height + 1) * 10;
  const lasting = ids.map((id, at) => pend(id, at < 50 ? 1 : 0, { timeoutMs: 100 + (at % 3) }));
  w.run(lasting);
  w.run([post('p7'), voided('p8')], bob);
  const { receipts } = w.chain.next([], now + 200);
  const ran = receipts.flatMap((each) => decodeReceipts(each) ?? []);
  const ended = ran.flatMap(({ events }) => events.map(({ data }) => (data as { id: string }).id));
  t.deepEqual(ended.toSorted(), ids.filter((id) => id !== 'p7' && id !== 'p8').toSorted());
  t.is(ran.length, 2, 'a timer ends many');
  t.true(ran.every((each) => each.status === 'ok'));
  t.like(account(w, 'a'), { balance: '99', available: '99', debitsPending: '0' });
  t.is(w.chain.next([], now + 300).txCount, 0, 'no timer waits for what is over');
});

test('Q6: what a block cannot end any more is over all the same, and ends in the next', (t) => {
  // A timer ends two of them, and the timers of a block sixteen times as many.
  const w = books({ stepsMax: 10_000 });
  const now = START_MS + (w.chain.executor.height + 1) * 10;
  const ids = Array.from({ length: 2 * 16 + 1 }, (_, at) => `p${10 + at}`);
  w.run(ids.map((id) => pend(id, 0, { timeoutMs: 120 })));
  const last = ids.at(-1)!;
  const late = signed(0, [post(last), voided(last)], { signer: bob });
  const receipts = receiptsOf(w.chain.next([[0, [late]]], now + 120));
  t.deepEqual(
    receipts.slice(-2).map(({ error }) => error?.code),
    ['pending_transfer_expired', 'pending_transfer_expired'],
  );
  t.deepEqual([status(w, ids.at(-2)!), status(w, last)], ['expired', 'pending']);
  w.chain.next([], now + 121);
  t.is(status(w, last), 'expired');
});

// I131: a timer that cannot pay for its receipt fails, and then none would wait for the others.
test('Q6: what ends pays for its event, however long its names are', (t) => {
  const w = books({ stepsMax: EXPIRE_STEPS });
  const long = (name: string): string => name.padEnd(64, '-');
  const [from, to] = [long('from'), long('to')];
  w.run([open(from, { flags: [] }), open(to, { flags: [] })]);
  const now = START_MS + (w.chain.executor.height + 1) * 10;
  const amount = 10n ** 18n;
  const ids = Array.from({ length: 8 }, (_, at) => long(`p${at}`));
  const codesOf = w.run(ids.map((id) => pend(id, 0, { from, to, amount, timeoutMs: 120 })));
  t.deepEqual(new Set(codesOf), new Set(['ok']));
  const { receipts } = w.chain.next([], now + 120);
  const ran = receipts.flatMap((each) => decodeReceipts(each) ?? []);
  t.deepEqual(
    ran.map(({ status: outcome, events }) => [outcome, events.length]),
    ids.map(() => ['ok', 1]),
  );
  const bytes = receipts.reduce((sum, { encoded }) => sum + encoded.length, 0) / ids.length;
  t.true(bytes * RECEIPT_STEPS <= EXPIRE_STEPS, `${bytes} bytes each`);
  t.true(bytes > 200, `${bytes} bytes each`);
});

test('Q6: timeouts that come in any order are all kept, and few timers wait for them', (t) => {
  const w = books();
  const now = START_MS + (w.chain.executor.height + 1) * 10;
  w.run([50, 20, 80, 10, 30].map((timeoutMs) => pend(`p${timeoutMs}`, 1, { timeoutMs })));
  let timers = 0;
  for (const at of [10, 20, 30, 50, 80]) {
    timers += w.chain.next([], now + at - 1).txCount;
    t.is(status(w, `p${at}`), 'pending');
    timers += w.chain.next([], now + at).txCount;
    t.is(status(w, `p${at}`), 'expired');
  }
  t.is(timers, 5, 'one for each');
  t.is(w.chain.next([], now + 1000).txCount, 0);
});

const falling = (length: number, from: number) =>
  Array.from({ length }, (_, at) => ({
    id: `f${from - at}`,
    from: 'a',
    to: 'b',
    amount: 0,
    timeoutMs: from - at,
    flags: ['pending'],
  }));

test('Q6: one timer waits for all, also where each ends before those that were there', (t) => {
  const w = books();
  w.run([many(...falling(64, 1000)), many(...falling(64, 900))]);
  w.run(Array.from({ length: 50 }, (_, at) => pend(`p${at}`, 0, { timeoutMs: 500 - at })));
  const { txCount } = w.chain.next([], START_MS + 10_000);
  t.is(txCount, 2, 'two for the 178 that end');
  for (const id of ['f1000', 'f837', 'p0', 'p49']) t.is(status(w, id), 'expired');
  t.is(w.chain.next([], START_MS + 20_000).txCount, 0);
});

test('Q7: what a chain that failed would have ended first changes no timer', (t) => {
  const w = books();
  const now = START_MS + (w.chain.executor.height + 1) * 10;
  w.run([pend('p', 1, { timeoutMs: 100 })]);
  const linked = falling(3, 50).map((each) => ({ ...each, flags: ['pending', 'linked'] }));
  const failing = { from: 'a', to: 'q', amount: 1 };
  t.deepEqual(codes(w, many(...linked, failing)).at(-1), 'credit_account_not_found');
  t.is(w.chain.next([], now + 99).txCount, 0);
  t.is(w.chain.next([], now + 100).txCount, 1);
  t.is(status(w, 'p'), 'expired');
});

/** Each has all the faults of those below it. */
const precedence: readonly (readonly [Record<string, Value>, string])[] = [
  [{ flags: ['postPendingTransfer', 'voidPendingTransfer'] }, 'flags_are_mutually_exclusive'],
  [{ flags: ['voidPendingTransfer', 'closingDebit'] }, 'flags_are_mutually_exclusive'],
  [{ id: 'x', timeoutMs: 1 }, 'pending_id_must_not_be_zero'],
  [{ id: 'x', pendingId: 'x', timeoutMs: 1 }, 'pending_id_must_be_different'],
  [{ pendingId: 'y', timeoutMs: 1, poster: bobName }, 'timeout_reserved_for_pending_transfer'],
  [{ pendingId: 'y', poster: bobName }, 'poster_reserved_for_pending_transfer'],
  [{ pendingId: 'y', from: 'q' }, 'pending_transfer_not_found'],
  [{ pendingId: 'plain', from: 'q' }, 'pending_transfer_not_pending'],
  [{ pendingId: 'alices', from: 'q' }, 'not_poster'],
  [{ pendingId: 'p', from: 'b', to: 'q' }, 'pending_transfer_has_different_debit_account_id'],
  [{ pendingId: 'p', to: 'a', asset: 'EUR' }, 'pending_transfer_has_different_credit_account_id'],
  [{ pendingId: 'p', asset: 'EUR', code: 9 }, 'pending_transfer_has_different_ledger'],
  [{ pendingId: 'p', code: 9, amount: 11 }, 'pending_transfer_has_different_code'],
  [{ pendingId: 'posted', amount: 11 }, 'exceeds_pending_transfer_amount'],
  [
    { pendingId: 'posted', amount: 9, flags: ['voidPendingTransfer'] },
    'pending_transfer_has_different_amount',
  ],
  [{ pendingId: 'posted' }, 'pending_transfer_already_posted'],
  [{ pendingId: 'voided' }, 'pending_transfer_already_voided'],
  [{ pendingId: 'brief' }, 'pending_transfer_expired'],
  [{ pendingId: 'toClosed' }, 'credit_account_already_closed'],
  [{ pendingId: 'p', from: 'a', to: 'b', asset: 'unit', code: 0, amount: MAX }, 'ok'],
  [{ pendingId: 'p', amount: 0, flags: ['voidPendingTransfer'] }, 'ok'],
];

function prepared(): World {
  const w = books();
  const made = [
    ...w.run([
      open('closing', { owner: bobName }),
      transfer('a', 'b', 1, 'plain'),
      pend('p', 10),
      pend('alices', 10, { poster: aliceName }),
      pend('posted', 10),
      pend('voided', 10),
      pend('brief', 10, { timeoutMs: 10 }),
      pend('toClosed', 1, { to: 'closing' }),
      call('pend', { id: 'fromClosed', from: 'kept', to: 'b', amount: 0 }),
    ]),
    ...w.run([post('posted'), voided('voided')], bob),
  ];
  const close = { from: 'closing', to: 'b', amount: 0, flags: ['pending', 'closingDebit'] };
  made.push(...codes(w, many({ ...close, id: 'close' }), bob));
  const shut = { from: 'kept', to: 'b', amount: 0, flags: ['pending', 'closingDebit'] };
  made.push(...codes(w, many({ ...shut, id: 'shut' })));
  if (made.some((code) => code !== 'ok')) throw new Error(made.join());
  return w;
}

for (const [event, code] of precedence) {
  test(`resolving with ${JSON.stringify(event, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v))} gets ${code}`, (t) => {
    const flags = ['postPendingTransfer'];
    t.deepEqual(codes(prepared(), many({ flags, ...event }), bob), [code]);
  });
}

test('a closed account moves nothing, lets go of what was pending, and opens again with its own end', (t) => {
  const w = prepared();
  t.deepEqual(w.run([post('fromClosed')], bob), ['debit_account_already_closed']);
  t.true((account(w, 'kept')['flags'] as string[]).includes('closed'));
  t.deepEqual(w.run([transfer('a', 'kept', 1)]), ['credit_account_already_closed']);
  t.deepEqual(w.run([voided('fromClosed'), post('shut'), voided('shut')], bob), [
    'ok',
    'debit_account_already_closed',
    'ok',
  ]);
  t.false((account(w, 'kept')['flags'] as string[]).includes('closed'));
  t.deepEqual(w.run([transfer('a', 'kept', 1)]), ['ok']);
});

test('Q4: nobody closes the account of another', (t) => {
  const w = books();
  const close = { id: 'x', from: 'a', to: 'b', amount: 0, flags: ['pending', 'closingCredit'] };
  t.deepEqual(codes(w, many(close)), ['not_owner']);
  t.deepEqual(codes(w, many({ ...close, to: 'kept', timeoutMs: 5 })), ['ok']);
  t.true((account(w, 'kept')['flags'] as string[]).includes('closed'));
  w.chain.next([]);
  t.false((account(w, 'kept')['flags'] as string[]).includes('closed'));
});

const again: readonly (readonly [Record<string, Value>, string])[] = [
  [{ flags: ['voidPendingTransfer'] }, 'exists_with_different_flags'],
  [{ pendingId: 'q', from: 'b' }, 'exists_with_different_pending_id'],
  [{ timeoutMs: 5 }, 'exists_with_different_timeout'],
  [{ poster: bobName }, 'exists_with_different_poster'],
  [{ from: 'b', to: 'a' }, 'exists_with_different_debit_account_id'],
  [{ to: 'a', amount: 3 }, 'exists_with_different_credit_account_id'],
  [{ amount: 9, userData: 'v' }, 'exists_with_different_amount'],
  [{ userData: 'v', asset: 'EUR' }, 'exists_with_different_user_data'],
  [{ asset: 'EUR', code: 3 }, 'exists_with_different_ledger'],
  [{ code: 3 }, 'exists_with_different_code'],
  [{ amount: 10, userData: 'u', from: 'a', to: 'b', asset: 'unit', code: 0 }, 'exists'],
  [{ amount: MAX }, 'exists'],
  [{}, 'exists'],
];

for (const [other, code] of again) {
  const shown = JSON.stringify(other, (_, v: unknown) => (typeof v === 'bigint' ? `${v}` : v));
  test(`Q5: a post that comes again with ${shown} gets ${code}`, (t) => {
    const w = books();
    w.run([pend('p', 10, { userData: 'u' })]);
    const event = { id: 'x', pendingId: 'p', flags: ['postPendingTransfer'] };
    t.deepEqual(codes(w, many(event), bob), ['ok']);
    t.deepEqual(codes(w, many({ ...event, ...other }), bob), [code]);
    t.is(balance(w, 'b'), '10');
  });
}

test('events tell what became of a pending transfer', (t) => {
  const w = books();
  const names = (of: ReturnType<World['receipts']>) =>
    of.flatMap(({ events }) =>
      events.map(({ name, data }) => [name, (data as { amount: string }).amount]),
    );
  t.deepEqual(names(w.receipts([pend('p', 10), pend('q', 20)])), [
    ['pended', '10'],
    ['pended', '20'],
  ]);
  t.deepEqual(names(w.receipts([post('p', { amount: 4 }), voided('q')], bob)), [
    ['posted', '4'],
    ['voided', '20'],
  ]);
});
