/**
 * Double entry: accounts of several assets, and transfers between them, of one phase or of two, alone
 * or in chains. TigerBeetle's semantics and result codes are the reference
 * (docs.tigerbeetle.com/reference); what differs, and why, stands in docs/modules.md.
 */
import { Type, type Static } from '@sinclair/typebox';
import { defineModule } from '../define.ts';
import { Amount } from '../schema.ts';
import { createAccount, eventFlags, NewAccount } from './accounts.ts';
import * as answers from './answers.ts';
import { addAsset, issue } from './assets.ts';
import { EVENTS_MAX, Failures, runEvents, type Events } from './chains.ts';
import { LINKED, PENDING, POST, transferBits, VOID } from './flags.ts';
import { ledgerGenesis } from './genesis.ts';
import { sweep } from './pending.ts';
import {
  AccountName,
  AssetName,
  Code,
  DEFAULT_ASSET,
  events,
  ISSUERS_MAX,
  PendingStatus,
  Sender,
  StoredId,
  strict,
  SumText,
  SweepArgs,
  tables,
  TimeoutMs,
  Timestamp,
  TransferId,
  UserData,
} from './rows.ts';
import { createTransfer, failedTransfer, NewTransfer } from './transfers.ts';

const optional = Type.Optional;

const Transfer = Type.Object(
  {
    from: AccountName,
    to: AccountName,
    amount: Amount,
    memo: optional(Type.String({ maxLength: 256 })),
    id: optional(TransferId),
  },
  strict,
);

const resolved = { pendingId: StoredId, id: optional(TransferId) };

const Pend = Type.Object(
  {
    id: TransferId,
    from: AccountName,
    to: AccountName,
    amount: Amount,
    timeoutMs: optional(TimeoutMs),
    poster: optional(Sender),
    code: optional(Code),
    userData: optional(UserData),
  },
  strict,
);

const NewAccounts: Events<Static<typeof NewAccount>> = {
  isLinked: (event) => (eventFlags(event) & LINKED) !== 0,
  run: createAccount,
  failed: () => undefined,
};

const NewTransfers: Events<NewTransfer> = {
  isLinked: ({ flags }) => flags?.includes('linked') ?? false,
  run: (work, event) => createTransfer(work, event, transferBits(event.flags ?? [])),
  failed: failedTransfer,
};

export const ledger = defineModule({
  name: 'ledger',
  version: 1,
  description: 'Accounts of several assets, balances and transfers.',
  tables,
  events,
  timers: ({ timer }) => ({
    sweep: timer(
      { description: 'Ends pending transfers whose time is over.', args: SweepArgs },
      sweep,
    ),
  }),
  commands: ({ command }) => ({
    open: command(
      {
        description: 'Opens an account with nothing in it, owned by the sender or by `owner`.',
        args: NewAccount,
      },
      createAccount,
    ),

    createAccounts: command(
      {
        description: 'Opens accounts; each succeeds or fails alone, or with those it is linked to.',
        args: Type.Object(
          { accounts: Type.Array(NewAccount, { minItems: 1, maxItems: EVENTS_MAX }) },
          strict,
        ),
        result: Failures,
      },
      (context, { accounts }) => runEvents(context, accounts, NewAccounts),
    ),

    addAsset: command(
      {
        description: `Adds an asset, issued by the sender or by \`issuers\`. Only for issuers of ${DEFAULT_ASSET}.`,
        args: Type.Object(
          {
            asset: AssetName,
            issuers: optional(Type.Array(Sender, { minItems: 1, maxItems: ISSUERS_MAX })),
          },
          strict,
        ),
      },
      addAsset,
    ),

    issue: command(
      {
        description: 'Creates an amount in an account: of its asset, and only for issuers of that.',
        args: Type.Object(
          { account: AccountName, amount: Amount, id: optional(TransferId) },
          strict,
        ),
      },
      issue,
    ),

    transfer: command(
      {
        description: 'Moves an amount from an account of the sender to another one.',
        args: Transfer,
      },
      (context, args) => createTransfer(context, args, 0),
    ),

    pend: command(
      {
        description: 'Holds an amount of an account of the sender for another one, to be posted.',
        args: Pend,
      },
      (context, args) => createTransfer(context, args, PENDING),
    ),

    post: command(
      {
        description: 'Moves what a pending transfer holds, or `amount` of it.',
        args: Type.Object({ ...resolved, amount: optional(Amount) }, strict),
      },
      (context, args) => createTransfer(context, args, POST),
    ),

    void: command(
      {
        description: 'Lets go of what a pending transfer holds.',
        args: Type.Object(resolved, strict),
      },
      (context, args) => createTransfer(context, args, VOID),
    ),

    createTransfers: command(
      {
        description:
          'Transfers of every kind; each succeeds or fails alone, or with those it is linked to.',
        args: Type.Object(
          { transfers: Type.Array(NewTransfer, { minItems: 1, maxItems: EVENTS_MAX }) },
          strict,
        ),
        result: Failures,
      },
      (context, { transfers }) => runEvents(context, transfers, NewTransfers),
    ),
  }),

  queries: ({ query }) => ({
    account: query(
      {
        description: 'One account.',
        args: Type.Object({ account: AccountName }, strict),
        result: answers.AccountView,
      },
      answers.account,
    ),

    accounts: query(
      {
        description: 'Accounts in order of their names.',
        args: Type.Object({ after: optional(AccountName), ...answers.paging }, strict),
        result: answers.pageOf('accounts', answers.AccountView, AccountName),
      },
      answers.accounts,
    ),

    transfer: query(
      {
        description: 'One transfer that is kept.',
        args: Type.Object({ transfer: StoredId }, strict),
        result: answers.TransferView,
      },
      answers.transfer,
    ),

    accountTransfers: query(
      {
        description: 'The transfers of an account that are kept, in order of time or `reversed`.',
        args: Type.Object(
          {
            ...answers.Span,
            side: optional(answers.Side),
            status: optional(PendingStatus),
            code: optional(Code),
            userData: optional(UserData),
          },
          strict,
        ),
        result: answers.pageOf('transfers', answers.TransferView, Timestamp),
      },
      answers.accountTransfers,
    ),

    accountBalances: query(
      {
        description: 'What each transfer left in an account that keeps history, as above.',
        args: Type.Object(answers.Span, strict),
        result: answers.pageOf('balances', answers.BalanceView, Timestamp),
      },
      answers.accountBalances,
    ),

    asset: query(
      {
        description: 'One asset: who issues it, and how much there is.',
        args: Type.Object({ asset: AssetName }, strict),
        result: answers.AssetView,
      },
      answers.asset,
    ),

    assets: query(
      {
        description: 'Assets in order of their names.',
        args: Type.Object({ after: optional(AssetName), ...answers.paging }, strict),
        result: answers.pageOf('assets', answers.AssetView, AssetName),
      },
      answers.assets,
    ),

    supply: query(
      {
        description: 'What was issued of an asset and not redeemed.',
        args: Type.Object({ asset: optional(AssetName) }, strict),
        result: Type.Object({ supply: SumText }, strict),
      },
      answers.supply,
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
