/**
 * The ledger at height 0, from the genesis document's `modules.ledger`:
 * `{issuers?: ["key:…"], assets?: [{asset, issuers}], accounts?: [{account, owner, balance: "1000", …}]}`,
 * where `issuers` are those of the default asset, and accounts may say what else commands say of them.
 */
import { Type, type Static } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { FillContext } from '../define.ts';
import { fromJson, Misfit, misfitOf } from '../from-json.ts';
import { Amount, Sender } from '../schema.ts';
import { NewAccount, newRow } from './accounts.ts';
import { issuedFrom, openAsset } from './assets.ts';
import { book, noRoom } from './booking.ts';
import {
  assetOf,
  AssetName,
  DEFAULT_ASSET,
  ISSUED,
  ISSUERS_MAX,
  strict,
  type tables as ledgerTables,
} from './rows.ts';

const Issuers = Type.Array(Sender, { maxItems: ISSUERS_MAX });
const Account = Type.Object({ ...NewAccount.properties, owner: Sender, balance: Amount }, strict);
const Config = Type.Object(
  {
    issuers: Type.Optional(Issuers),
    assets: Type.Optional(Type.Array(Type.Object({ asset: AssetName, issuers: Issuers }, strict))),
    accounts: Type.Optional(Type.Array(Account)),
  },
  strict,
);
const config = TypeCompiler.Compile(Config);

type Tables = FillContext<typeof ledgerTables>['tables'];

export function ledgerGenesis({ tables }: { readonly tables: Tables }, json: unknown): void {
  const parsed = fromJson(Config, json ?? {}, '', false);
  if (parsed instanceof Misfit) throw invalid(parsed.field, parsed.message);
  if (!config.Check(parsed)) {
    const { field, message } = misfitOf(config, parsed);
    throw invalid(field, message);
  }
  openAsset(tables, DEFAULT_ASSET, parsed.issuers ?? []);
  for (const { asset, issuers } of parsed.assets ?? []) {
    if (tables.assets.get(asset) !== undefined) throw invalid(asset, 'an asset named twice');
    openAsset(tables, asset, issuers);
  }
  for (const account of parsed.accounts ?? []) fill(tables, account);
}

function fill({ accounts, assets, ...books }: Tables, given: Static<typeof Account>): void {
  const { account, owner, balance } = given;
  if (account.startsWith(ISSUED)) throw invalid(account, `${ISSUED} begins the ledger's own names`);
  if (accounts.get(account) !== undefined) throw invalid(account, 'named twice');
  const creditor = newRow(given, owner);
  const asset = assetOf(creditor);
  if (assets.get(asset) === undefined) throw invalid(account, `there is no asset ${asset}`);
  accounts.set(account, creditor);
  const from = issuedFrom(asset);
  const sides = { from, to: account, debtor: accounts.get(from)!, creditor };
  const refused = noRoom(sides, balance, false);
  if (refused !== undefined) throw invalid(account, refused.message);
  book({ accounts, assets, ...books }, sides, balance, 0, 0);
}

function invalid(field: string, message: string): Error {
  return new Error(`genesis: modules.ledger ${field}: ${message}`);
}
