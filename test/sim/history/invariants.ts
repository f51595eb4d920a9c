/** What must hold across modules, whatever the models say: by the events of receipts, and by reads. */
import type { Receipt } from '../../../protocols/transaction/receipts.ts';
import type { Args, Outcome } from './model.ts';

/** Events of which there is at most one for a round or a transfer. */
const ONCE: ReadonlySet<string> = new Set([
  'voting.decided',
  'voting.released',
  'bridge.released',
  'bridge.refunded',
]);

/** What one node said of the money at one height. */
interface Books {
  balances?: ReadonlyMap<string, bigint>;
  supply?: bigint;
  bridge?: Args;
}

export class Invariants {
  readonly #complain: (detail: string) => void;
  readonly #seen = new Set<string>();
  readonly #books = new Map<string, Books>();

  constructor(complain: (detail: string) => void) {
    this.#complain = complain;
  }

  executed({ id, events }: Receipt): void {
    for (const { module, name, data } of events) {
      const event = `${module}.${name}`;
      if (!ONCE.has(event)) continue;
      const { transfer, round } = data as { readonly transfer: string; readonly round: string };
      // A transfer ends in one way only.
      const key = module === 'bridge' ? `end of ${transfer}` : `${event} of ${round}`;
      if (this.#seen.has(key)) this.#complain(`${key} twice, the second time in ${id}`);
      this.#seen.add(key);
    }
  }

  /**
   * Money is neither made nor lost, and what the bridge holds is there: as soon as a node has said all of
   * it at one height.
   *
   * @param place the node and the height
   */
  read(place: string, module: string, query: string, outcome: Outcome): void {
    if (!outcome.ok) return;
    const books = this.#books.get(place) ?? {};
    this.#books.set(place, books);
    const said = outcome.result as Args;
    if (`${module}.${query}` === 'ledger.accounts') books.balances = balancesIn(said);
    else if (`${module}.${query}` === 'ledger.supply')
      books.supply = BigInt(said['supply'] as string);
    else if (`${module}.${query}` === 'bridge.supply') books.bridge = said;
    else return;
    this.#expectBalanced(place, books);
  }

  #expectBalanced(place: string, { balances, supply, bridge }: Books): void {
    if (balances === undefined) return;
    const total = [...balances.values()].reduce((sum, balance) => sum + balance, 0n);
    if (supply !== undefined && total !== supply) {
      this.#complain(`${place}: accounts hold ${total}, the supply is ${supply}`);
    }
    if (bridge === undefined) return;
    const held = (account: string): bigint => balances.get(bridge[account] as string) ?? 0n;
    const sum = (name: string): bigint => BigInt(bridge[name] as string);
    if (held('lockedAccount') !== sum('locked')) {
      this.#complain(`${place}: ${held('lockedAccount')} is locked, not ${sum('locked')}`);
    }
    if (held('reserveAccount') !== sum('out') - sum('in')) {
      this.#complain(`${place}: the reserve is ${held('reserveAccount')}, not what went and came`);
    }
  }
}

function balancesIn({ accounts }: Args): ReadonlyMap<string, bigint> {
  const rows = accounts as unknown as readonly { account: string; balance: string }[];
  // What was issued is what the ledger's own account owes.
  const held = rows.filter(({ account }) => !account.startsWith('issued:'));
  return new Map(held.map(({ account, balance }) => [account, BigInt(balance)]));
}
