/**
 * Executed checkpoints as the validators report them, and the highest one that a quorum reports
 * alike (rule B2). Validators execute at different speeds, so the last few of each are remembered.
 */
import type { Executed, ValidatorIndex } from '../types.ts';

/** Checkpoints remembered of each validator: how far apart in execution a quorum may lie. */
const REMEMBERED_MAX = 64;

export class Checkpoints {
  readonly #quorum: number;
  /** Ascending by height. */
  readonly #reported: Executed[][];
  #agreed: Executed | null = null;

  constructor(n: number, quorum: number) {
    this.#quorum = quorum;
    this.#reported = Array.from({ length: n }, () => []);
  }

  /** The highest checkpoint above height 0 that a quorum reports alike. */
  get agreed(): Executed | null {
    return this.#agreed;
  }

  report(validator: ValidatorIndex, executed: Executed): void {
    const own = this.#reported[validator]!;
    if (executed.height <= (own.at(-1)?.height ?? 0)) return;
    own.push(executed);
    if (own.length > REMEMBERED_MAX) own.shift();
    if (executed.height <= (this.#agreed?.height ?? 0)) return;
    const alike = this.#reported.filter((each) => each.some((other) => same(other, executed)));
    if (alike.length >= this.#quorum) this.#agreed = executed;
  }
}

function same(a: Executed, b: Executed): boolean {
  return (
    a.height === b.height &&
    a.stateRoot === b.stateRoot &&
    a.receiptsRoot === b.receiptsRoot &&
    a.pendingSet === b.pendingSet
  );
}
