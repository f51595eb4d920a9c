/** What clients may ask of the ledger: arguments, results, and a sentence for people. */
import { Type, type TSchema } from '@sinclair/typebox';
import { Amount, Sender } from '../schema.ts';
import { NewAccount } from './accounts.ts';
import {
  AccountView,
  AssetView,
  BalanceView,
  pageOf,
  paging,
  Side,
  Span,
  TransferView,
} from './answers.ts';
import { EVENTS_MAX, Failures } from './chains.ts';
import {
  AccountName,
  AssetName,
  Code,
  DEFAULT_ASSET,
  ISSUERS_MAX,
  PendingStatus,
  StoredId,
  strict,
  SumText,
  TimeoutMs,
  Timestamp,
  TransferId,
  UserData,
} from './rows.ts';
import { NewTransfer } from './transfers.ts';

const Transfer = Type.Object(
  {
    from: AccountName,
    to: AccountName,
    amount: Amount,
    memo: Type.Optional(Type.String({ maxLength: 256 })),
    id: Type.Optional(TransferId),
  },
  strict,
);

const resolved = { pendingId: StoredId, id: Type.Optional(TransferId) };

const Pend = Type.Object(
  {
    id: TransferId,
    from: AccountName,
    to: AccountName,
    amount: Amount,
    timeoutMs: Type.Optional(TimeoutMs),
    poster: Type.Optional(Sender),
    code: Type.Optional(Code),
    userData: Type.Optional(UserData),
  },
  strict,
);

const listOf = <S extends TSchema>(event: S) =>
  Type.Array(event, { minItems: 1, maxItems: EVENTS_MAX });

export const commandShapes = {
  open: {
    description: 'Opens an account with nothing in it, owned by the sender or by `owner`.',
    args: NewAccount,
  },
  createAccounts: {
    description: 'Opens accounts; each succeeds or fails alone, or with those it is linked to.',
    args: Type.Object({ accounts: listOf(NewAccount) }, strict),
    result: Failures,
  },
  addAsset: {
    description: `Adds an asset, issued by the sender or by \`issuers\`. Only for issuers of ${DEFAULT_ASSET}.`,
    args: Type.Object(
      {
        asset: AssetName,
        issuers: Type.Optional(Type.Array(Sender, { minItems: 1, maxItems: ISSUERS_MAX })),
      },
      strict,
    ),
  },
  issue: {
    description: 'Creates an amount in an account: of its asset, and only for issuers of that.',
    args: Type.Object(
      { account: AccountName, amount: Amount, id: Type.Optional(TransferId) },
      strict,
    ),
  },
  transfer: {
    description: 'Moves an amount from an account of the sender to another one.',
    args: Transfer,
  },
  pend: {
    description: 'Holds an amount of an account of the sender for another one, to be posted.',
    args: Pend,
  },
  post: {
    description: 'Moves what a pending transfer holds, or `amount` of it.',
    args: Type.Object({ ...resolved, amount: Type.Optional(Amount) }, strict),
  },
  void: {
    description: 'Lets go of what a pending transfer holds.',
    args: Type.Object(resolved, strict),
  },
  createTransfers: {
    description:
      'Transfers of every kind; each succeeds or fails alone, or with those it is linked to.',
    args: Type.Object({ transfers: listOf(NewTransfer) }, strict),
    result: Failures,
  },
};

export const queryShapes = {
  account: {
    description: 'One account.',
    args: Type.Object({ account: AccountName }, strict),
    result: AccountView,
  },
  accounts: {
    description: 'Accounts in order of their names.',
    args: Type.Object({ after: Type.Optional(AccountName), ...paging }, strict),
    result: pageOf('accounts', AccountView, AccountName),
  },
  transfer: {
    description: 'One transfer that is kept.',
    args: Type.Object({ transfer: StoredId }, strict),
    result: TransferView,
  },
  accountTransfers: {
    description: 'The transfers of an account that keeps history, in order of time or `reversed`.',
    args: Type.Object(
      {
        ...Span,
        side: Type.Optional(Side),
        status: Type.Optional(PendingStatus),
        code: Type.Optional(Code),
        userData: Type.Optional(UserData),
      },
      strict,
    ),
    result: pageOf('transfers', TransferView, Timestamp),
  },
  accountBalances: {
    description:
      'What each transfer left in an account that keeps history, in order of time or `reversed`.',
    args: Type.Object(Span, strict),
    result: pageOf('balances', BalanceView, Timestamp),
  },
  asset: {
    description: 'One asset: who issues it, and how much there is.',
    args: Type.Object({ asset: AssetName }, strict),
    result: AssetView,
  },
  assets: {
    description: 'Assets in order of their names.',
    args: Type.Object({ after: Type.Optional(AssetName), ...paging }, strict),
    result: pageOf('assets', AssetView, AssetName),
  },
  supply: {
    description: 'What was issued of an asset and not redeemed.',
    args: Type.Object({ asset: Type.Optional(AssetName) }, strict),
    result: Type.Object({ supply: SumText }, strict),
  },
};
