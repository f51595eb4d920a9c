/** Flags as clients name them, and as rows keep them: one bit each, TigerBeetle's. */

const ACCOUNT_FLAGS = [
  'linked',
  'debitsMustNotExceedCredits',
  'creditsMustNotExceedDebits',
  'history',
  'closed',
] as const;
export type AccountFlag = (typeof ACCOUNT_FLAGS)[number];
export const accountFlags: readonly AccountFlag[] = ACCOUNT_FLAGS;

/** Of an account: LINKED is said of its creation only, and not kept. */
export const LINKED = 1;
export const DEBITS_LIMITED = 2;
export const CREDITS_LIMITED = 4;
export const HISTORY = 8;
export const CLOSED = 16;

const TRANSFER_FLAGS = [
  'linked',
  'pending',
  'postPendingTransfer',
  'voidPendingTransfer',
  'balancingDebit',
  'balancingCredit',
  'closingDebit',
  'closingCredit',
] as const;
export type TransferFlag = (typeof TRANSFER_FLAGS)[number];
export const transferFlags: readonly TransferFlag[] = TRANSFER_FLAGS;

/** Of a transfer; LINKED is the same bit. */
export const PENDING = 2;
export const POST = 4;
export const VOID = 8;
export const BALANCING_DEBIT = 16;
export const BALANCING_CREDIT = 32;
export const CLOSING_DEBIT = 64;
export const CLOSING_CREDIT = 128;

export const accountBits = (flags: readonly AccountFlag[]): number => bits(ACCOUNT_FLAGS, flags);
export const transferBits = (flags: readonly TransferFlag[]): number => bits(TRANSFER_FLAGS, flags);
export const accountFlagsOf = (row: number): AccountFlag[] => named(ACCOUNT_FLAGS, row);
export const transferFlagsOf = (row: number): TransferFlag[] => named(TRANSFER_FLAGS, row);

function bits<F extends string>(all: readonly F[], flags: readonly F[]): number {
  let row = 0;
  for (const flag of flags) row |= 1 << all.indexOf(flag);
  return row;
}

function named<F extends string>(all: readonly F[], row: number): F[] {
  return all.filter((_, bit) => (row & (1 << bit)) !== 0);
}
