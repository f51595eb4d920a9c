/** The bridge: what the attesters have said of each transfer, and what follows from that. */
import type { Value } from '../../../protocols/transaction/values.ts';
import { Refused } from '../../modules/refused.ts';
import type { Args, Asking, Call, ModuleModel } from './model.ts';

interface Content {
  readonly asset: string;
  readonly to: string;
  readonly amount: number;
  readonly deadline: number;
}

interface Transfer {
  readonly content: Content;
  readonly outsideId: string | null;
  readonly by: string;
  readonly attesters: Set<string>;
  /** What brings the refund about has not run yet. */
  isTimed: boolean;
  status: 'open' | 'released' | 'refunded';
}

export interface BridgeConfig {
  readonly attesters: readonly string[];
  readonly required: number;
  readonly assets: readonly string[];
}

const AHEAD_MS_MAX = 7 * 24 * 60 * 60 * 1000;
/** Accounts whose names no receipt tells. */
const LOCKED = 'bridge: locked';
const RESERVE = 'bridge: reserve';

const isSame = (a: Content, b: Content): boolean =>
  a.asset === b.asset && a.to === b.to && a.amount === b.amount && a.deadline === b.deadline;

export class BridgeModel implements ModuleModel {
  readonly #config: BridgeConfig;
  readonly #call: Call;
  readonly #accounts = new Map<string, string>();
  readonly #transfers = new Map<string, Transfer>();
  /** By attester and outside id: the transfer of which it spoke. */
  readonly #spoken = new Map<string, string>();
  readonly #evidence = new Set<string>();
  readonly #arrived = new Set<string>();
  #locks = 0;
  #books = { locked: 0, out: 0, in: 0 };

  constructor(config: BridgeConfig, call: Call) {
    this.#config = config;
    this.#call = call;
  }

  startBlock({ time }: { readonly time: number }): readonly string[] {
    const due = [...this.#transfers.values()].filter(
      ({ status, isTimed, content }) => status === 'open' && isTimed && content.deadline <= time,
    );
    for (const transfer of due) {
      transfer.isTimed = false;
      this.#refund(transfer);
    }
    return due.map(() => 'refund');
  }

  run(command: string, args: Args, asking: Asking): Value | undefined {
    switch (command) {
      case 'enroll':
        return this.#enroll(args, asking);
      case 'withdraw':
        this.#expectBridged(args['asset'] as string, 'not_enrolled');
        return this.#pay(asking.sender, args['to'] as string, args['amount'] as number);
      case 'lock':
        return this.#lock(args as unknown as Content, asking);
      case 'attestOut':
        return this.#attestOut(args as never, asking);
      case 'attestIn':
        return this.#attestIn(args as never, asking);
      case 'settle':
        return this.#settle(args['transfer'] as string, asking);
      default:
        throw new Error(`the model has no command ${command}`);
    }
  }

  answer(query: string, args: Args): Value {
    if (query === 'supply') {
      const { locked, out, in: arrived } = this.#books;
      return { locked: String(locked), out: String(out), in: String(arrived) };
    }
    if (query !== 'transfer') throw new Error(`the model has no query ${query}`);
    const { status, attesters } = this.#find(args['transfer'] as string);
    return { status, attesters: [...attesters] };
  }

  #find(id: string): Transfer {
    const transfer = this.#transfers.get(id);
    if (transfer === undefined) throw new Refused('transfer_not_found');
    return transfer;
  }

  #expectBridged(asset: string, code: string): void {
    if (!this.#config.assets.includes(asset)) throw new Refused(code);
  }

  #enroll({ asset }: Args, { sender, said }: Asking): Value {
    this.#expectBridged(asset as string, 'asset_not_bridged');
    const { account } = (said ?? {}) as { readonly account: string };
    for (const [holder, name] of [
      [LOCKED, LOCKED],
      [RESERVE, RESERVE],
      [sender, account],
    ] as const) {
      if (this.#accounts.has(holder)) continue;
      const opened = this.#call('ledger', 'open', { account: name }, 'module:bridge');
      if (!opened.ok) throw new Refused(opened.code);
      this.#accounts.set(holder, name);
    }
    return { account: this.#accounts.get(sender)! };
  }

  /** From a holder's account to any account of the ledger. */
  #pay(holder: string, to: string, amount: number): undefined {
    const from = this.#accounts.get(holder);
    if (from === undefined) throw new Refused('not_enrolled');
    const paid = this.#call('ledger', 'transfer', { from, to, amount }, 'module:bridge');
    if (!paid.ok) throw new Refused(paid.code);
  }

  #move(from: string, to: string, amount: number): undefined {
    const target = this.#accounts.get(to);
    if (target === undefined) throw new Refused('not_enrolled');
    return this.#pay(from, target, amount);
  }

  #expectFit({ asset, deadline }: Content, time: number): void {
    this.#expectBridged(asset, 'asset_not_bridged');
    if (deadline <= time) throw new Refused('too_late');
    if (deadline > time + AHEAD_MS_MAX) throw new Refused('deadline_out_of_range');
  }

  #lock(content: Content, { time, sender }: Asking): Value {
    this.#expectFit(content, time);
    this.#move(sender, LOCKED, content.amount);
    this.#books.locked += content.amount;
    const id = `out-${String(++this.#locks).padStart(12, '0')}`;
    this.#begin(id, { content, by: sender, outsideId: null });
    return { transfer: id, deadline: content.deadline };
  }

  #begin(id: string, what: Pick<Transfer, 'content' | 'by' | 'outsideId'>): Transfer {
    const attesters = new Set<string>();
    const transfer: Transfer = { ...what, attesters, isTimed: true, status: 'open' };
    this.#transfers.set(id, transfer);
    return transfer;
  }

  #attestOut(said: Content & { readonly transfer: string }, { time, sender }: Asking): Value {
    this.#expectAttester(sender);
    const transfer = this.#find(said.transfer);
    if (transfer.outsideId !== null) throw new Refused('transfer_not_found');
    if (!isSame(transfer.content, said)) {
      return this.#conflict(said.transfer, said.transfer, sender);
    }
    if (transfer.attesters.has(sender)) throw new Refused('already_attested');
    return this.#attest(said.transfer, transfer, { time, sender });
  }

  #attestIn(told: Content & { readonly outsideId: string }, asking: Asking): Value {
    const { time, sender, said } = asking;
    const { outsideId, ...content } = told;
    this.#expectAttester(sender);
    const about = `${content.asset}/${outsideId}`;
    const earlier = this.#spoken.get(`${about}/${sender}`);
    const known = [...this.#transfers].find(
      ([, each]) => each.outsideId === outsideId && isSame(each.content, content),
    );
    if (earlier !== undefined) {
      if (earlier === known?.[0]) throw new Refused('already_attested');
      return this.#conflict(earlier, about, sender);
    }
    this.#expectFit(content, time);
    const id = known?.[0] ?? ((said ?? {}) as { readonly transfer: string }).transfer;
    const transfer = known?.[1] ?? this.#begin(id, { content, by: sender, outsideId });
    const done = this.#attest(id, transfer, asking);
    this.#spoken.set(`${about}/${sender}`, id);
    return done;
  }

  #expectAttester(sender: string): void {
    if (!this.#config.attesters.includes(sender)) throw new Refused('not_attester');
  }

  #conflict(transfer: string, about: string, sender: string): Value {
    const key = `${sender}/${about}`;
    if (this.#evidence.has(key)) throw new Refused('already_attested');
    this.#evidence.add(key);
    const { status, attesters } = this.#find(transfer);
    return { transfer, counted: false, status, attestations: attesters.size };
  }

  #attest(
    id: string,
    transfer: Transfer,
    { time, sender }: Pick<Asking, 'time' | 'sender'>,
  ): Value {
    if (transfer.status !== 'open') throw new Refused('transfer_ended');
    if (time >= transfer.content.deadline) throw new Refused('too_late');
    transfer.attesters.add(sender);
    try {
      this.#release(transfer);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
    }
    const { status, attesters } = transfer;
    return { transfer: id, counted: true, status, attestations: attesters.size };
  }

  #release(transfer: Transfer): void {
    const { content, outsideId, attesters } = transfer;
    const { asset, to, amount } = content;
    if (attesters.size < this.#config.required) throw new Refused('not_attested');
    if (outsideId === null) {
      this.#move(LOCKED, RESERVE, amount);
      this.#books.locked -= amount;
      this.#books.out += amount;
    } else {
      const about = `${asset}/${outsideId}`;
      if (this.#arrived.has(about)) throw new Refused('outside_id_released');
      this.#pay(RESERVE, to, amount);
      this.#arrived.add(about);
      this.#books.in += amount;
    }
    transfer.status = 'released';
  }

  #settle(id: string, { time }: Asking): undefined {
    const transfer = this.#find(id);
    if (transfer.status !== 'open') throw new Refused('transfer_ended');
    if (time < transfer.content.deadline) this.#release(transfer);
    else this.#refund(transfer);
  }

  #refund(transfer: Transfer): void {
    if (transfer.outsideId === null) {
      this.#move(LOCKED, transfer.by, transfer.content.amount);
      this.#books.locked -= transfer.content.amount;
    }
    transfer.status = 'refunded';
  }
}
