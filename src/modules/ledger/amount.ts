/**
 * Amounts in minor units, 0 … 2^63 − 1. Up to 2^53 − 1 they are numbers, which is nearly always and
 * an order of magnitude cheaper; beyond, bigint. Both compare with each other.
 */
import { normalInteger } from '../../../protocols/transaction/values.ts';
import { INT63_MAX, type Amount } from '../schema.ts';

/** The sum, or null when it exceeds what an amount can be. */
export function plus(a: Amount, b: Amount): Amount | null {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b;
    if (sum <= Number.MAX_SAFE_INTEGER) return sum;
  }
  const sum = BigInt(a) + BigInt(b);
  return sum > INT63_MAX ? null : normalInteger(sum);
}

/** The difference; `b` must not exceed `a`. */
export function minus(a: Amount, b: Amount): Amount {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return normalInteger(BigInt(a) - BigInt(b));
}
