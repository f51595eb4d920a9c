/**
 * What commands of the store do beyond what their arguments say, in steps of the transaction (I130).
 *
 * R14. Rows that a command looks at, compares or deletes without naming them count, so that a short
 *      command on many rows is as dear as it is slow. A command that would take more steps than there are
 *      is refused as a whole; but `deleteRange` and a lease that ends take as many keys along as there are
 *      steps for, and the others later.
 */
import { RECEIPT_STEPS } from '../../../protocols/transaction/meter.ts';
import { utf8Length } from '../../../protocols/transaction/values.ts';

/** Of a row that a range covers, or a lease. */
export const LOOK_STEPS = 16;
/** What an event `deleted` has besides the names of its namespace and its key. */
const EVENT_BYTES = 64;

/** Of a row that goes with others: its event in the receipt (I131) is dearer than its places. */
export function deleteSteps(rowKey: string): number {
  return (EVENT_BYTES + utf8Length(rowKey)) * RECEIPT_STEPS;
}

/** Of a byte of a value that is compared: one of many small values is about as slow. */
export const COMPARE_STEPS = 1;
