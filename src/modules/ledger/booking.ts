/**
 * What is written of a movement between two accounts, and whether there is room for it: the part that
 * every kind of transfer shares.
 *
 * Q1. Every movement debits one account and credits another one of the same asset by the same amount,
 *     posted as pending: in each asset the debits of all accounts are the credits of all accounts.
 *     `issued − redeemed` of an asset is what the accounts hold that cannot be overdrawn.
 * Q2. No movement takes an account beyond a limit of its flags, pending amounts counted as if they
 *     were posted, nor any of its sums, or those of a side, beyond 2^63 − 1.
 */
import { refuse, type ModuleRefusal } from '../../../protocols/transaction/module.ts';
import type { Amount } from '../schema.ts';
import { minus, plus } from './amount.ts';
import { CREDITS_LIMITED, DEBITS_LIMITED, HISTORY } from './flags.ts';
import {
  assetOf,
  balanced,
  flagsOf,
  pendingCr,
  pendingDr,
  timeKey,
  type AccountRow,
  type Books,
} from './rows.ts';

/** The two accounts of a transfer: `from` is debited, `to` is credited. */
export interface Sides {
  readonly from: string;
  readonly to: string;
  readonly debtor: AccountRow;
  readonly creditor: AccountRow;
}

const FULL = 'a sum of an account cannot exceed 2^63 - 1';

/** Why there is no room for the amount, in TigerBeetle's order. */
export function noRoom(
  { debtor, creditor }: Sides,
  amount: Amount,
  pending: boolean,
): ModuleRefusal | undefined {
  const drPending = pendingDr(debtor);
  const crPending = pendingCr(creditor);
  if (pending && plus(drPending, amount) === null) {
    return refuse('overflows_debits_pending', FULL);
  }
  if (pending && plus(crPending, amount) === null) {
    return refuse('overflows_credits_pending', FULL);
  }
  const debitsPosted = plus(debtor.dr, amount);
  if (debitsPosted === null) return refuse('overflows_debits_posted', FULL);
  const creditsPosted = plus(creditor.cr, amount);
  if (creditsPosted === null) return refuse('overflows_credits_posted', FULL);
  const debits = plus(debitsPosted, drPending);
  if (debits === null) return refuse('overflows_debits', FULL);
  const credits = plus(creditsPosted, crPending);
  if (credits === null) return refuse('overflows_credits', FULL);
  if ((flagsOf(debtor) & DEBITS_LIMITED) !== 0 && debits > debtor.cr) {
    return refuse('exceeds_credits', 'the account debited does not hold so much');
  }
  if ((flagsOf(creditor) & CREDITS_LIMITED) !== 0 && credits > creditor.dr) {
    return refuse('exceeds_debits', 'the account credited does not owe so much');
  }
  return undefined;
}

/** Moves `posted`, holds `hold` as pending and lets go of `release`: what the caller knows to fit. */
export function book(
  books: Books,
  sides: Sides,
  posted: Amount,
  hold: Amount,
  release: Amount,
): void {
  const { from, to, debtor, creditor } = sides;
  const debits = plus(debtor.dr, posted)!;
  const credits = plus(creditor.cr, posted)!;
  let debtorsPending = debtor.pending;
  let creditorsPending = creditor.pending;
  if (hold !== 0 || release !== 0) {
    const dr = minus(plus(pendingDr(debtor), hold)!, release);
    const cr = minus(plus(pendingCr(creditor), hold)!, release);
    debtorsPending = { dr, cr: pendingCr(debtor) };
    creditorsPending = { dr: pendingDr(creditor), cr };
  }
  books.accounts.set(from, balanced(debtor, debits, debtor.cr, debtorsPending));
  books.accounts.set(to, balanced(creditor, creditor.dr, credits, creditorsPending));
  if ((flagsOf(debtor) & flagsOf(creditor) & DEBITS_LIMITED) === 0) {
    countIssued(books, sides, posted);
  }
}

/** Sums of more accounts than one, in text since 64 bits may not hold them. */
function countIssued({ assets }: Books, { debtor, creditor }: Sides, amount: Amount): void {
  const asset = assetOf(debtor);
  const row = assets.get(asset)!;
  const isLimited = (account: AccountRow): boolean => (flagsOf(account) & DEBITS_LIMITED) !== 0;
  const add = (sum: string): string => (BigInt(sum) + BigInt(amount)).toString();
  assets.set(asset, {
    issuers: row.issuers,
    issued: isLimited(debtor) ? row.issued : add(row.issued),
    redeemed: isLimited(creditor) ? row.redeemed : add(row.redeemed),
  });
}

/** Balances after a transfer, for those of its accounts that keep them. */
export function keepHistory(books: Books, sides: Sides, transfer: string, timestamp: number): void {
  for (const account of [sides.from, sides.to]) {
    const row = books.accounts.get(account)!;
    if ((flagsOf(row) & HISTORY) === 0) continue;
    const { dr, cr, pending } = row;
    const held = pending === undefined ? { dr, cr } : { dr, cr, pending };
    books.history.set(timeKey(account, timestamp), { ...held, transfer });
  }
}

export const keepsHistory = ({ debtor, creditor }: Sides): boolean =>
  ((flagsOf(debtor) | flagsOf(creditor)) & HISTORY) !== 0;
