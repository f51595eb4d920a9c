/**
 * Transfers of one phase, and pending ones, in the order of checks of TigerBeetle's create_transfer.
 * Where a client may leave out what TigerBeetle wants, it is not checked.
 *
 * Q4. Only its owner debits an account, and only its owner closes it.
 * Q5. An id is used once: a transfer that has one is kept, and is made no second time. A transfer without
 *     one is kept only where an account of it keeps history; it then gets an id of the ledger's.
 */
import { Type, type Static } from '@sinclair/typebox';
import { refuse, type ModuleRefusal } from '../../../protocols/transaction/module.ts';
import { Amount, INT63_MAX, Sender } from '../schema.ts';
import { minus, plus } from './amount.ts';
import { book, keepHistory, keepsHistory, noRoom, type Sides } from './booking.ts';
import {
  BALANCING_CREDIT,
  BALANCING_DEBIT,
  CLOSED,
  CLOSING_CREDIT,
  CLOSING_DEBIT,
  PENDING,
  POST,
  transferFlags,
  VOID,
  type TransferFlag,
} from './flags.ts';
import { awaitExpiry, resolvePending, resolvedBefore } from './pending.ts';
import {
  AccountName,
  assetOf,
  AssetName,
  Code,
  flagsOf,
  nextTimestamp,
  pendingCr,
  pendingDr,
  strict,
  StoredId,
  TimeoutMs,
  TransferId,
  UserData,
  withFlags,
  type Books,
  type TransferRow,
  type Work,
} from './rows.ts';

export const NewTransfer = Type.Object(
  {
    id: Type.Optional(TransferId),
    from: Type.Optional(AccountName),
    to: Type.Optional(AccountName),
    amount: Type.Optional(Amount),
    pendingId: Type.Optional(StoredId),
    timeoutMs: Type.Optional(TimeoutMs),
    poster: Type.Optional(Sender),
    asset: Type.Optional(AssetName),
    code: Type.Optional(Code),
    flags: Type.Optional(
      Type.Array(
        Type.Unsafe<TransferFlag>(Type.Union(transferFlags.map((flag) => Type.Literal(flag)))),
        { maxItems: transferFlags.length },
      ),
    ),
    userData: Type.Optional(UserData),
  },
  strict,
);
export type NewTransfer = Static<typeof NewTransfer>;

/** The order of the checks is part of the interface: it says which code is told. */
export function createTransfer(
  work: Work,
  event: NewTransfer,
  flags: number,
): ModuleRefusal | undefined {
  if (event.id !== undefined) {
    const known = usedId(work.tables, event.id, event, flags);
    if (known !== undefined) return known;
  } else if ((flags & PENDING) !== 0) {
    return refuse('id_must_not_be_zero', 'a pending transfer needs an id, to be posted by it');
  }
  if ((flags & (POST | VOID)) !== 0) return resolvePending(work, event, flags);
  const { from, to } = event;
  if (from === undefined) {
    return refuse('debit_account_id_must_not_be_zero', 'a transfer needs an account `from`');
  }
  if (to === undefined) {
    return refuse('credit_account_id_must_not_be_zero', 'a transfer needs an account `to`');
  }
  if (from === to) return refuse('accounts_must_be_different', 'both accounts are the same');
  const misplaced = outOfPlace(event, flags);
  if (misplaced !== undefined) return misplaced;
  const debtor = work.tables.accounts.get(from);
  if (debtor === undefined) {
    return refuse('debit_account_not_found', 'there is no account to take from');
  }
  const creditor = work.tables.accounts.get(to);
  if (creditor === undefined) {
    return refuse('credit_account_not_found', 'there is no account to give to');
  }
  return between(work, { from, to, debtor, creditor }, event, flags);
}

/** What only some transfers may say, and only those without a kind that asks for it must not. */
function outOfPlace(event: NewTransfer, flags: number): ModuleRefusal | undefined {
  if (event.pendingId !== undefined) {
    return refuse('pending_id_must_be_zero', 'only what posts or voids names a pending transfer');
  }
  if ((flags & PENDING) === 0) {
    if (event.timeoutMs !== undefined) {
      return refuse(
        'timeout_reserved_for_pending_transfer',
        'only a pending transfer ends by time',
      );
    }
    if ((flags & (CLOSING_DEBIT | CLOSING_CREDIT)) !== 0) {
      return refuse('closing_transfer_must_be_pending', 'what closes an account must be pending');
    }
    if (event.poster !== undefined) {
      return refuse('poster_reserved_for_pending_transfer', 'only a pending transfer is posted');
    }
  }
  if (event.amount === undefined && (flags & (BALANCING_DEBIT | BALANCING_CREDIT)) === 0) {
    return refuse('amount_required', 'only a balancing transfer may leave the amount open');
  }
  return undefined;
}

function between(
  work: Work,
  sides: Sides,
  event: NewTransfer,
  flags: number,
): ModuleRefusal | undefined {
  const { debtor, creditor } = sides;
  if (debtor.owner !== work.sender) {
    return refuse('not_owner', 'only its owner takes from an account');
  }
  if ((flags & CLOSING_CREDIT) !== 0 && creditor.owner !== work.sender) {
    return refuse('not_owner', 'only its owner closes an account');
  }
  const asset = assetOf(debtor);
  if (asset !== assetOf(creditor)) {
    return refuse('accounts_must_have_the_same_ledger', 'the accounts are of different assets');
  }
  if (event.asset !== undefined && event.asset !== asset) {
    return refuse('transfer_must_have_the_same_ledger_as_accounts', 'the accounts are of another');
  }
  if ((flagsOf(debtor) & CLOSED) !== 0) {
    return refuse('debit_account_already_closed', 'the account to take from is closed');
  }
  if ((flagsOf(creditor) & CLOSED) !== 0) {
    return refuse('credit_account_already_closed', 'the account to give to is closed');
  }
  const amount = balancing(sides, event.amount ?? INT63_MAX, flags);
  const isPending = (flags & PENDING) !== 0;
  const full = noRoom(sides, amount, isPending);
  if (full !== undefined) return full;
  book(work.tables, sides, isPending ? 0 : amount, isPending ? amount : 0, 0);
  if (event.id !== undefined || keepsHistory(sides)) keep(work, sides, event, flags, amount);
  return undefined;
}

/** What a balancing transfer moves: as much of `amount` as the balances of its accounts allow. */
function balancing({ debtor, creditor }: Sides, amount: Amount, flags: number): Amount {
  let moved = amount;
  if ((flags & BALANCING_DEBIT) !== 0) {
    moved = smaller(moved, above(debtor.cr, plus(debtor.dr, pendingDr(debtor))!));
  }
  if ((flags & BALANCING_CREDIT) !== 0) {
    moved = smaller(moved, above(creditor.dr, plus(creditor.cr, pendingCr(creditor))!));
  }
  return moved;
}

const smaller = (a: Amount, b: Amount): Amount => (a < b ? a : b);
const above = (a: Amount, b: Amount): Amount => (a > b ? minus(a, b) : 0);

function keep(work: Work, sides: Sides, event: NewTransfer, flags: number, amount: Amount): void {
  const { from, to } = sides;
  const { code = 0, userData, poster, timeoutMs } = event;
  const timestamp = nextTimestamp(work);
  const id = event.id ?? `@${timestamp}`;
  const row: TransferRow = { from, to, amount, timestamp };
  if (flags !== 0) row.flags = flags;
  if (code !== 0) row.code = code;
  if (userData !== undefined) row.userData = userData;
  if ((flags & PENDING) !== 0) {
    row.status = 'pending';
    if (poster !== undefined) row.poster = poster;
    if (timeoutMs !== undefined) {
      row.timeoutMs = timeoutMs;
      row.expiresAt = work.time + timeoutMs;
      awaitExpiry(work, row.expiresAt);
    }
    close(work.tables, sides, flags);
  }
  work.tables.transfers.set(id, row);
  keepHistory(work.tables, sides, id, timestamp);
  const name = (flags & PENDING) === 0 ? 'transferred' : 'pended';
  work.emit(name, { id, from, to, amount: amount.toString() });
}

/** After the booking, of which both rows are new. */
function close({ accounts }: Books, { from, to }: Sides, flags: number): void {
  const shut = (account: string): void => {
    const row = accounts.get(account)!;
    accounts.set(account, withFlags(row, flagsOf(row) | CLOSED));
  };
  if ((flags & CLOSING_DEBIT) !== 0) shut(from);
  if ((flags & CLOSING_CREDIT) !== 0) shut(to);
}

/** Why the id cannot be used: a transfer has it or had it. `exists` says that it is the very same. */
function usedId(
  books: Books,
  id: string,
  event: NewTransfer,
  flags: number,
): ModuleRefusal | undefined {
  const existing = books.transfers.get(id);
  if (existing === undefined) {
    if (books.failed.get(id) === undefined) return undefined;
    return refuse('id_already_failed', 'a transfer of this id failed; try it anew under another');
  }
  if (flags !== (existing.flags ?? 0)) {
    return refuse('exists_with_different_flags', 'the id is that of a transfer with other flags');
  }
  if (event.pendingId !== existing.pendingId) {
    return refuse('exists_with_different_pending_id', 'the id is that of another transfer');
  }
  if (event.timeoutMs !== existing.timeoutMs) {
    return refuse('exists_with_different_timeout', 'the id is that of another transfer');
  }
  if (event.poster !== existing.poster) {
    return refuse('exists_with_different_poster', 'the id is that of another transfer');
  }
  if ((flags & (POST | VOID)) !== 0) return resolvedBefore(books, event, existing, flags);
  return compared(books, event, existing, flags);
}

function compared(
  { accounts }: Books,
  event: NewTransfer,
  existing: TransferRow,
  flags: number,
): ModuleRefusal {
  if (event.from !== existing.from) {
    return refuse('exists_with_different_debit_account_id', 'the id is that of another transfer');
  }
  if (event.to !== existing.to) {
    return refuse('exists_with_different_credit_account_id', 'the id is that of another transfer');
  }
  const amount = event.amount ?? INT63_MAX;
  const isBalancing = (flags & (BALANCING_DEBIT | BALANCING_CREDIT)) !== 0;
  if (isBalancing ? amount < existing.amount : amount !== existing.amount) {
    return refuse('exists_with_different_amount', 'the id is that of another transfer');
  }
  if (event.userData !== existing.userData) {
    return refuse('exists_with_different_user_data', 'the id is that of another transfer');
  }
  if (event.asset !== undefined && event.asset !== assetOf(accounts.get(existing.from)!)) {
    return refuse('exists_with_different_ledger', 'the id is that of another transfer');
  }
  if ((event.code ?? 0) !== (existing.code ?? 0)) {
    return refuse('exists_with_different_code', 'the id is that of another transfer');
  }
  return refuse('exists', 'this very transfer was made already');
}

/** Another time they may not be told, so the id is used up: who asks again is told the same (Q5). */
const TRANSIENT: ReadonlySet<string> = new Set([
  'debit_account_not_found',
  'credit_account_not_found',
  'pending_transfer_not_found',
  'exceeds_credits',
  'exceeds_debits',
  'debit_account_already_closed',
  'credit_account_already_closed',
]);

export function failedTransfer({ failed }: Books, { id }: NewTransfer, code: string): void {
  if (id !== undefined && TRANSIENT.has(code)) failed.set(id, code);
}
