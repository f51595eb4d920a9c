/**
 * What becomes of a pending transfer, in the order of checks of TigerBeetle's
 * post_or_void_pending_transfer.
 *
 * Q6. A pending transfer is posted, voided or expired, once. It is posted by its `poster`, or by the owner
 *     of the account that it credits where it names none; voided by either; and expires when
 *     block time has reached its timeout, in that block or soon after: from then on it is neither
 *     posted nor voided. Whoever it debits waits for that: what was promised
 *     to another is not taken back.
 */
import { RECEIPT_STEPS } from '../../../protocols/transaction/meter.ts';
import { refuse, type ModuleRefusal } from '../../../protocols/transaction/module.ts';
import { INT63_MAX, type Amount } from '../schema.ts';
import { book, keepHistory, keepsHistory, type Sides } from './booking.ts';
import {
  BALANCING_CREDIT,
  BALANCING_DEBIT,
  CLOSED,
  CLOSING_CREDIT,
  CLOSING_DEBIT,
  PENDING,
  POST,
  VOID,
} from './flags.ts';
import {
  assetOf,
  flagsOf,
  nextTimestamp,
  withFlags,
  type Books,
  type Commands,
  type TransferRow,
  type Work,
} from './rows.ts';
import type { NewTransfer } from './transfers.ts';

/** Pending transfers that one timer ends. */
const EXPIRED_AT_ONCE = 128;
/** The longest event `expired` in a receipt, which everybody keeps: beside that its rows are cheap. */
const EXPIRED_BYTES = 312;
/** Of each. It pays for its event (I131), or the timer would fail, and nothing would set the next. */
export const EXPIRE_STEPS = EXPIRED_BYTES * RECEIPT_STEPS;
const NEXT = 'next';

const EXCLUSIVE = PENDING | BALANCING_DEBIT | BALANCING_CREDIT | CLOSING_DEBIT | CLOSING_CREDIT;

export function resolvePending(
  work: Work,
  event: NewTransfer,
  flags: number,
): ModuleRefusal | undefined {
  if ((flags & POST) !== 0 && ((flags & VOID) !== 0 || (flags & EXCLUSIVE) !== 0)) {
    return refuse('flags_are_mutually_exclusive', 'what posts does nothing else');
  }
  if ((flags & EXCLUSIVE) !== 0) {
    return refuse('flags_are_mutually_exclusive', 'what voids does nothing else');
  }
  const { id, pendingId } = event;
  if (pendingId === undefined) {
    return refuse('pending_id_must_not_be_zero', 'name the pending transfer as pendingId');
  }
  if (pendingId === id) {
    return refuse('pending_id_must_be_different', 'a transfer does not post or void itself');
  }
  if (event.timeoutMs !== undefined) {
    return refuse('timeout_reserved_for_pending_transfer', 'only a pending transfer ends by time');
  }
  if (event.poster !== undefined) {
    return refuse('poster_reserved_for_pending_transfer', 'only a pending transfer is posted');
  }
  const pending = work.tables.transfers.get(pendingId);
  if (pending === undefined) {
    return refuse('pending_transfer_not_found', 'there is no transfer of the id pendingId');
  }
  if (((pending.flags ?? 0) & PENDING) === 0) {
    return refuse('pending_transfer_not_pending', 'the transfer was never pending');
  }
  const sides = sidesOf(work.tables, pending);
  if (!mayResolve(work.sender, pending, sides, flags)) {
    return refuse('not_poster', 'its poster posts, or where it names none the owner of `to`');
  }
  return (
    otherThan(pending, sides, event) ?? resolveAs(work, pendingId, pending, sides, event, flags)
  );
}

function mayResolve(
  sender: string,
  { poster }: TransferRow,
  { creditor }: Sides,
  flags: number,
): boolean {
  if (poster === undefined) return sender === creditor.owner;
  return sender === poster || ((flags & VOID) !== 0 && sender === creditor.owner);
}

/** What the client says of the pending transfer must be so. */
function otherThan(
  pending: TransferRow,
  { debtor }: Sides,
  event: NewTransfer,
): ModuleRefusal | undefined {
  const { from, to, asset, code = 0 } = event;
  if (from !== undefined && from !== pending.from) {
    return refuse('pending_transfer_has_different_debit_account_id', 'it debits another account');
  }
  if (to !== undefined && to !== pending.to) {
    return refuse('pending_transfer_has_different_credit_account_id', 'it credits another account');
  }
  if (asset !== undefined && asset !== assetOf(debtor)) {
    return refuse('pending_transfer_has_different_ledger', 'it is of another asset');
  }
  if (code !== 0 && code !== (pending.code ?? 0)) {
    return refuse('pending_transfer_has_different_code', 'it has another code');
  }
  return undefined;
}

function resolveAs(
  work: Work,
  pendingId: string,
  pending: TransferRow,
  sides: Sides,
  event: NewTransfer,
  flags: number,
): ModuleRefusal | undefined {
  const isVoid = (flags & VOID) !== 0;
  const amount = amountOf(event, pending, isVoid);
  if (amount > pending.amount) {
    return refuse('exceeds_pending_transfer_amount', 'less is pending');
  }
  if (isVoid && amount < pending.amount) {
    return refuse('pending_transfer_has_different_amount', 'only all of it can be voided');
  }
  const settled = settledBefore(pending, work.time);
  if (settled !== undefined) return settled;
  if (!isVoid && (flagsOf(sides.debtor) & CLOSED) !== 0) {
    return refuse('debit_account_already_closed', 'the account to take from is closed');
  }
  if (!isVoid && (flagsOf(sides.creditor) & CLOSED) !== 0) {
    return refuse('credit_account_already_closed', 'the account to give to is closed');
  }
  settle(work.tables, pendingId, pending, sides, isVoid ? null : amount);
  keepResolution(work, pendingId, pending, sides, { ...event, amount }, flags);
  const { from, to } = pending;
  const name = isVoid ? 'voided' : 'posted';
  work.emit(name, { id: pendingId, from, to, amount: amount.toString() });
  return undefined;
}

/** All of it, where no amount is given: for a post also 2^63 − 1, for a void also 0. */
function amountOf({ amount }: NewTransfer, pending: TransferRow, isVoid: boolean): Amount {
  const all = isVoid ? amount === 0 : amount === INT63_MAX;
  return amount === undefined || all ? pending.amount : amount;
}

function settledBefore(
  { status, expiresAt }: TransferRow,
  time: number,
): ModuleRefusal | undefined {
  if (status === 'posted') {
    return refuse('pending_transfer_already_posted', 'the transfer was posted before');
  }
  if (status === 'voided') {
    return refuse('pending_transfer_already_voided', 'the transfer was voided before');
  }
  if (status === 'expired' || (expiresAt !== undefined && expiresAt <= time)) {
    return refuse('pending_transfer_expired', 'the transfer was not posted in time');
  }
  return undefined;
}

/** Lets go of what is pending; `posted` of it is moved, or null for none: the accounts open again. */
function settle(
  books: Books,
  id: string,
  pending: TransferRow,
  sides: Sides,
  posted: Amount | null,
  status: 'voided' | 'expired' = 'voided',
): void {
  book(books, sides, posted ?? 0, 0, pending.amount);
  if (posted === null) reopen(books, pending);
  if (posted === null) books.transfers.set(id, { ...pending, status });
  else if (posted === pending.amount) books.transfers.set(id, { ...pending, status: 'posted' });
  else books.transfers.set(id, { ...pending, status: 'posted', postedAmount: posted });
}

/** After the booking, of which both rows are new. */
function reopen({ accounts }: Books, { from, to, flags = 0 }: TransferRow): void {
  const open = (account: string): void => {
    const row = accounts.get(account)!;
    accounts.set(account, withFlags(row, flagsOf(row) & ~CLOSED));
  };
  if ((flags & CLOSING_DEBIT) !== 0) open(from);
  if ((flags & CLOSING_CREDIT) !== 0) open(to);
}

/** What posts or voids is a transfer itself, and kept as others are. */
function keepResolution(
  work: Work,
  pendingId: string,
  pending: TransferRow,
  sides: Sides,
  { id, amount, userData = pending.userData }: NewTransfer & { readonly amount: Amount },
  flags: number,
): void {
  if (id === undefined && !keepsHistory(sides)) return;
  const { from, to, code } = pending;
  const timestamp = nextTimestamp(work);
  const row: TransferRow = { from, to, amount, timestamp, flags, pendingId };
  if (code !== undefined) row.code = code;
  if (userData !== undefined) row.userData = userData;
  const key = id ?? `@${timestamp}`;
  work.tables.transfers.set(key, row);
  keepHistory(work.tables, sides, key, timestamp);
}

/** Has the first that ends end in time: one timer waits for all, and no other. */
export function awaitExpiry({ tables: { sweeps }, schedule, cancel }: Work, at: number): void {
  const set = sweeps.get(NEXT);
  if (set !== undefined && set.at <= at) return;
  if (set !== undefined) cancel(set.timer);
  sweeps.set(NEXT, { at, timer: schedule(at, 'sweep', {}) });
}

/**
 * Ends the first pending transfers whose time is over, as many as there are steps for, and sets the timer for
 * the next: in the same block as long as its timers have steps (I130). Balances that are kept as
 * history do not show it.
 */
export function sweep(context: Commands): void {
  const { tables, time, meter } = context;
  const { sweeps, transfers } = tables;
  sweeps.delete(NEXT);
  const room = Math.min(EXPIRED_AT_ONCE, Math.floor(meter.left / EXPIRE_STEPS));
  const due = transfers
    .pageBy('byExpiry', { limit: EXPIRED_AT_ONCE })
    .rows.slice(0, room)
    .filter(([, { expiresAt }]) => expiresAt! <= time);
  meter.spend(due.length * EXPIRE_STEPS);
  for (const [id, row] of due) expire(context, id, row);
  const [next] = transfers.pageBy('byExpiry', { limit: 1 }).rows;
  if (next === undefined) return;
  awaitExpiry(context, Math.max(next[1].expiresAt!, room === 0 ? time + 1 : time));
}

function expire(work: Work, id: string, pending: TransferRow): void {
  const { from, to, amount } = pending;
  settle(work.tables, id, pending, sidesOf(work.tables, pending), null, 'expired');
  work.emit('expired', { id, from, to, amount: amount.toString() });
}

/** Accounts are never removed. */
function sidesOf({ accounts }: Books, { from, to }: TransferRow): Sides {
  return { from, to, debtor: accounts.get(from)!, creditor: accounts.get(to)! };
}

/** Compares what posts or voids with `existing`, which has its id, flags and pendingId. */
export function resolvedBefore(
  { transfers, accounts }: Books,
  event: NewTransfer,
  existing: TransferRow,
  flags: number,
): ModuleRefusal {
  const pending = transfers.get(existing.pendingId!)!;
  if (event.from !== undefined && event.from !== existing.from) {
    return refuse('exists_with_different_debit_account_id', 'the id is that of another transfer');
  }
  if (event.to !== undefined && event.to !== existing.to) {
    return refuse('exists_with_different_credit_account_id', 'the id is that of another transfer');
  }
  if (amountOf(event, pending, (flags & VOID) !== 0) !== existing.amount) {
    return refuse('exists_with_different_amount', 'the id is that of another transfer');
  }
  if ((event.userData ?? pending.userData) !== existing.userData) {
    return refuse('exists_with_different_user_data', 'the id is that of another transfer');
  }
  if (event.asset !== undefined && event.asset !== assetOf(accounts.get(existing.from)!)) {
    return refuse('exists_with_different_ledger', 'the id is that of another transfer');
  }
  if ((event.code ?? 0) !== 0 && event.code !== existing.code) {
    return refuse('exists_with_different_code', 'the id is that of another transfer');
  }
  return refuse('exists', 'this very transfer was made already');
}
