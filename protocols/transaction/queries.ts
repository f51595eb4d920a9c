/** Module queries: reads of executed state between two transactions. They change nothing. */
import { InvariantViolation } from '../machine.ts';
import type { AnswerResult } from '../messages.ts';
import type { Executor } from './executor.ts';
import { ModuleRefusal, type ModuleSet, type Query } from './module.ts';
import { assertValue, NotAValue, type Value } from './values.ts';

export class Queries {
  readonly #executor: Executor;
  readonly #queries = new Map<string, ReadonlyMap<string, Query>>();

  constructor(executor: Executor, modules: ModuleSet) {
    this.#executor = executor;
    for (const module of modules) this.#queries.set(module.name, module.queries);
  }

  run(asked: { module: string; query: string; args: unknown }): AnswerResult {
    const module = this.#queries.get(asked.module);
    if (module === undefined) return failed('unknown_module', 'no module of that name');
    const query = module.get(asked.query);
    if (query === undefined) return failed('unknown_query', 'no query of that name');
    try {
      return this.#run(asked.module, query, asked.args);
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      return failed('module_fault', 'the module failed to answer');
    }
  }

  #run(module: string, query: Query, args: unknown): AnswerResult {
    if (!isValue(args) || !query.check(args)) {
      return failed(
        'invalid_args',
        `the arguments do not fit the schema of ${module}.${query.name}`,
      );
    }
    const { height, time, state } = this.#executor;
    const answer = query.run({ height, time, tables: state.tablesOf(module) }, args);
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
