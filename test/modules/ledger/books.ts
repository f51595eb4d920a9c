/** Short ways to say what is asked of the ledger. */
import { STEPS_MAX } from '../../../protocols/transaction/meter.ts';
import type { Call } from '../../../protocols/transaction/submission.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import { alice, bob } from '../../transaction/fixture.ts';
import { World } from '../run.ts';

export const MAX = 2n ** 63n - 1n;
export const aliceName = `key:${alice.publicKey}`;
export const bobName = `key:${bob.publicKey}`;

export const call = (command: string, args: Value): Call => ({ module: 'ledger', command, args });
export const open = (account: string, more: Record<string, Value> = {}): Call =>
  call('open', { account, ...more });
export const issue = (account: string, amount: number | bigint): Call =>
  call('issue', { account, amount });
export const transfer = (from: string, to: string, amount: number | bigint, id?: string): Call =>
  call('transfer', id === undefined ? { from, to, amount } : { from, to, amount, id });
export const pend = (id: string, amount: number, more: Record<string, Value> = {}): Call =>
  call('pend', { id, from: 'a', to: 'b', amount, ...more });
export const many = (...transfers: Value[]): Call => call('createTransfers', { transfers });

const LIMITED = 'debitsMustNotExceedCredits';

/**
 * Alice issues `unit` and has `a` with 100; `b` is Bob's, `loose` may be overdrawn, `e` holds EUR.
 * `kept` keeps its history; `withHistory`: `a` and `b`, too.
 */
export function books({ withHistory = false, stepsMax = STEPS_MAX } = {}): World {
  const issuers = [aliceName];
  const flags = withHistory ? [LIMITED, 'history'] : [LIMITED];
  const world = new World(
    { ledger: { issuers, assets: [{ asset: 'EUR', issuers }] } },
    { stepsMax },
  );
  const made = world.run([
    open('a', { flags }),
    open('b', { flags, owner: bobName }),
    open('kept', { flags: [LIMITED, 'history'] }),
    open('loose', { flags: [] }),
    open('loose2', { flags: [] }),
    open('owed', { flags: ['creditsMustNotExceedDebits'] }),
    open('e', { asset: 'EUR' }),
    issue('a', 100),
  ]);
  if (made.some((code) => code !== 'ok')) throw new Error(made.join());
  return world;
}

/** The code that each event of a list gets; `ok` where it succeeds. */
export function codes(world: World, list: Call, signer = alice): string[] {
  const [receipt] = world.receipts([list], signer);
  if (receipt?.status !== 'ok') return [receipt?.error?.code ?? 'none'];
  const [events] = Object.values(list.args as Record<string, unknown[]>);
  const results = events!.map(() => 'ok');
  const { failures } = receipt.result as { failures: { index: number; result: string }[] };
  for (const { index, result } of failures) results[index] = result;
  return results;
}

export function account(world: World, name: string): Record<string, unknown> {
  return world.ask('ledger', 'account', { account: name }) as Record<string, unknown>;
}

export const balance = (world: World, name: string): unknown => account(world, name)['balance'];
