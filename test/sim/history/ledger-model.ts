/** Accounts, owners and balances: what is not there is not given. */
import type { Value } from '../../../protocols/transaction/values.ts';
import { Refused } from '../../modules/refused.ts';
import type { Args, Asking, ModuleModel } from './model.ts';

interface Account {
  readonly owner: string;
  balance: number;
}

export interface Opening {
  readonly account: string;
  readonly owner: string;
  readonly balance: string;
}

export class LedgerModel implements ModuleModel {
  readonly #accounts = new Map<string, Account>();

  constructor(accounts: readonly Opening[]) {
    for (const { account, owner, balance } of accounts) {
      this.#accounts.set(account, { owner, balance: Number(balance) });
    }
  }

  startBlock(): readonly string[] {
    return [];
  }

  run(command: string, args: Args, { sender }: Asking): undefined {
    if (command === 'open') return this.#open(args, sender);
    if (command === 'transfer') return this.#transfer(args as never, sender);
    throw new Error(`the model has no command ${command}`);
  }

  answer(query: string, { account }: Args): Value {
    if (query !== 'account') throw new Error(`the model has no query ${query}`);
    return { balance: String(this.#find(account as string).balance) };
  }

  #open({ account, owner }: Args, sender: string): undefined {
    if (this.#accounts.has(account as string)) throw new Refused('account_exists');
    this.#accounts.set(account as string, {
      owner: (owner as string | undefined) ?? sender,
      balance: 0,
    });
  }

  #transfer(
    { from, to, amount }: { readonly from: string; readonly to: string; readonly amount: number },
    sender: string,
  ): undefined {
    if (from === to) throw new Refused('self_transfer');
    if (amount === 0) throw new Refused('zero_amount');
    const source = this.#find(from);
    if (source.owner !== sender) throw new Refused('not_owner');
    const target = this.#find(to);
    if (source.balance < amount) throw new Refused('insufficient_funds');
    source.balance -= amount;
    target.balance += amount;
  }

  #find(name: string): Account {
    const account = this.#accounts.get(name);
    if (account === undefined) throw new Refused('account_not_found');
    return account;
  }
}
