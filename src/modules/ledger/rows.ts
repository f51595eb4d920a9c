/** The ledger's rows, and the forms of names in them. */
import { Type } from '@sinclair/typebox';
import { table } from '../define.ts';
import { Amount } from '../schema.ts';

export const AccountName = Type.String({
  pattern: '^[A-Za-z0-9._:-]{1,64}$',
  description: '1 to 64 letters, digits, dots, dashes, colons or underscores',
});

/** Who may take from an account. An account bound to a key accepts only that key (E3). */
export const Sender = Type.String({
  pattern: '^(key:[0-9a-f]{64}|(principal|module):[^\\u0000-\\u001f]{1,256})$',
  description:
    '`key:` and 64 digits of lower-case hex, or `principal:` or `module:` and a name of 1 to 256 characters',
});

export const strict = { additionalProperties: false };

export const tables = {
  accounts: table(
    'By name: who may take from the account, and what is in it.',
    Type.Object({ owner: Sender, balance: Amount }, strict),
  ),
  issuers: table('By sender: those who may issue.', Type.Literal(true)),
  supply: table('One row, `total`: the sum of all balances.', Amount),
};

export const SUPPLY = 'total';

/** Balances are text in answers, so that their type does not change with their size. */
export const AmountText = Type.String({
  pattern: '^[0-9]{1,19}$',
  description: 'an amount as decimal text',
});
