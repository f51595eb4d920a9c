/**
 * What commands of the store do beyond what their arguments say, in steps of the transaction (I130).
 *
 * R14. Rows that a command looks at, compares or deletes without naming them count, so that a short
 *      command on many rows is as dear as it is slow. A command that would take more steps than there
 *      are is refused as a whole; a lease that ends takes as many keys along as there are steps for, and the
 *      others later.
 */

/** Of a row that a range covers, or a lease. */
export const LOOK_STEPS = 16;
/** Of a row that goes with others: its places, its event, and its share of the receipt. */
export const DELETE_STEPS = 512;
/** Of a byte of a value that is compared: one of many small values is about as slow. */
export const COMPARE_STEPS = 1;
