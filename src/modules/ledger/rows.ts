/** The ledger's rows, and the forms of names in them. */
import { Type } from '@sinclair/typebox';
import type { Amount } from '../schema.ts';

export const AccountName = Type.String({
  pattern: '^[A-Za-z0-9._:-]{1,64}$',
  description: '1 to 64 letters, digits, dots, dashes, colons or underscores',
});

/** Who may take from an account. An account bound to a key accepts only that key (E3). */
export const Sender = Type.String({
  pattern: '^(key:[0-9a-f]{64}|principal:[^\\u0000-\\u001f]{1,256})$',
  description:
    '`key:` and 64 digits of lower-case hex, or `principal:` and a name of 1 to 256 characters',
});

export type Account = {
  /** As senders are named: `key:…` or `principal:…`. */
  readonly owner: string;
  /** Minor units. */
  readonly balance: Amount;
};

export type LedgerRows = {
  readonly accounts: Account;
  /** Those who may issue, by the sender's name. */
  readonly issuers: true;
  /** One row. */
  readonly supply: Amount;
};

export const SUPPLY = 'total';
