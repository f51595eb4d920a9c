/** Transfers of one phase and of two, alone and in chains, under ids that all clients share. */
import type { Call } from '../../../protocols/transaction/submission.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import type { Random } from '../../../bench/random.ts';

export const START_BALANCE = 1_000_000;
const IMPOSSIBLE = 2 * START_BALANCE;
const IDS = 12;

export interface Payer {
  readonly random: Random;
  readonly account: string;
  readonly sender: string;
  /** To whom it may pay. */
  readonly others: readonly string[];
}

const ledger = (command: string, args: Readonly<Record<string, Value>>): Call => ({
  module: 'ledger',
  command,
  args,
});

export function transfer(from: string, to: string, amount: number): Call {
  return ledger('transfer', { from, to, amount });
}

export function ledgerRequest(payer: Payer): Call {
  const { random, account: from, others } = payer;
  const amount = random.between(1, 50);
  switch (random.int(10)) {
    case 0:
      return transfer(from, random.pick(others), IMPOSSIBLE);
    case 1:
    case 2:
    case 3:
      return transfer(from, random.pick(others), amount);
    case 4:
    case 5:
      return ledger('pend', { from, to: random.pick(others), amount, ...pending(payer) });
    case 6:
      return ledger('post', { pendingId: idOf(random) });
    case 7:
      return ledger('void', { pendingId: idOf(random) });
    default: {
      const transfers = Array.from({ length: random.between(1, 4) }, () => event(payer));
      return ledger('createTransfers', { transfers });
    }
  }
}

const idOf = (random: Random): string => `p${random.int(IDS)}`;

/** What makes a transfer a pending one: mostly its payer may post it. */
function pending({ random, sender }: Payer): Readonly<Record<string, Value>> {
  return {
    id: idOf(random),
    ...(random.chance(0.6) ? { poster: sender } : {}),
    ...(random.chance(0.6) ? { timeoutMs: random.between(1, 1_200) } : {}),
  };
}

function event(payer: Payer): Value {
  const { random, account: from, others } = payer;
  const linked = random.chance(0.4) ? ['linked'] : [];
  const amount = random.chance(0.1) ? IMPOSSIBLE : random.between(1, 50);
  const sides = { from, to: random.pick(others) };
  switch (random.int(6)) {
    case 0:
      return { ...sides, amount, ...pending(payer), flags: [...linked, 'pending'] };
    case 1:
      return { pendingId: idOf(random), flags: [...linked, 'postPendingTransfer'] };
    case 2:
      return { pendingId: idOf(random), flags: [...linked, 'voidPendingTransfer'] };
    case 3:
      return { ...sides, amount, id: idOf(random), flags: [...linked, 'balancingDebit'] };
    default:
      return { ...sides, amount, flags: linked };
  }
}
