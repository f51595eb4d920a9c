/**
 * Accounts with balances in minor units, each bound to an owner.
 *
 * Q1. The balances add up to the supply, which only an issuer named in the genesis can raise.
 * Q2. Only its owner takes from an account, and never more than is there.
 */
import { Type } from '@sinclair/typebox';
import {
  refuse,
  type CommandContext,
  type QueryContext,
} from '../../../protocols/transaction/module.ts';
import { command, defineModule, query } from '../define.ts';
import { Amount } from '../schema.ts';
import { minus, plus } from './amount.ts';
import { ledgerGenesis } from './genesis.ts';
import { AccountName, SUPPLY, type Account, type LedgerRows, Sender } from './rows.ts';

type Commands = CommandContext<LedgerRows>;
type Queries = QueryContext<LedgerRows>;

const strict = { additionalProperties: false };

const Open = Type.Object({ account: AccountName, owner: Type.Optional(Sender) }, strict);
const Issue = Type.Object({ account: AccountName, amount: Amount }, strict);
const Transfer = Type.Object(
  {
    from: AccountName,
    to: AccountName,
    amount: Amount,
    memo: Type.Optional(Type.String({ maxLength: 256 })),
  },
  strict,
);

const open = command(
  'Opens an account with nothing in it, owned by the sender or by `owner`.',
  Open,
  ({ tables, sender }: Commands, { account, owner = sender }) => {
    if (tables.accounts.get(account) !== undefined) {
      return refuse('account_exists', 'an account of that name is open already');
    }
    tables.accounts.set(account, { owner, balance: 0 });
    return undefined;
  },
);

const issue = command(
  'Creates an amount out of nothing, in an account. Only for issuers.',
  Issue,
  (context: Commands, { account, amount }) => {
    const { accounts, issuers, supply } = context.tables;
    if (issuers.get(context.sender) === undefined) {
      return refuse('not_issuer', 'the sender is not among the issuers of the genesis');
    }
    if (amount === 0) return refuse('zero_amount', 'the amount is zero');
    const row = accounts.get(account);
    if (row === undefined) return refuse('account_not_found', 'there is no such account');
    const total = plus(supply.get(SUPPLY) ?? 0, amount);
    const balance = plus(row.balance, amount);
    if (total === null || balance === null) {
      return refuse('overflow', 'the supply cannot exceed 2^63 - 1');
    }
    supply.set(SUPPLY, total);
    accounts.set(account, { owner: row.owner, balance });
    context.emit('issued', { account, amount: amount.toString() });
    return undefined;
  },
);

const transfer = command(
  'Moves an amount from an account of the sender to another one.',
  Transfer,
  (context: Commands, args) => {
    const { from, to, amount } = args;
    if (from === to) return refuse('self_transfer', 'both accounts are the same');
    if (amount === 0) return refuse('zero_amount', 'the amount is zero');
    const { accounts } = context.tables;
    const source = accounts.get(from);
    if (source === undefined)
      return refuse('account_not_found', 'there is no account to take from');
    if (source.owner !== context.sender) {
      return refuse('not_owner', 'only its owner takes from an account');
    }
    const target = accounts.get(to);
    if (target === undefined) return refuse('account_not_found', 'there is no account to give to');
    if (source.balance < amount) return refuse('insufficient_funds', 'the balance is too small');
    const balance = plus(target.balance, amount);
    if (balance === null) return refuse('overflow', 'a balance cannot exceed 2^63 - 1');
    accounts.set(from, { owner: source.owner, balance: minus(source.balance, amount) });
    accounts.set(to, { owner: target.owner, balance });
    return undefined;
  },
);

/** Balances are text in answers, so that their type does not change with their size. */
function shown(account: string, { owner, balance }: Account) {
  return { account, owner, balance: balance.toString() };
}

const account = query(
  'One account.',
  Type.Object({ account: AccountName }, strict),
  ({ tables }: Queries, args) => {
    const row = tables.accounts.get(args.account);
    if (row === undefined) return refuse('account_not_found', 'there is no such account');
    return shown(args.account, row);
  },
);

const accounts = query(
  'Accounts in order of their names, from after `after` on; `next` is null at the end.',
  Type.Object(
    {
      after: Type.Optional(AccountName),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
    },
    strict,
  ),
  ({ tables }: Queries, { after, limit = 100 }) => {
    const page = tables.accounts.page({ after, limit });
    return { accounts: page.rows.map(([name, row]) => shown(name, row)), next: page.next };
  },
);

const supply = query(
  'The sum of all balances.',
  Type.Object({}, strict),
  ({ tables }: Queries) => ({ supply: (tables.supply.get(SUPPLY) ?? 0).toString() }),
);

export const ledger = defineModule<LedgerRows>({
  name: 'ledger',
  version: 1,
  description: 'Accounts, balances and transfers.',
  tables: ['accounts', 'issuers', 'supply'],
  commands: { open, issue, transfer },
  queries: { account, accounts, supply },
  genesis: ledgerGenesis,
});
