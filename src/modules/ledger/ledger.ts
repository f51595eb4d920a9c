/**
 * Accounts with balances in minor units, each bound to an owner.
 *
 * Q1. The balances add up to the supply, which only an issuer named in the genesis can raise.
 * Q2. Only its owner takes from an account, and never more than is there.
 */
import { Type, type Static } from '@sinclair/typebox';
import { refuse, type ModuleRefusal } from '../../../protocols/transaction/module.ts';
import { defineModule, event, type Context } from '../define.ts';
import { Amount } from '../schema.ts';
import { minus, plus } from './amount.ts';
import { ledgerGenesis } from './genesis.ts';
import { AccountName, AmountText, Sender, strict, SUPPLY, tables } from './rows.ts';

const AccountView = Type.Object(
  { account: AccountName, owner: Sender, balance: AmountText },
  strict,
);

type Commands = Context<typeof tables, Record<never, never>, Record<never, never>>;

const Transfer = Type.Object(
  {
    from: AccountName,
    to: AccountName,
    amount: Amount,
    memo: Type.Optional(Type.String({ maxLength: 256 })),
  },
  strict,
);

function transfer(
  { tables: { accounts }, sender }: Commands,
  { from, to, amount }: Static<typeof Transfer>,
): ModuleRefusal | undefined {
  if (from === to) return refuse('self_transfer', 'both accounts are the same');
  if (amount === 0) return refuse('zero_amount', 'the amount is zero');
  const source = accounts.get(from);
  if (source === undefined) {
    return refuse('account_not_found', 'there is no account to take from');
  }
  if (source.owner !== sender) {
    return refuse('not_owner', 'only its owner takes from an account');
  }
  const target = accounts.get(to);
  if (target === undefined) {
    return refuse('account_not_found', 'there is no account to give to');
  }
  if (source.balance < amount) {
    return refuse('insufficient_funds', 'the balance is too small');
  }
  const balance = plus(target.balance, amount);
  if (balance === null) return refuse('overflow', 'a balance cannot exceed 2^63 - 1');
  accounts.set(from, { owner: source.owner, balance: minus(source.balance, amount) });
  accounts.set(to, { owner: target.owner, balance });
  return undefined;
}

export const ledger = defineModule({
  name: 'ledger',
  version: 1,
  description: 'Accounts, balances and transfers.',
  tables,
  events: {
    issued: event(
      'An amount was created in an account.',
      Type.Object({ account: AccountName, amount: AmountText }, strict),
    ),
  },
  commands: ({ command }) => ({
    open: command(
      {
        description: 'Opens an account with nothing in it, owned by the sender or by `owner`.',
        args: Type.Object({ account: AccountName, owner: Type.Optional(Sender) }, strict),
      },
      ({ tables: { accounts }, sender }, { account, owner = sender }) => {
        if (accounts.get(account) !== undefined) {
          return refuse('account_exists', 'an account of that name is open already');
        }
        accounts.set(account, { owner, balance: 0 });
      },
    ),

    issue: command(
      {
        description: 'Creates an amount out of nothing, in an account. Only for issuers.',
        args: Type.Object({ account: AccountName, amount: Amount }, strict),
      },
      (context, { account, amount }) => {
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
      },
    ),

    transfer: command(
      {
        description: 'Moves an amount from an account of the sender to another one.',
        args: Transfer,
      },
      transfer,
    ),
  }),

  queries: ({ query }) => ({
    account: query(
      {
        description: 'One account.',
        args: Type.Object({ account: AccountName }, strict),
        result: AccountView,
      },
      ({ tables: { accounts } }, { account }) => {
        const row = accounts.get(account);
        if (row === undefined) return refuse('account_not_found', 'there is no such account');
        return { account, owner: row.owner, balance: row.balance.toString() };
      },
    ),

    accounts: query(
      {
        description:
          'Accounts in order of their names, from after `after` on; `next` is null at the end.',
        args: Type.Object(
          {
            after: Type.Optional(AccountName),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000 })),
          },
          strict,
        ),
        result: Type.Object(
          { accounts: Type.Array(AccountView), next: Type.Union([AccountName, Type.Null()]) },
          strict,
        ),
      },
      ({ tables: { accounts } }, { after, limit = 100 }) => {
        const { rows, next } = accounts.page({ after, limit });
        const views = rows.map(([account, { owner, balance }]) => ({
          account,
          owner,
          balance: balance.toString(),
        }));
        return { accounts: views, next };
      },
    ),

    supply: query(
      {
        description: 'The sum of all balances.',
        args: Type.Object({}, strict),
        result: Type.Object({ supply: AmountText }, strict),
      },
      ({ tables }) => ({ supply: (tables.supply.get(SUPPLY) ?? 0).toString() }),
    ),
  }),
  refusals: {
    account_exists: 'There is an account of that name.',
    account_not_found: 'There is no account of that name.',
    insufficient_funds: 'The balance is smaller than the amount.',
    not_issuer: 'The sender is not among the issuers of the genesis.',
    not_owner: 'The sender is not the owner of the account to take from.',
    overflow: 'The balance, or the supply, would exceed 2^63 − 1.',
    self_transfer: 'Both accounts are the same.',
    zero_amount: 'The amount is zero.',
  },
  genesis: ledgerGenesis,
});
