/** A world with a bridge of five attesters of whom three must agree, and what is short to say about it. */
import type { Signer } from '../../protocols/crypto.ts';
import type { ConsensusLimits } from '../../protocols/genesis.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { testSigner } from '../transaction/crypto.ts';
import { clusterOf } from '../transaction/fixture.ts';
import { TimedWorld } from '../modules/timed-world.ts';

export const issuer = testSigner(1);
export const user = testSigner(2);
export const thief = testSigner(3);
export const attesters: readonly Signer[] = [11, 12, 13, 14, 15].map(testSigner);
export const name = ({ publicKey }: Signer): string => `key:${publicKey}`;
export const REQUIRED = 3;
export const RESERVE = 1000;

export const asset = 'gold';
export const other = 'silver';
export const HOUR = 60 * 60 * 1000;
export const call = (command: string, args: Value): Call => ({ module: 'bridge', command, args });
export const ledger = (command: string, args: Value): Call => ({ module: 'ledger', command, args });

export interface View {
  readonly status: string;
  readonly attesters: readonly string[];
  readonly amount: string;
  readonly deadline: number;
  readonly to: string;
}

export class Crossing {
  readonly world: TimedWorld;
  /** The user's account with the bridge. */
  readonly deposit: string;

  constructor(
    bridge: Readonly<Record<string, unknown>> = {},
    limits: Partial<ConsensusLimits> = {},
  ) {
    const genesis = {
      ledger: {
        issuers: [name(issuer)],
        assets: [asset, other].map((each) => ({ asset: each, issuers: [name(issuer)] })),
      },
      bridge: { attesters: attesters.map(name), required: REQUIRED, assets: [asset], ...bridge },
    };
    this.world = new TimedWorld(genesis, [], clusterOf(limits, genesis));
    this.deposit = this.enroll(user);
    const { reserveAccount } = this.supply();
    this.world.run([
      ledger('open', { account: 'user', owner: name(user), asset }),
      ledger('issue', { account: 'user', amount: 500 }),
      ledger('issue', { account: this.deposit, amount: 500 }),
      ledger('issue', { account: reserveAccount, amount: RESERVE }),
    ]);
  }

  enroll(who: Signer): string {
    const [receipt] = this.world.receipts([call('enroll', { asset })], who);
    return (receipt!.result as { account: string }).account;
  }

  get soon(): number {
    return this.world.time + HOUR;
  }

  lock(amount: number, deadline = this.soon, who = user): string {
    const args = { asset, amount, to: '0xabc', deadline };
    const [receipt] = this.world.receipts([call('lock', args)], who);
    if (receipt!.error !== undefined) throw new Error(receipt!.error.code);
    return (receipt!.result as { transfer: string }).transfer;
  }

  /** What attester number `at` says of an outbound transfer; what it was told, but for `more`. */
  accept(transfer: string, at: number, more: Record<string, Value> = {}): Receipt {
    const { to, amount, deadline } = this.view(transfer);
    const args = { transfer, asset, to, amount: Number(amount), deadline, ...more };
    return this.world.receipts([call('attestOut', args)], attesters[at]!)[0]!;
  }

  /** What attester number `at` says of what was locked outside. */
  arrive(outsideId: string, at: number, said: Record<string, Value>): Receipt {
    const args = { outsideId, asset, to: 'user', ...said };
    return this.world.receipts([call('attestIn', args)], attesters[at]!)[0]!;
  }

  view(transfer: string): View {
    return this.world.ask('bridge', 'transfer', { transfer }) as View;
  }

  supply() {
    return this.world.ask('bridge', 'supply', { asset }) as {
      readonly locked: string;
      readonly out: string;
      readonly in: string;
      readonly lockedAccount: string;
      readonly reserveAccount: string;
    };
  }

  balance(account: string): number {
    const row = this.world.ask('ledger', 'account', { account }) as { readonly balance: string };
    return Number(row.balance);
  }

  /** Balances of the user with the bridge, of what is locked, of the reserve, and of the user. */
  balances(): readonly number[] {
    const { lockedAccount, reserveAccount } = this.supply();
    return [this.deposit, lockedAccount, reserveAccount, 'user'].map((each) => this.balance(each));
  }

  evidence(): readonly Record<string, unknown>[] {
    return (this.world.ask('bridge', 'evidence', {}) as { evidence: Record<string, unknown>[] })
      .evidence;
  }
}

export const codeOf = ({ error }: Receipt): string => error?.code ?? 'ok';
export const eventsOf = ({ events }: Receipt): readonly string[] => events.map((each) => each.name);
