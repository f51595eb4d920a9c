/** The books as they must stand: recomputed from the receipts that clients were given, call by call. */
import type { AnswerResult } from '../../protocols/messages.ts';
import { decodeReceipts } from '../../protocols/transaction/receipts.ts';
import type { Wish } from './submissions.ts';
import { mustSucceed, sinkOf, START_BALANCE } from './workload.ts';

export interface Expectation {
  readonly module: string;
  readonly query: string;
  readonly args: unknown;
  /** What is wrong with the answer, or null. */
  readonly check: (result: AnswerResult) => string | null;
}

/** What is wrong with the receipts of a wish, or null. */
export function complaintAbout(wish: Wish): string | null {
  if (wish.told === null) return null;
  const receipts = decodeReceipts(wish.told);
  if (receipts === null || receipts.length !== wish.calls.length) {
    return `${wish.label} has ${receipts?.length ?? 'unreadable'} receipts for ${wish.calls.length} transactions`;
  }
  for (const [at, call] of wish.calls.entries()) {
    const receipt = receipts[at];
    if ((receipt?.status === 'ok') === mustSucceed(call)) continue;
    return `${wish.label}: transaction ${at} is ${receipt?.status} ${receipt?.error?.code ?? ''}`;
  }
  return null;
}

/** Balances of everyone who asked for anything, if each submission was executed exactly once. */
export function expectBalances(wishes: readonly Wish[]): Expectation[] {
  const paid = new Map<string, number>();
  for (const { asker, calls, told } of wishes) {
    const amounts = told === null ? [] : calls.filter(mustSucceed).map(amountOf);
    paid.set(
      asker,
      amounts.reduce((sum, amount) => sum + amount, paid.get(asker) ?? 0),
    );
  }
  return [...paid].flatMap(([asker, sum]) => [
    expectBalance(asker, START_BALANCE - sum),
    expectBalance(sinkOf(asker), sum),
  ]);
}

/** What `asker` pays if all of these wishes happen. */
export function paidBy(wishes: readonly Wish[], asker: string): number {
  const calls = wishes.filter((wish) => wish.asker === asker).flatMap((wish) => wish.calls);
  return calls.filter(mustSucceed).reduce((sum, call) => sum + amountOf(call), 0);
}

function amountOf({ module, args }: Wish['calls'][number]): number {
  return module === 'ledger' ? (args as { readonly amount: number }).amount : 0;
}

function expectBalance(account: string, balance: number): Expectation {
  return {
    module: 'ledger',
    query: 'account',
    args: { account },
    check(result) {
      const found = result.ok
        ? (result.value as { readonly balance: string }).balance
        : result.code;
      return found === String(balance) ? null : `${account} has ${found}, expected ${balance}`;
    },
  };
}
