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
import type { StateRead } from '../state-read.ts';
import type { Millis } from '../types.ts';
import { CATCHING_UP } from './edge-answers.ts';
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
  readonly #loggedHeight: () => number;
  readonly #stepsMax: number;
  readonly #meter = new Meter();
  #waiting: AskedQuery[] = [];

  /** @param loggedHeight up to which execution had got before the node started */
  constructor(executor: Executor, loggedHeight = (): number => 0) {
    this.#executor = executor;
    this.#loggedHeight = loggedHeight;
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
  answer(tell: (request: number, height: number, result: AnswerResult) => void): void {
    let bytes = 0;
    let done = 0;
    while (done < this.#waiting.length && bytes < ANSWER_BYTES_PER_STEP) {
      const asked = this.#waiting[done++]!;
      const seen = this.#viewAt(asked);
      const result = this.run(asked, seen);
      bytes += ANSWER_COST + (result.ok ? sizeOf(result.value as Value) : 0);
      bytes += (this.#stepsMax - Math.max(0, this.#meter.left)) / STEPS_PER_BYTE;
      // A module's refusal says what its tables were at the height, as an answer does.
      const { height } = 'ok' in seen ? this.#executor : seen;
      tell(asked.request, height, result);
    }
    this.#waiting = this.#waiting.slice(done);
  }

  /** @param seen what the query sees, or why nothing; without it, the rows of the height that is asked for */
  run(asked: StateRead, seen: View | AnswerResult = this.#viewAt(asked)): AnswerResult {
    this.#meter.left = this.#stepsMax;
    this.#meter.depth = 0;
    if ('ok' in seen) return seen;
    const module = this.#executor.programs.named(asked.module);
    if (module === undefined) return failed('unknown_module', 'no module of that name');
    const query = module.queries.get(asked.query);
    if (query === undefined) return failed('unknown_query', 'no query of that name');
    try {
      return this.#run(asked, query, seen);
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      if (error instanceof OverBudget) {
        return failed('too_expensive', 'the query takes more steps than one may: ask for less');
      }
      if (error instanceof ModuleFailure) return failed(error.code, error.message);
      return failed('module_fault', 'the module failed to answer');
    }
  }

  /** What a read sees, or why it sees nothing. */
  #viewAt({ module, notBelow = 0, atHeight }: StateRead): View | AnswerResult {
    const { height, state, programs, view } = this.#executor;
    const least = Math.max(notBelow, Math.min(atHeight ?? 0, this.#loggedHeight()));
    if (least > height) return CATCHING_UP;
    if (atHeight === undefined || atHeight === height) return view;
    if (atHeight > height) {
      return failed('height_ahead', `this node has executed height ${height}, and not yet more`);
    }
    const oldest = Math.max(state.history.oldest, programs.readableFrom(module));
    if (atHeight >= oldest) return state.viewAt(atHeight);
    return failed('height_pruned', `the oldest height that can still be read here is ${oldest}`);
  }

  #run({ module, args }: StateRead, query: Query, view: View): AnswerResult {
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
