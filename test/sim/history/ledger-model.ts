/** The ledger: the model of TigerBeetle, one event or many at a time. */
import type { Value } from '../../../protocols/transaction/values.ts';
import { Model, type ModelAccount, type ModelEvent } from '../../modules/ledger/model.ts';
import { Refused } from '../../modules/refused.ts';
import type { Args, Asking, ModuleModel } from './model.ts';

export interface Opening {
  readonly account: string;
  readonly owner: string;
  readonly balance: string;
}

const LIMITED = ['debitsMustNotExceedCredits'];
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  transfer: [],
  pend: ['pending'],
  post: ['postPendingTransfer'],
  void: ['voidPendingTransfer'],
};

export class LedgerModel implements ModuleModel {
  readonly #model = new Model();

  constructor(accounts: readonly Opening[]) {
    for (const { account, owner, balance } of accounts) {
      this.#model.open(account, owner, LIMITED);
      this.#find(account).creditsPosted = BigInt(balance);
    }
  }

  startBlock({ time }: { readonly time: number }): null {
    this.#model.pulse(time);
    return null;
  }

  run(command: string, args: Args, { sender, time }: Asking): Value | undefined {
    if (command === 'open') return this.#open(args['account'] as string, sender);
    if (command === 'createTransfers') {
      const events = (args['transfers'] as readonly Args[]).map(eventOf);
      const codes = this.#model.create(sender, time, events);
      const failures = codes.map((result, index) => ({ index, result }));
      return { failures: failures.filter(({ result }) => result !== 'ok') };
    }
    const flags = FLAGS[command];
    if (flags === undefined) throw new Error(`the model has no command ${command}`);
    return this.#alone(sender, time, { ...eventOf(args), flags });
  }

  answer(query: string, { account, transfer }: Args): Value {
    if (query === 'transfer') {
      const found = this.#model.state.transfers.get(transfer as string);
      if (found === undefined) throw new Refused('transfer_not_found');
      return { amount: String(found.amount), from: found.from, to: found.to };
    }
    if (query !== 'account') throw new Error(`the model has no query ${query}`);
    const { owner, debitsPosted, creditsPosted, debitsPending, creditsPending } = this.#find(
      account as string,
    );
    return {
      owner,
      debitsPosted: String(debitsPosted),
      creditsPosted: String(creditsPosted),
      debitsPending: String(debitsPending),
      creditsPending: String(creditsPending),
    };
  }

  /** By the bridge, which nobody else opens an account for. */
  #open(account: string, sender: string): undefined {
    if (this.#model.state.accounts.has(account)) throw new Refused('exists');
    this.#model.open(account, sender, LIMITED);
  }

  /** One event as a command of its own: when it is refused, its id may be used again. */
  #alone(sender: string, time: number, event: ModelEvent): undefined {
    const { failed } = this.#model;
    const before = event.id === undefined ? undefined : failed.get(event.id);
    const [code] = this.#model.create(sender, time, [event]);
    if (event.id !== undefined && before === undefined) failed.delete(event.id);
    if (code !== 'ok') throw new Refused(code!);
  }

  #find(name: string): ModelAccount {
    const account = this.#model.state.accounts.get(name);
    if (account === undefined) throw new Refused('account_not_found');
    return account;
  }
}

function eventOf({ amount, ...event }: Args): ModelEvent {
  return amount === undefined ? event : { ...event, amount: BigInt(amount as number) };
}
