/**
 * The bridge's money: accounts of the ledger that only the bridge debits. All that it needs of the ledger
 * is here.
 *
 * J4. What a transfer holds is there: the account `locked` of an asset holds at least the open outbound
 *     transfers, and the `reserve` changes by what went out and came in. An account is the bridge's only
 *     if the bridge has opened it, under a name that nobody could know before, and in the asset itself: the
 *     ledger refuses what would move another one.
 */
import { ModuleRefusal, refuse, type Amount } from '../../module.ts';
import type { Commands } from './rows.ts';

/** Opens what a sender needs before anything moves: its account, and those of the asset. */
export function openAccounts(
  context: Commands,
  asset: string,
): { account: string } | ModuleRefusal {
  for (const holder of ['locked', 'reserve', context.sender]) {
    const refused = openAccount(context, asset, holder);
    if (refused !== undefined) return refused;
  }
  return { account: context.tables.accounts.get(`${asset}/${context.sender}`)! };
}

function openAccount(
  { tables: { accounts }, call, hash, random }: Commands,
  asset: string,
  holder: string,
): ModuleRefusal | undefined {
  const key = `${asset}/${holder}`;
  if (accounts.get(key) !== undefined) return undefined;
  const account = `bridge-${hash(random()).slice(0, 40)}`;
  const opened = call('ledger', 'open', { account, asset });
  if (opened instanceof ModuleRefusal) return opened;
  accounts.set(key, account);
  return undefined;
}

/** Moves an amount between accounts of the bridge, by their holders. */
export function move(
  context: Commands,
  asset: string,
  { from, to, amount }: { readonly from: string; readonly to: string; readonly amount: Amount },
): ModuleRefusal | undefined {
  const target = context.tables.accounts.get(`${asset}/${to}`);
  return target === undefined ? notEnrolled() : pay(context, asset, { from, to: target, amount });
}

/** Moves an amount from an account of the bridge to any account of the ledger. */
export function pay(
  { tables: { accounts }, call }: Commands,
  asset: string,
  { from, to, amount }: { readonly from: string; readonly to: string; readonly amount: Amount },
): ModuleRefusal | undefined {
  const source = accounts.get(`${asset}/${from}`);
  if (source === undefined) return notEnrolled();
  const outcome = call('ledger', 'transfer', { from: source, to, amount });
  return outcome instanceof ModuleRefusal ? outcome : undefined;
}

/** Adds to the books of an asset; amounts may be negative. */
export function enter(
  { tables: { supply } }: Commands,
  asset: string,
  flow: { readonly locked?: bigint; readonly out?: bigint; readonly in?: bigint },
): void {
  const books = supply.get(asset);
  const plus = (before = '0', change = 0n): string => (BigInt(before) + change).toString();
  supply.set(asset, {
    locked: plus(books?.locked, flow.locked),
    out: plus(books?.out, flow.out),
    in: plus(books?.in, flow.in),
  });
}

export function isBridged({ tables }: Commands, asset: string): boolean {
  return tables.settings.get('bridge')!.assets.includes(asset);
}

export const assetNotBridged = (): ModuleRefusal =>
  refuse('asset_not_bridged', 'the genesis document does not name the asset');

const notEnrolled = (): ModuleRefusal =>
  refuse('not_enrolled', 'the bridge has no such account yet: enroll comes first');
