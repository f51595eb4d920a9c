/** Whether values fit the schemas of a user's module: counted, and at a bounded cost. */
import type { TSchema } from '@sinclair/typebox';
import { ValueErrorIterator } from '@sinclair/typebox/errors';
import { Value as Schemas } from '@sinclair/typebox/value';
import { ModuleFailure } from '../../../protocols/transaction/module.ts';
import { STEPS_MAX } from '../../../protocols/transaction/meter.ts';
import type { Checker } from '../define.ts';
import { checkSteps, sizeOf, type Size } from './costs.ts';
import { matchedByRe2 } from './patterns.ts';
import { weightOf } from './types.ts';

const NO_ERRORS = (): ValueErrorIterator => new ValueErrorIterator([][Symbol.iterator]());

/**
 * Looks at values by the schema as it stands, without making code of it: what stands in a schema is
 * the module's.
 */
export class BoundedChecker implements Checker {
  readonly #schema: TSchema;
  readonly #weight: ReturnType<typeof weightOf>;

  constructor(schema: TSchema) {
    this.#weight = weightOf(schema);
    this.#schema = matchedByRe2(schema);
  }

  stepsFor(size: Size): number {
    return checkSteps(size, this.#weight);
  }

  /** What `fits` takes; nothing for what is no plain data, which it refuses at once. */
  stepsOf(value: unknown): number {
    const size = measured(value);
    return size === null ? 0 : this.stepsFor(size);
  }

  /** For those who have paid for it. */
  fits(value: unknown): boolean {
    return measured(value) !== null && Schemas.Check(this.#schema, value);
  }

  /** For all others: false, too, for what would take longer than a transaction commonly may. */
  Check(value: unknown): boolean {
    return this.#isBounded(value) && Schemas.Check(this.#schema, value);
  }

  Errors(value: unknown): ValueErrorIterator {
    return this.#isBounded(value) ? Schemas.Errors(this.#schema, value) : NO_ERRORS();
  }

  #isBounded(value: unknown): boolean {
    const size = measured(value);
    return size !== null && this.stepsFor(size) <= STEPS_MAX;
  }
}

/** Null for what is no plain data. */
function measured(value: unknown): Size | null {
  try {
    return sizeOf(value);
  } catch {
    return null;
  }
}

/** A value that leaves a module: what it costs, and that it fits. */
export class Passage {
  readonly #checker: BoundedChecker;
  readonly #code: string;
  readonly #what: string;
  readonly #steps: (size: Size) => number;

  /**
   * @param code of the failure when a value does not fit
   * @param what such as `a row of raffle.tickets`
   * @param steps besides those of the check
   */
  constructor(schema: TSchema, code: string, what: string, steps: (size: Size) => number) {
    this.#checker = new BoundedChecker(schema);
    this.#code = code;
    this.#what = what;
    this.#steps = steps;
  }

  /** Throws ModuleFailure when it does not fit. */
  pass(value: unknown, charge: (steps: number) => void): void {
    const size = measured(value);
    if (size === null) throw this.#misfit();
    charge(this.#steps(size) + this.#checker.stepsFor(size));
    if (!this.#checker.fits(value)) throw this.#misfit();
  }

  #misfit(): ModuleFailure {
    return new ModuleFailure(this.#code, `${this.#what} does not fit its schema`);
  }
}
