/**
 * What code takes whose cost no schema bounds: modules of users, and commands of this software that do
 * more than their arguments say. Plain commands never touch it.
 *
 * I130. A transaction takes at most `stepsMax` steps, with all that it calls, and the transactions of
 *       one submission SUBMISSION_SHARE times as many together; what would take more fails with
 *       `too_expensive`. Steps follow from the chain alone, so it does so on every node. Timers of a
 *       block take as many as a submission: where less is left than a timer may take, it is left to the
 *       next block.
 * I131. A transaction takes at least RECEIPT_STEPS steps for each byte of its receipt beyond the free
 *       ones, which are some bytes and some times its own; what cannot pay fails with `too_expensive`.
 *       So the receipts of a submission hold no more than its steps pay for, about 1 MB, and what is
 *       paid in all receipts of a block is bounded, too: about 32 MB. The rest grows with the block.
 */
import type { ConsensusLimits } from '../genesis.ts';
import { OverBudget } from './module.ts';

/** About a hundredth of a second. */
export const STEPS_MAX = 1_000_000;
const SUBMISSION_SHARE = 16;
/** For what fills or migrates tables, once. */
const FILL_SHARE = 1000;
/** What the receipts of a block may take, in transactions' steps. */
const BLOCK_SHARE = 512;
/** A million pay for 64 KB, which everybody keeps for as long as the chain. */
export const RECEIPT_STEPS = 16;
/**
 * Fewer than these a transaction cannot have: what ends by time, such as a lease with the longest key, pays
 * for 2 KB of its receipt, or it would never end.
 */
export const STEPS_MIN = 2048 * RECEIPT_STEPS;
/** Bytes of a receipt that cost nothing: any failure of this software's own, and most events. */
const FREE_BYTES = 128;
/** And for each byte of the transaction: what it brings may come back in its receipt. */
const FREE_PER_BYTE = 4;
/** How many steps take about as long as one plain transaction. */
const STEPS_PER_TRANSACTION = 256;
/** How many bytes of arguments are read in about the time of one plain transaction. */
export const BYTES_PER_TRANSACTION = 512;

export function stepsMaxOf({ stepsMax }: Pick<ConsensusLimits, 'stepsMax'>): number {
  return stepsMax ?? STEPS_MAX;
}

export class Meter {
  /** Steps that are left to whoever runs now. */
  left = 0;
  /** How deep modules that call one another stand on the stack, in the sandbox's units. */
  depth = 0;

  /** Throws OverBudget when more are taken than are left, or no number of them. */
  spend(steps: number): void {
    this.left = steps >= 0 ? this.left - steps : -1;
    if (this.left < 0) throw new OverBudget();
  }
}

/** For what fills the tables of height 0, or brings them to another version. */
export function fillingMeter(limits: ConsensusLimits): Meter {
  const meter = new Meter();
  meter.left = stepsMaxOf(limits) * FILL_SHARE;
  return meter;
}

/** For what has been paid for already, when the same is done again. */
export function endlessMeter(): Meter {
  const meter = new Meter();
  meter.left = Number.MAX_SAFE_INTEGER;
  return meter;
}

/** The meter of one transaction after the other, and what they have taken together. */
export class Allowance {
  readonly meter = new Meter();
  /** Of one transaction. */
  readonly #each: number;
  readonly #together: number;
  #left = 0;
  #granted = 0;
  #free = 0;
  /** For the receipts of the block. */
  #receiptsLeft = 0;
  /** Took time, and could not be paid. */
  #unpaid = 0;

  constructor(limits: ConsensusLimits) {
    this.#each = stepsMaxOf(limits);
    this.#together = this.#each * SUBMISSION_SHARE;
  }

  startBlock(): void {
    this.#receiptsLeft = this.#each * BLOCK_SHARE;
  }

  /** For the transactions of the next submission. */
  startSubmission(): void {
    this.#left = this.#together;
  }

  /** As much is left as a transaction may take. */
  get hasRoom(): boolean {
    return this.#left >= this.#each;
  }

  /** @param bytes of the transaction itself */
  startTransaction(bytes: number): void {
    const { meter } = this;
    meter.depth = 0;
    this.#free = FREE_BYTES + bytes * FREE_PER_BYTE;
    this.#granted = meter.left = this.#left < this.#each ? this.#left : this.#each;
  }

  /** Whether the transaction may leave a receipt of so many bytes (I131). */
  pays(receiptBytes: number): boolean {
    if (receiptBytes <= this.#free) return true;
    const steps = (receiptBytes - this.#free) * RECEIPT_STEPS;
    const more = steps - this.#taken;
    if (more > 0) this.meter.left -= more;
    const isPaid = (more <= 0 || this.meter.left >= 0) && steps <= this.#receiptsLeft;
    if (isPaid) this.#receiptsLeft -= steps;
    else this.#unpaid += steps;
    return isPaid;
  }

  /** Never less than nothing, nor more than was granted, whatever code left in the meter. */
  get #taken(): number {
    const { left } = this.meter;
    const granted = this.#granted;
    if (left >= granted) return 0;
    return left >= 0 ? granted - left : granted;
  }

  /** What the transaction took, in plain transactions; mostly nothing. */
  endTransaction(): number {
    if (this.meter.left === this.#granted) return 0;
    const taken = this.#taken;
    const unpaid = this.#unpaid;
    this.#left -= taken;
    this.#unpaid = 0;
    return (taken + unpaid) / STEPS_PER_TRANSACTION;
  }
}
