/** What became of a submission of one transaction. */
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import type { Outcome } from './outcome.ts';
import { Problem } from './problem.ts';
import { decodeAll } from './receipts.ts';
import { statusOfRefusal } from './refusal-problems.ts';

export function soleReceipt({ receipts }: Extract<Outcome, { kind: 'final' }>): Receipt {
  const [receipt] = decodeAll(receipts);
  if (receipt === undefined) throw new Error(`submission ${receipts.id} has no transaction`);
  return receipt;
}

/** Final: the transaction has its place, and changed nothing. `status` as of any refusal of a module. */
export function refusedByModule(
  { id, height }: Pick<Receipt, 'id' | 'height'>,
  { code, message }: NonNullable<Receipt['error']>,
  status: number = statusOfRefusal(code),
): Problem {
  return new Problem(status, code, message, { extras: { id, height } });
}
