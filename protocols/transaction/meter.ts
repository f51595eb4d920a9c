/**
 * What code takes whose cost no schema bounds: modules of users, and commands of this software that do
 * more than their arguments say. Plain commands never touch it.
 *
 * I130. A transaction takes at most `stepsMax` steps, with all that it calls, and the transactions of
 *       one submission SUBMISSION_SHARE times as many together; what would take more fails with
 *       `too_expensive`. Steps follow from the chain alone, so it does so on every node. Timers of a
 *       block that have taken as many as a submission may leave the others to the next block.
 */
import type { ConsensusLimits } from '../genesis.ts';
import { OverBudget } from './module.ts';

/** About a hundredth of a second. */
export const STEPS_MAX = 1_000_000;
const SUBMISSION_SHARE = 16;
/** For what fills or migrates tables, once. */
const FILL_SHARE = 1000;
/** How many steps take about as long as one plain transaction. */
const STEPS_PER_TRANSACTION = 256;

export function stepsMaxOf({ stepsMax }: Pick<ConsensusLimits, 'stepsMax'>): number {
  return stepsMax ?? STEPS_MAX;
}

export class Meter {
  /** Steps that are left to whoever runs now. */
  left = 0;
  /** How deep modules that call one another stand on the stack, in the sandbox's units. */
  depth = 0;

  /** Throws OverBudget when more are taken than are left, or what is no count of steps. */
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

/** The meter of one transaction after the other, and what they have taken together. */
export class Allowance {
  readonly meter = new Meter();
  /** Of one transaction. */
  readonly #each: number;
  readonly #together: number;
  #left = 0;
  #granted = 0;

  constructor(limits: ConsensusLimits) {
    this.#each = stepsMaxOf(limits);
    this.#together = this.#each * SUBMISSION_SHARE;
  }

  /** For the transactions of the next submission. */
  startSubmission(): void {
    this.#left = this.#together;
  }

  get isUsedUp(): boolean {
    return this.#left === 0;
  }

  startTransaction(): void {
    const { meter } = this;
    meter.depth = 0;
    this.#granted = meter.left = this.#left < this.#each ? this.#left : this.#each;
  }

  /** What the transaction took, in plain transactions; mostly nothing. */
  endTransaction(): number {
    const { left } = this.meter;
    if (left === this.#granted) return 0;
    // No transaction gives steps back: a meter that rose is a fault of ours, and all of it is taken.
    const taken = left >= 0 && left < this.#granted ? this.#granted - left : this.#granted;
    this.#left -= taken;
    return taken / STEPS_PER_TRANSACTION;
  }
}
