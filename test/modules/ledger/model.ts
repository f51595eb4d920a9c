/**
 * TigerBeetle's state machine once more, after its documentation and source (state_machine.zig:
 * execute_create, create_account, create_transfer, post_or_void_pending_transfer), in the plainest way:
 * bigints, whole copies of the state instead of undoing, every flag by its name. What Althing adds is
 * marked `+`.
 */

const MAX = 2n ** 63n - 1n;

export interface ModelAccount {
  owner: string;
  asset: string;
  code: number;
  flags: Set<string>;
  userData: string | undefined;
  debitsPosted: bigint;
  creditsPosted: bigint;
  debitsPending: bigint;
  creditsPending: bigint;
}

export interface ModelTransfer {
  from: string;
  to: string;
  amount: bigint;
  flags: Set<string>;
  code: number;
  asset: string;
  userData: string | undefined;
  pendingId: string | undefined;
  timeoutMs: number | undefined;
  poster: string | undefined;
  time: number;
  status: 'none' | 'pending' | 'posted' | 'voided' | 'expired';
}

export interface ModelEvent {
  id?: string;
  from?: string;
  to?: string;
  amount?: bigint;
  pendingId?: string;
  timeoutMs?: number;
  poster?: string;
  asset?: string;
  code?: number;
  userData?: string;
  flags?: readonly string[];
}

interface State {
  accounts: Map<string, ModelAccount>;
  transfers: Map<string, ModelTransfer>;
}

export class Model {
  state: State = { accounts: new Map(), transfers: new Map() };
  readonly failed = new Map<string, string>();

  open(name: string, owner: string, flags: readonly string[], asset = 'unit'): void {
    const none = { debitsPosted: 0n, creditsPosted: 0n, debitsPending: 0n, creditsPending: 0n };
    const account = { owner, asset, code: 0, flags: new Set(flags), userData: undefined, ...none };
    this.state.accounts.set(name, account);
  }

  /** Codes of the events, `ok` where they succeed. */
  create(sender: string, time: number, events: readonly ModelEvent[]): string[] {
    const results: string[] = [];
    let chain: { start: number; saved: State; broken: boolean } | null = null;
    events.forEach((event, index) => {
      const linked = event.flags?.includes('linked') ?? false;
      if (linked && chain === null) chain = { start: index, saved: this.#copy(), broken: false };
      const now = chain as { start: number; saved: State; broken: boolean } | null;
      let result: string;
      if (linked && index === events.length - 1) result = 'linked_event_chain_open';
      else if (now?.broken === true) result = 'linked_event_failed';
      else result = this.#transfer(sender, time, event);
      results[index] = result;
      if (result !== 'ok') {
        if (now !== null && !now.broken) {
          now.broken = true;
          this.state = now.saved;
          for (let at = now.start; at < index; at++) results[at] = 'linked_event_failed';
        }
        if (event.id !== undefined && TRANSIENT.includes(result)) this.failed.set(event.id, result);
      }
      if (now !== null && (!linked || result === 'linked_event_chain_open')) chain = null;
    });
    return results;
  }

  /** Pending transfers whose time is over let go of what they hold. */
  pulse(time: number): void {
    for (const transfer of this.state.transfers.values()) {
      if (transfer.status !== 'pending' || !isOver(transfer, time)) continue;
      this.#release(transfer);
      transfer.status = 'expired';
    }
  }

  #copy(): State {
    return structuredClone(this.state);
  }

  #release(pending: ModelTransfer): void {
    const from = this.state.accounts.get(pending.from)!;
    const to = this.state.accounts.get(pending.to)!;
    from.debitsPending -= pending.amount;
    to.creditsPending -= pending.amount;
    if (pending.flags.has('closingDebit')) from.flags.delete('closed');
    if (pending.flags.has('closingCredit')) to.flags.delete('closed');
  }

  #transfer(sender: string, time: number, t: ModelEvent): string {
    const flags = new Set(t.flags);
    const { accounts, transfers } = this.state;
    if (t.id === undefined && flags.has('pending')) return 'id_must_not_be_zero'; // +
    if (t.id !== undefined) {
      const existing = transfers.get(t.id);
      if (existing !== undefined) return this.#exists(t, flags, existing);
      if (this.failed.has(t.id)) return 'id_already_failed';
    }
    if (flags.has('postPendingTransfer') || flags.has('voidPendingTransfer')) {
      return this.#postOrVoid(sender, time, t, flags);
    }
    if (t.from === undefined) return 'debit_account_id_must_not_be_zero';
    if (t.to === undefined) return 'credit_account_id_must_not_be_zero';
    if (t.from === t.to) return 'accounts_must_be_different';
    if (t.pendingId !== undefined) return 'pending_id_must_be_zero';
    if (!flags.has('pending')) {
      if (t.timeoutMs !== undefined) return 'timeout_reserved_for_pending_transfer';
      if (flags.has('closingDebit') || flags.has('closingCredit')) {
        return 'closing_transfer_must_be_pending';
      }
      if (t.poster !== undefined) return 'poster_reserved_for_pending_transfer'; // +
    }
    const isBalancing = flags.has('balancingDebit') || flags.has('balancingCredit');
    if (t.amount === undefined && !isBalancing) return 'amount_required'; // +
    const from = accounts.get(t.from);
    const to = accounts.get(t.to);
    if (from === undefined) return 'debit_account_not_found';
    if (to === undefined) return 'credit_account_not_found';
    if (from.owner !== sender) return 'not_owner'; // +
    if (flags.has('closingCredit') && to.owner !== sender) return 'not_owner'; // +
    if (from.asset !== to.asset) return 'accounts_must_have_the_same_ledger';
    if (t.asset !== undefined && t.asset !== from.asset) {
      return 'transfer_must_have_the_same_ledger_as_accounts';
    }
    if (from.flags.has('closed')) return 'debit_account_already_closed';
    if (to.flags.has('closed')) return 'credit_account_already_closed';
    let amount = t.amount ?? MAX;
    if (flags.has('balancingDebit')) {
      amount = min(amount, max(0n, from.creditsPosted - from.debitsPosted - from.debitsPending));
    }
    if (flags.has('balancingCredit')) {
      amount = min(amount, max(0n, to.debitsPosted - to.creditsPosted - to.creditsPending));
    }
    const full = roomFor(from, to, amount, flags.has('pending'));
    if (full !== null) return full;
    if (flags.has('pending')) {
      from.debitsPending += amount;
      to.creditsPending += amount;
    } else {
      from.debitsPosted += amount;
      to.creditsPosted += amount;
    }
    if (flags.has('closingDebit')) from.flags.add('closed');
    if (flags.has('closingCredit')) to.flags.add('closed');
    if (t.id !== undefined) {
      transfers.set(t.id, {
        from: t.from,
        to: t.to,
        amount,
        flags,
        code: t.code ?? 0,
        asset: from.asset,
        time,
        userData: t.userData,
        pendingId: undefined,
        timeoutMs: t.timeoutMs,
        poster: t.poster,
        status: flags.has('pending') ? 'pending' : 'none',
      });
    }
    return 'ok';
  }

  #postOrVoid(sender: string, time: number, t: ModelEvent, flags: Set<string>): string {
    const isVoid = flags.has('voidPendingTransfer');
    const others = [
      'pending',
      'balancingDebit',
      'balancingCredit',
      'closingDebit',
      'closingCredit',
    ];
    if (isVoid && flags.has('postPendingTransfer')) return 'flags_are_mutually_exclusive';
    if (others.some((flag) => flags.has(flag))) return 'flags_are_mutually_exclusive';
    if (t.pendingId === undefined) return 'pending_id_must_not_be_zero';
    if (t.pendingId === t.id) return 'pending_id_must_be_different';
    if (t.timeoutMs !== undefined) return 'timeout_reserved_for_pending_transfer';
    if (t.poster !== undefined) return 'poster_reserved_for_pending_transfer'; // +
    const p = this.state.transfers.get(t.pendingId);
    if (p === undefined) return 'pending_transfer_not_found';
    if (!p.flags.has('pending')) return 'pending_transfer_not_pending';
    const from = this.state.accounts.get(p.from)!;
    const to = this.state.accounts.get(p.to)!;
    const posters = p.poster === undefined ? [to.owner] : [p.poster, ...(isVoid ? [to.owner] : [])];
    if (!posters.includes(sender)) return 'not_poster'; // +
    if (t.from !== undefined && t.from !== p.from) {
      return 'pending_transfer_has_different_debit_account_id';
    }
    if (t.to !== undefined && t.to !== p.to) {
      return 'pending_transfer_has_different_credit_account_id';
    }
    if (t.asset !== undefined && t.asset !== p.asset)
      return 'pending_transfer_has_different_ledger';
    if ((t.code ?? 0) !== 0 && t.code !== p.code) return 'pending_transfer_has_different_code';
    const amount = resolvedAmount(t, p, isVoid);
    if (amount > p.amount) return 'exceeds_pending_transfer_amount';
    if (isVoid && amount < p.amount) return 'pending_transfer_has_different_amount';
    if (p.status === 'posted') return 'pending_transfer_already_posted';
    if (p.status === 'voided') return 'pending_transfer_already_voided';
    if (p.status === 'expired' || isOver(p, time)) return 'pending_transfer_expired';
    if (!isVoid && from.flags.has('closed')) return 'debit_account_already_closed';
    if (!isVoid && to.flags.has('closed')) return 'credit_account_already_closed';
    if (isVoid) this.#release(p);
    else {
      from.debitsPending -= p.amount;
      to.creditsPending -= p.amount;
      from.debitsPosted += amount;
      to.creditsPosted += amount;
    }
    p.status = isVoid ? 'voided' : 'posted';
    if (t.id !== undefined) {
      const { pendingId, userData = p.userData } = t;
      const none = { timeoutMs: undefined, poster: undefined, status: 'none' } as const;
      this.state.transfers.set(t.id, { ...p, ...none, amount, flags, pendingId, userData, time });
    }
    return 'ok';
  }

  #exists(t: ModelEvent, flags: Set<string>, e: ModelTransfer): string {
    if (!sameSet(flags, e.flags)) return 'exists_with_different_flags';
    if (t.pendingId !== e.pendingId) return 'exists_with_different_pending_id';
    if (t.timeoutMs !== e.timeoutMs) return 'exists_with_different_timeout';
    if (t.poster !== e.poster) return 'exists_with_different_poster'; // +
    const isVoid = flags.has('voidPendingTransfer');
    const p = e.pendingId === undefined ? null : this.state.transfers.get(e.pendingId)!;
    if ((p === null || t.from !== undefined) && t.from !== e.from) {
      return 'exists_with_different_debit_account_id';
    }
    if ((p === null || t.to !== undefined) && t.to !== e.to) {
      return 'exists_with_different_credit_account_id';
    }
    const isBalancing = flags.has('balancingDebit') || flags.has('balancingCredit');
    const amount = p === null ? (t.amount ?? MAX) : resolvedAmount(t, p, isVoid);
    if (isBalancing ? amount < e.amount : amount !== e.amount)
      return 'exists_with_different_amount';
    if ((t.userData ?? p?.userData) !== e.userData) return 'exists_with_different_user_data';
    if (t.asset !== undefined && t.asset !== e.asset) return 'exists_with_different_ledger';
    const code = t.code ?? 0;
    if (p === null ? code !== e.code : code !== 0 && code !== e.code) {
      return 'exists_with_different_code';
    }
    return 'exists';
  }
}

const TRANSIENT = [
  'debit_account_not_found',
  'credit_account_not_found',
  'pending_transfer_not_found',
  'exceeds_credits',
  'exceeds_debits',
  'debit_account_already_closed',
  'credit_account_already_closed',
];

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const sameSet = (a: Set<string>, b: Set<string>): boolean =>
  a.size === b.size && [...a].every((each) => b.has(each));

function isOver({ time, timeoutMs }: ModelTransfer, now: number): boolean {
  return timeoutMs !== undefined && time + timeoutMs <= now;
}

function resolvedAmount(t: ModelEvent, p: ModelTransfer, isVoid: boolean): bigint {
  const isAll = t.amount === undefined || t.amount === (isVoid ? 0n : MAX);
  return isAll ? p.amount : t.amount!;
}

function roomFor(
  from: ModelAccount,
  to: ModelAccount,
  amount: bigint,
  pending: boolean,
): string | null {
  if (pending && from.debitsPending + amount > MAX) return 'overflows_debits_pending';
  if (pending && to.creditsPending + amount > MAX) return 'overflows_credits_pending';
  if (from.debitsPosted + amount > MAX) return 'overflows_debits_posted';
  if (to.creditsPosted + amount > MAX) return 'overflows_credits_posted';
  if (from.debitsPending + from.debitsPosted + amount > MAX) return 'overflows_debits';
  if (to.creditsPending + to.creditsPosted + amount > MAX) return 'overflows_credits';
  const debits = from.debitsPending + from.debitsPosted + amount;
  if (from.flags.has('debitsMustNotExceedCredits') && debits > from.creditsPosted) {
    return 'exceeds_credits';
  }
  const credits = to.creditsPending + to.creditsPosted + amount;
  if (to.flags.has('creditsMustNotExceedDebits') && credits > to.debitsPosted) {
    return 'exceeds_debits';
  }
  return null;
}
