/**
 * Opening accounts, in the order of checks of TigerBeetle's create_account.
 *
 * Q3. Only an issuer of its asset opens an account that may be overdrawn.
 */
import { Type, type Static } from '@sinclair/typebox';
import { refuse, type ModuleRefusal } from '../../../protocols/transaction/module.ts';
import {
  accountBits,
  accountFlags,
  CREDITS_LIMITED,
  DEBITS_LIMITED,
  LINKED,
  type AccountFlag,
} from './flags.ts';
import {
  AccountName,
  assetOf,
  AssetName,
  Code,
  codeOf,
  DEFAULT_ASSET,
  flagsOf,
  ISSUED,
  strict,
  UserData,
  type AccountRow,
  type Terms,
  type Work,
} from './rows.ts';
import { Sender } from '../schema.ts';

export const AccountFlags = Type.Array(
  Type.Unsafe<AccountFlag>(Type.Union(accountFlags.map((flag) => Type.Literal(flag)))),
  { maxItems: accountFlags.length },
);

/** An account to open. Without flags it cannot be overdrawn. */
export const NewAccount = Type.Object(
  {
    account: AccountName,
    owner: Type.Optional(Sender),
    asset: Type.Optional(AssetName),
    code: Type.Optional(Code),
    flags: Type.Optional(AccountFlags),
    userData: Type.Optional(UserData),
  },
  strict,
);
export type NewAccount = Static<typeof NewAccount>;

export function createAccount(work: Work, event: NewAccount): ModuleRefusal | undefined {
  const { account } = event;
  const { accounts, assets } = work.tables;
  if (account.startsWith(ISSUED)) {
    return refuse('reserved_name', `names that begin with ${ISSUED} are the ledger's own`);
  }
  const row = newRow(event, work.sender);
  const existing = accounts.get(account);
  if (existing !== undefined) return compared(row, existing);
  const flags = flagsOf(row);
  const both = DEBITS_LIMITED | CREDITS_LIMITED;
  if ((flags & both) === both) {
    return refuse('flags_are_mutually_exclusive', 'an account is limited on one side at most');
  }
  const asset = assetOf(row);
  const assetRow = assets.get(asset);
  if (assetRow === undefined)
    return refuse('asset_not_found', 'the ledger has no asset of that name');
  if ((flags & DEBITS_LIMITED) === 0 && !assetRow.issuers.includes(work.sender)) {
    return refuse(
      'not_issuer',
      'only an issuer of its asset opens an account without debitsMustNotExceedCredits',
    );
  }
  accounts.set(account, row);
  work.emit('opened', { account, owner: row.owner, asset });
  return undefined;
}

/** The row of an account with nothing in it. */
export function newRow(event: NewAccount, sender: string): AccountRow {
  const { owner = sender, asset = DEFAULT_ASSET, code = 0, userData } = event;
  const flags = eventFlags(event) & ~LINKED;
  const terms: Terms = {};
  if (asset !== DEFAULT_ASSET) terms.asset = asset;
  if (code !== 0) terms.code = code;
  if (flags !== DEBITS_LIMITED) terms.flags = flags;
  if (userData !== undefined) terms.userData = userData;
  const row: AccountRow = { owner, dr: 0, cr: 0 };
  return Object.keys(terms).length === 0 ? row : { ...row, terms };
}

export function eventFlags({ flags }: NewAccount): number {
  return flags === undefined ? DEBITS_LIMITED : accountBits(flags);
}

/** `exists`, or the first way in which the account that has the name is another one. */
function compared(row: AccountRow, existing: AccountRow): ModuleRefusal {
  if (row.owner !== existing.owner) {
    return refuse('exists_with_different_owner', 'the account is open, for another owner');
  }
  if (flagsOf(row) !== flagsOf(existing)) {
    return refuse('exists_with_different_flags', 'the account is open, with other flags');
  }
  if (row.terms?.userData !== existing.terms?.userData) {
    return refuse('exists_with_different_user_data', 'the account is open, with other userData');
  }
  if (assetOf(row) !== assetOf(existing)) {
    return refuse('exists_with_different_ledger', 'the account is open, in another asset');
  }
  if (codeOf(row) !== codeOf(existing)) {
    return refuse('exists_with_different_code', 'the account is open, with another code');
  }
  return refuse('exists', 'the account is open already, exactly so');
}
