/** Assets, and what is issued of them: by a debit of the account that the ledger keeps for it. */
import { refuse, type ModuleRefusal } from '../../../protocols/transaction/module.ts';
import type { Amount } from '../schema.ts';
import { newRow } from './accounts.ts';
import { assetOf, DEFAULT_ASSET, ISSUED, type Books, type Commands, type Work } from './rows.ts';
import { createTransfer } from './transfers.ts';

/** Whose command is no transaction's: nobody signs as a module. */
const LEDGER = 'module:ledger';

export const issuedFrom = (asset: string): string => ISSUED + asset;

/** Adds an asset of which nothing is issued, with the account that issues it. */
export function openAsset(
  { assets, accounts }: Pick<Books, 'assets' | 'accounts'>,
  asset: string,
  issuers: readonly string[],
): void {
  assets.set(asset, { issuers: [...issuers], issued: '0', redeemed: '0' });
  const account = { account: issuedFrom(asset), asset, flags: [] };
  accounts.set(account.account, newRow(account, LEDGER));
}

export function addAsset(
  { tables, sender, emit }: Commands,
  { asset, issuers = [sender] }: { readonly asset: string; readonly issuers?: readonly string[] },
): ModuleRefusal | undefined {
  if (!tables.assets.get(DEFAULT_ASSET)!.issuers.includes(sender)) {
    return refuse('not_issuer', `only an issuer of ${DEFAULT_ASSET} adds assets`);
  }
  if (tables.assets.get(asset) !== undefined) {
    return refuse('asset_exists', 'there is an asset of that name');
  }
  openAsset(tables, asset, issuers);
  emit('assetAdded', { asset });
  return undefined;
}

/** A transfer like any other, of which the ledger is the sender. */
export function issue(
  { tables, time, sender, emit, schedule, cancel }: Commands,
  {
    account,
    amount,
    id,
  }: { readonly account: string; readonly amount: Amount; readonly id?: string },
): ModuleRefusal | undefined {
  const row = tables.accounts.get(account);
  if (row === undefined) {
    return refuse('credit_account_not_found', 'there is no such account');
  }
  const asset = assetOf(row);
  if (!tables.assets.get(asset)!.issuers.includes(sender)) {
    return refuse('not_issuer', 'the sender is not among the issuers of the asset');
  }
  const work: Work = { tables, time, sender: LEDGER, emit, schedule, cancel };
  const event = {
    from: issuedFrom(asset),
    to: account,
    amount,
    ...(id === undefined ? {} : { id }),
  };
  const refused = createTransfer(work, event, 0);
  if (refused === undefined) emit('issued', { account, asset, amount: amount.toString() });
  return refused;
}
