/**
 * Module queries: reads of executed state between two blocks. They change nothing, and they are not
 * what a node is for: whoever asks waits for the blocks, and never the other way round.
 *
 * I99. One `answer` gives no more than ANSWER_BYTES_PER_STEP and one answer more, whatever waits; a
 *      query is bounded by itself, for it reads rows one by one or by the page (I98), and one of a
 *      user's module takes no more steps than a transaction may.
 */
import { InvariantViolation } from '../machine.ts';
import type { AnswerResult, TransactionInput } from '../messages.ts';
import type { Millis } from '../types.ts';
import type { Executor } from './executor.ts';
import { Meter, stepsMaxOf } from './meter.ts';
import { ModuleFailure, ModuleRefusal, OverBudget, type Query, type ReadTable } from './module.ts';
import { assertValue, NotAValue, sizeOf, type Value } from './values.ts';

/** What answers may make of one step: about a millisecond, here and where they are packed. */
const ANSWER_BYTES_PER_STEP = 32 * 1024;
/** What an answer costs besides its size, in bytes. */
const ANSWER_COST = 256;
/** How many steps take about as long as a byte of an answer. */
const STEPS_PER_BYTE = 3;
/** Queries that may wait. The edge asks far fewer at once. */
const WAITING_MAX = 1024;

/** The rows of all modules as of some height. */
export interface View {
  readonly height: number;
  readonly time: Millis;
  tablesOf(module: string): Readonly<Record<string, ReadTable>>;
}

export type AskedQuery = Extract<TransactionInput, { kind: 'query' }>;

export class Queries {
  readonly #executor: Executor;
  readonly #stepsMax: number;
  readonly #meter = new Meter();
  #waiting: AskedQuery[] = [];

  constructor(executor: Executor) {
    this.#executor = executor;
    this.#stepsMax = stepsMaxOf(executor.limits);
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** False when too many wait already. */
  take(asked: AskedQuery): boolean {
    if (this.#waiting.length >= WAITING_MAX) return false;
    this.#waiting.push(asked);
    return true;
  }

  /** Answers the oldest that wait, and leaves what is too much for one step. */
  answer(tell: (request: number, result: AnswerResult) => void): void {
    let bytes = 0;
    let done = 0;
    while (done < this.#waiting.length && bytes < ANSWER_BYTES_PER_STEP) {
      const asked = this.#waiting[done++]!;
      const result = this.run(asked);
      bytes += ANSWER_COST + (result.ok ? sizeOf(result.value as Value) : 0);
      bytes += (this.#stepsMax - Math.max(0, this.#meter.left)) / STEPS_PER_BYTE;
      tell(asked.request, result);
    }
    this.#waiting = this.#waiting.slice(done);
  }

  /** @param view what the query sees; without it, the rows as they are now */
  run(
    asked: { readonly module: string; readonly query: string; readonly args: unknown },
    view: View = this.#executor.view,
  ): AnswerResult {
    const module = this.#executor.programs.named(asked.module);
    if (module === undefined) return failed('unknown_module', 'no module of that name');
    const query = module.queries.get(asked.query);
    if (query === undefined) return failed('unknown_query', 'no query of that name');
    this.#meter.left = this.#stepsMax;
    this.#meter.depth = 0;
    try {
      return this.#run(asked.module, query, asked.args, view);
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      if (error instanceof OverBudget) {
        return failed('too_expensive', 'the query takes more steps than one may: ask for less');
      }
      if (error instanceof ModuleFailure) return failed(error.code, error.message);
      return failed('module_fault', 'the module failed to answer');
    }
  }

  #run(module: string, query: Query, args: unknown, view: View): AnswerResult {
    if (!isValue(args) || !query.check(args)) {
      return failed(
        'invalid_args',
        `the arguments do not fit the schema of ${module}.${query.name}`,
      );
    }
    const { height, time } = view;
    const tables = view.tablesOf(module);
    const answer = query.run({ height, time, tables, meter: this.#meter }, args);
    if (answer instanceof ModuleRefusal) return failed(answer.code, answer.message);
    return { ok: true, value: answer };
  }
}

function isValue(args: unknown): args is Value {
  try {
    assertValue(args);
    return true;
  } catch (error) {
    if (error instanceof NotAValue) return false;
    throw error;
  }
}

function failed(code: string, message: string): AnswerResult {
  return { ok: false, code, message };
}
