/**
 * What the ledger's queries answer: amounts as decimal text, flags by name. Lists come in pages, the
 * last of which has `next` null; a page may hold fewer rows than asked for and not be the last (I98).
 */
import { Type, type Static, type TSchema } from '@sinclair/typebox';
import { ModuleRefusal, refuse } from '../../../protocols/transaction/module.ts';
import type { ReadContext } from '../define.ts';
import { AccountFlags } from './accounts.ts';
import { issuedFrom } from './assets.ts';
import {
  accountFlagsOf,
  HISTORY,
  transferFlags,
  transferFlagsOf,
  type TransferFlag,
} from './flags.ts';
import {
  AccountName,
  AmountText,
  assetOf,
  AssetName,
  Code,
  codeOf,
  DEFAULT_ASSET,
  flagsOf,
  pendingCr,
  pendingDr,
  PendingStatus,
  StoredId,
  strict,
  SumText,
  TimeoutMs,
  Timestamp,
  timeKey,
  timeText,
  UserData,
  type AccountRow,
  type AssetRow,
  type Balances,
  type HistoryRow,
  type tables as ledgerTables,
  type TransferRow,
} from './rows.ts';
import { Sender } from '../schema.ts';

type Read = ReadContext<typeof ledgerTables>;

const balances = {
  debitsPosted: AmountText,
  creditsPosted: AmountText,
  debitsPending: AmountText,
  creditsPending: AmountText,
};

export const AccountView = Type.Object(
  {
    account: AccountName,
    owner: Sender,
    asset: AssetName,
    code: Code,
    flags: AccountFlags,
    userData: Type.Optional(UserData),
    ...balances,
    /** Credits posted less debits posted. */
    balance: SumText,
    /** The balance less what is pending to be taken. */
    available: SumText,
  },
  strict,
);

export const TransferView = Type.Object(
  {
    transfer: StoredId,
    from: AccountName,
    to: AccountName,
    amount: AmountText,
    asset: AssetName,
    code: Code,
    flags: Type.Array(
      Type.Unsafe<TransferFlag>(Type.Union(transferFlags.map((flag) => Type.Literal(flag)))),
    ),
    timestamp: Timestamp,
    userData: Type.Optional(UserData),
    pendingId: Type.Optional(StoredId),
    timeoutMs: Type.Optional(TimeoutMs),
    poster: Type.Optional(Sender),
    status: Type.Optional(PendingStatus),
    postedAmount: Type.Optional(AmountText),
    expiresAt: Type.Optional(Type.Integer({ minimum: 0 })),
  },
  strict,
);

export const BalanceView = Type.Object(
  { timestamp: Timestamp, transfer: StoredId, ...balances },
  strict,
);

export const AssetView = Type.Object(
  {
    asset: AssetName,
    issuers: Type.Array(Sender),
    account: AccountName,
    issued: SumText,
    redeemed: SumText,
    supply: SumText,
  },
  strict,
);

/** Of a transfer in an account's history that a question looks at, whether it answers with it or not. */
const LOOK_STEPS = 32;
const Limit = Type.Integer({ minimum: 1, maximum: 1000 });
const LIMIT = 100;
/** What a list takes besides what it is a list of. */
export const paging = { limit: Type.Optional(Limit) };

export function pageOf<Name extends string, S extends TSchema, N extends TSchema>(
  name: Name,
  item: S,
  next: N,
) {
  const rows = { [name]: Type.Array(item) } as Record<Name, ReturnType<typeof Type.Array<S>>>;
  return Type.Object({ ...rows, next: Type.Union([next, Type.Null()]) }, strict);
}

// ------------------------------------------------------------------------------------- one by one

function sums(row: Balances) {
  return {
    debitsPosted: row.dr.toString(),
    creditsPosted: row.cr.toString(),
    debitsPending: pendingDr(row).toString(),
    creditsPending: pendingCr(row).toString(),
  };
}

function accountView(account: string, row: AccountRow): Static<typeof AccountView> {
  const balance = BigInt(row.cr) - BigInt(row.dr);
  const available = balance - BigInt(pendingDr(row));
  const held = { balance: balance.toString(), available: available.toString() };
  const userData = row.terms?.userData;
  const view = { account, owner: row.owner, asset: assetOf(row), code: codeOf(row) };
  const flags = accountFlagsOf(flagsOf(row));
  const all = { ...view, flags, ...sums(row), ...held };
  return userData === undefined ? all : { ...all, userData };
}

export function account(
  { tables }: Read,
  { account: name }: { readonly account: string },
): Static<typeof AccountView> | ModuleRefusal {
  const row = tables.accounts.get(name);
  if (row === undefined) return refuse('account_not_found', 'there is no such account');
  return accountView(name, row);
}

function transferView(
  { accounts: table }: Read['tables'],
  transfer: string,
  row: TransferRow,
): Static<typeof TransferView> {
  const { amount, flags = 0, code = 0, postedAmount, ...rest } = row;
  const named = { asset: assetOf(table.get(row.from)!), code, flags: transferFlagsOf(flags) };
  const view = { transfer, ...rest, ...named, amount: amount.toString() };
  return postedAmount === undefined ? view : { ...view, postedAmount: postedAmount.toString() };
}

export function transfer(
  { tables }: Read,
  { transfer: id }: { readonly transfer: string },
): Static<typeof TransferView> | ModuleRefusal {
  const row = tables.transfers.get(id);
  if (row === undefined) return refuse('transfer_not_found', 'no transfer of this id is kept');
  return transferView(tables, id, row);
}

function assetView(asset: string, row: AssetRow): Static<typeof AssetView> {
  const supply = (BigInt(row.issued) - BigInt(row.redeemed)).toString();
  return { asset, account: issuedFrom(asset), ...row, supply };
}

export function asset(
  { tables }: Read,
  { asset: name }: { readonly asset: string },
): Static<typeof AssetView> | ModuleRefusal {
  const row = tables.assets.get(name);
  return row === undefined
    ? refuse('asset_not_found', 'the ledger has no asset of that name')
    : assetView(name, row);
}

export function supply(
  context: Read,
  { asset: name = DEFAULT_ASSET }: { readonly asset?: string },
): { supply: string } | ModuleRefusal {
  const found = asset(context, { asset: name });
  return found instanceof ModuleRefusal ? found : { supply: found.supply };
}

// ------------------------------------------------------------------------------------------ lists

interface Paging {
  readonly after?: string;
  readonly limit?: number;
}

export function accounts({ tables }: Read, { after, limit = LIMIT }: Paging) {
  const { rows, next } = tables.accounts.page({ after, limit });
  return { accounts: rows.map(([name, row]) => accountView(name, row)), next };
}

export function assets({ tables }: Read, { after, limit = LIMIT }: Paging) {
  const { rows, next } = tables.assets.page({ after, limit });
  return { assets: rows.map(([name, row]) => assetView(name, row)), next };
}

/** A range of time in an account, both ends included, and how to walk through it. */
export const Span = {
  account: AccountName,
  timestampMin: Type.Optional(Timestamp),
  timestampMax: Type.Optional(Timestamp),
  reversed: Type.Optional(Type.Boolean()),
  after: Type.Optional(Timestamp),
  ...paging,
};
interface Span {
  readonly account: string;
  readonly timestampMin?: number;
  readonly timestampMax?: number;
  readonly reversed?: boolean;
  readonly after?: number;
  readonly limit?: number;
}

/**
 * The range of keys `<account>/<timestamp>` for a span, walked up or down from what is above, or below,
 * `after`; and whether a timestamp lies beyond its end.
 */
function rangeOf(span: Span) {
  const { account: name, timestampMin = 0, timestampMax = Number.MAX_SAFE_INTEGER } = span;
  const { after, reversed = false, limit = LIMIT } = span;
  const start = reversed
    ? Math.min(timestampMax + 1, after ?? Infinity)
    : Math.max(timestampMin - 1, after ?? 0);
  const isOver = (timestamp: number): boolean =>
    reversed ? timestamp < timestampMin : timestamp > timestampMax;
  return { range: { prefix: `${name}/`, after: timeKey(name, start), reversed, limit }, isOver };
}

export const Side = Type.Union([Type.Literal('debits'), Type.Literal('credits')]);

interface TransferFilter extends Span {
  readonly side?: Static<typeof Side>;
  readonly status?: Static<typeof PendingStatus>;
  readonly code?: number;
  readonly userData?: string;
}

/** Every transfer of an account that keeps history is kept, so this is all of them since it was opened. */
export function accountTransfers(context: Read, filter: TransferFilter) {
  const { tables } = context;
  const found = historyOf(context, filter);
  if (found instanceof ModuleRefusal) return found;
  const transfers = found.rows
    .map(([, { transfer: id }]) => [id, tables.transfers.get(id)!] as const)
    .filter(([, row]) => passes(filter, row))
    .map(([id, row]) => transferView(tables, id, row));
  return { transfers, next: found.next };
}

function passes({ account: name, side, status, code, userData }: TransferFilter, row: TransferRow) {
  if (side !== undefined && (side === 'debits' ? row.from : row.to) !== name) return false;
  if (status !== undefined && row.status !== status) return false;
  if (code !== undefined && (row.code ?? 0) !== code) return false;
  return userData === undefined || row.userData === userData;
}

export function accountBalances(context: Read, span: Span) {
  const found = historyOf(context, span);
  if (found instanceof ModuleRefusal) return found;
  const balancesThen = found.rows.map((row) => {
    const [, held] = row;
    return { timestamp: timestampOf(row), transfer: held.transfer, ...sums(held) };
  });
  return { balances: balancesThen, next: found.next };
}

/** A page of an account's history within the span, and what to go on after: null where it ends. */
function historyOf({ tables: { accounts: books, history }, meter }: Read, span: Span) {
  const row = books.get(span.account);
  if (row === undefined) return refuse('account_not_found', 'there is no such account');
  if ((flagsOf(row) & HISTORY) === 0) {
    return refuse('history_not_kept', 'the account was opened without the flag history');
  }
  const { range, isOver } = rangeOf(span);
  const { rows, next } = history.page(range);
  meter.spend(rows.length * LOOK_STEPS);
  const inTime = rows.filter((each) => !isOver(timestampOf(each)));
  const last = inTime.at(-1);
  const isAll = next === null || inTime.length < rows.length || last === undefined;
  return { rows: inTime, next: isAll ? null : timestampOf(last) };
}

const timestampOf = ([key]: readonly [string, HistoryRow]): number =>
  Number(key.slice(-timeText(0).length));
