/**
 * The ledger's rows, and the forms of names in them.
 *
 * Rows are copied when they change, and hashed at the next checkpoint with what lies above them in the
 * state tree: that is most of what a transfer costs. So it changes one short row of each account.
 */
import { Type, type Static } from '@sinclair/typebox';
import { event, table, type Context, type TimerDefinition } from '../define.ts';
import { Amount, Sender } from '../schema.ts';
import { DEBITS_LIMITED } from './flags.ts';

export const strict = { additionalProperties: false };

export const AccountName = Type.String({
  pattern: '^[A-Za-z0-9._:-]{1,64}$',
  description: '1 to 64 letters, digits, dots, dashes, colons or underscores',
});

/** Of a transfer. Those that begin with @ the ledger gives itself. */
export const TransferId = Type.String({
  pattern: '^[A-Za-z0-9._:-]{1,64}$',
  description: '1 to 64 letters, digits, dots, dashes, colons or underscores',
});
export const StoredId = Type.String({
  pattern: '^@?[A-Za-z0-9._:-]{1,64}$',
  description: 'the id of a transfer',
});

/** What TigerBeetle calls a ledger: only accounts of the same asset transact with each other. */
export const AssetName = Type.String({
  pattern: '^[A-Za-z0-9._-]{1,16}$',
  description: '1 to 16 letters, digits, dots, dashes or underscores',
});

/** What an account or a transfer is for, in the client's own numbering; 0 where nothing was said. */
export const Code = Type.Integer({ minimum: 0, maximum: 65535 });
export const UserData = Type.String({ minLength: 1, maxLength: 128 });
export const TimeoutMs = Type.Integer({ minimum: 1, maximum: 0xffff_ffff * 1000 });
/** Microseconds since 1970 by block time, raised so that no two are the same: an order in time. */
export const Timestamp = Type.Integer({ minimum: 0 });
const Millis = Type.Integer({ minimum: 0 });

/** Amounts are text in answers, so that their type does not change with their size. */
export const AmountText = Type.String({
  pattern: '^[0-9]{1,19}$',
  description: 'an amount as decimal text',
});
/** A sum of amounts, or a difference, which 64 bits may not hold. */
export const SumText = Type.String({ pattern: '^-?[0-9]+$', description: 'decimal text' });

/** The asset of whoever names none. */
export const DEFAULT_ASSET = 'unit';
export const ISSUERS_MAX = 16;
/** What is issued of an asset is debited from the account of this prefix and the asset's name. */
export const ISSUED = 'issued:';

/** What goes without saying is left out, and with nothing left the whole: short rows are fast ones. */
const Terms = Type.Object(
  {
    asset: Type.Optional(AssetName),
    code: Type.Optional(Code),
    flags: Type.Optional(Type.Integer({ minimum: 0 })),
    userData: Type.Optional(UserData),
  },
  strict,
);
export type Terms = Static<typeof Terms>;

export const assetOf = ({ terms }: AccountRow): string => terms?.asset ?? DEFAULT_ASSET;
export const flagsOf = ({ terms }: AccountRow): number => terms?.flags ?? DEBITS_LIMITED;
export const codeOf = ({ terms }: AccountRow): number => terms?.code ?? 0;

/** What is posted, debits and credits, and where that is not nothing both that are pending. */
const balances = {
  dr: Amount,
  cr: Amount,
  pending: Type.Optional(Type.Object({ dr: Amount, cr: Amount }, strict)),
};
export interface Balances {
  readonly dr: Amount;
  readonly cr: Amount;
  readonly pending?: { readonly dr: Amount; readonly cr: Amount };
}

const AccountRow = Type.Object({ owner: Sender, ...balances, terms: Type.Optional(Terms) }, strict);
export type AccountRow = Static<typeof AccountRow>;

export const pendingDr = ({ pending }: Balances): Amount => pending?.dr ?? 0;
export const pendingCr = ({ pending }: Balances): Amount => pending?.cr ?? 0;

/** The row with these balances. Four forms in all, so that engines know them. */
export function balanced(
  { owner, terms }: AccountRow,
  dr: Amount,
  cr: Amount,
  pending: AccountRow['pending'],
): AccountRow {
  const isNone = pending === undefined || (pending.dr === 0 && pending.cr === 0);
  if (terms === undefined) return isNone ? { owner, dr, cr } : { owner, dr, cr, pending };
  return isNone ? { owner, dr, cr, terms } : { owner, dr, cr, pending, terms };
}

export const withFlags = (row: AccountRow, flags: number): AccountRow => ({
  ...row,
  terms: { ...row.terms, flags },
});

export const PendingStatus = Type.Union([
  Type.Literal('pending'),
  Type.Literal('posted'),
  Type.Literal('voided'),
  Type.Literal('expired'),
]);

const TransferRow = Type.Object(
  {
    from: AccountName,
    to: AccountName,
    amount: Amount,
    timestamp: Timestamp,
    /** None of them is set where they are left out. */
    flags: Type.Optional(Type.Integer({ minimum: 1 })),
    /** 0 where it is left out. */
    code: Type.Optional(Code),
    userData: Type.Optional(UserData),
    pendingId: Type.Optional(StoredId),
    timeoutMs: Type.Optional(TimeoutMs),
    poster: Type.Optional(Sender),
    /** Of a pending transfer. */
    status: Type.Optional(PendingStatus),
    /** What was posted, where that is not all of it. */
    postedAmount: Type.Optional(Amount),
    expiresAt: Type.Optional(Millis),
  },
  strict,
);
export type TransferRow = Static<typeof TransferRow>;

const HistoryRow = Type.Object({ ...balances, transfer: StoredId }, strict);
export type HistoryRow = Static<typeof HistoryRow>;

const AssetRow = Type.Object(
  {
    issuers: Type.Array(Sender, { maxItems: ISSUERS_MAX }),
    /** Debited from accounts that may be overdrawn, and credited to them. */
    issued: SumText,
    redeemed: SumText,
  },
  strict,
);
export type AssetRow = Static<typeof AssetRow>;

const TIMESTAMP_DIGITS = 16;
/** So that text is in order of time. */
export const timeText = (timestamp: number): string =>
  timestamp.toString().padStart(TIMESTAMP_DIGITS, '0');
export const timeKey = (account: string, timestamp: number): string =>
  `${account}/${timeText(timestamp)}`;

export const tables = {
  accounts: table(
    'By name: what an account is and who may take from it; its debits (`dr`) and credits (`cr`).',
    AccountRow,
  ),
  transfers: table('By id: the transfers that are kept.', TransferRow, {
    /** What waits for its timeout. */
    byExpiry: ({ status, expiresAt }) =>
      status === 'pending' && expiresAt !== undefined ? timeText(expiresAt) : null,
  }),
  failed: table(
    'By id: why a transfer failed that another time might have succeeded. Its id is used up.',
    Type.String(),
  ),
  history: table(
    'By `<account>/<timestamp>`, for accounts that keep history: a transfer, and what it left there.',
    HistoryRow,
  ),
  assets: table('By name: who issues the asset, and how much was.', AssetRow),
  clock: table('One row, `last`: the last timestamp given.', Timestamp),
  sweeps: table(
    'One row, `next`: when the first pending transfer may end, and the timer that sees to it.',
    Type.Object({ at: Millis, timer: Type.String() }, strict),
  ),
};

const about = { id: StoredId, from: AccountName, to: AccountName, amount: AmountText };

export const events = {
  opened: event(
    'An account was opened.',
    Type.Object({ account: AccountName, owner: Sender, asset: AssetName }, strict),
  ),
  issued: event(
    'An amount was created in an account.',
    Type.Object({ account: AccountName, asset: AssetName, amount: AmountText }, strict),
  ),
  assetAdded: event('An asset was added.', Type.Object({ asset: AssetName }, strict)),
  transferred: event(
    'A transfer that is kept was made. Of plain transfers without an id there are only receipts.',
    Type.Object(about, strict),
  ),
  pended: event('A pending transfer was made.', Type.Object(about, strict)),
  posted: event('A pending transfer was posted: `amount` of it.', Type.Object(about, strict)),
  voided: event('A pending transfer was voided.', Type.Object(about, strict)),
  expired: event('A pending transfer was not posted in time.', Type.Object(about, strict)),
};

export const SweepArgs = Type.Object({}, strict);
export interface Timers {
  readonly sweep: TimerDefinition<typeof SweepArgs>;
}
export type Commands = Context<typeof tables, typeof events, Timers>;

interface Rows<Row> {
  get(key: string): Row | undefined;
  set(key: string, row: Row): void;
}

/** What the rules read and write; they remove nothing. */
export type Books = {
  readonly [T in keyof typeof tables]: Rows<Static<(typeof tables)[T]['schema']>>;
};

/** What the rules need of a command's context. */
export interface Work extends Pick<Commands, 'sender' | 'time' | 'emit' | 'schedule' | 'cancel'> {
  readonly tables: Books;
}

export function nextTimestamp({ tables: { clock }, time }: Work): number {
  const timestamp = Math.max((clock.get('last') ?? 0) + 1, time * 1000);
  clock.set('last', timestamp);
  return timestamp;
}
