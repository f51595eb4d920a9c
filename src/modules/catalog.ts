/**
 * The modules that a node runs, as one value: by name, and how the arguments that clients write become
 * canonical ones by the schema of a command or a query. Built once, and handed to whoever serves.
 */
import { isSameProgram, type Program } from '../../protocols/genesis.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { argsOf } from './args.ts';
import type { DefinedModule } from './define.ts';
import { Misfit } from './from-json.ts';

export type ArgsResult =
  | { readonly ok: true; readonly args: Value }
  | {
      readonly ok: false;
      readonly code: 'unknown_module' | 'unknown_command' | 'unknown_query' | 'invalid_args';
      /** The argument at fault, such as `amount`; empty when it is none in particular. */
      readonly field: string;
      readonly message: string;
    };

/** Those of `modules` that run; all of them where nothing says which. */
export function catalogOf(
  modules: readonly DefinedModule[],
  programs: readonly Program[] | undefined,
): ModuleCatalog {
  if (programs === undefined) return new ModuleCatalog(modules);
  const running = programs.flatMap((program) =>
    modules.filter((module) => isSameProgram(module, program)),
  );
  return new ModuleCatalog(running);
}

export class ModuleCatalog {
  /** In the order in which they were given. */
  readonly modules: readonly DefinedModule[];
  readonly #byName: ReadonlyMap<string, DefinedModule>;

  /** Throws an Error when two modules have one name. */
  constructor(modules: readonly DefinedModule[]) {
    this.modules = modules;
    this.#byName = new Map(modules.map((module) => [module.name, module]));
    const second = modules.find((module) => this.#byName.get(module.name) !== module);
    if (second !== undefined) throw new Error(`two modules have the name ${second.name}`);
  }

  named(name: string): DefinedModule | undefined {
    return this.#byName.get(name);
  }

  /** Canonical arguments of a command from JSON, or from decoded msgpack. */
  commandArgs(module: string, command: string, json: unknown): ArgsResult {
    const found = this.#byName.get(module);
    if (found === undefined) return this.#unknownModule(module);
    const { commandDefinitions } = found;
    return Object.hasOwn(commandDefinitions, command)
      ? result(argsOf(commandDefinitions[command]!, json, false))
      : unknownMember('command', module, command, commandDefinitions);
  }

  /**
   * Canonical arguments of a query. `text`: from the parameters of a URL, in which everything is text;
   * else from JSON or decoded msgpack.
   */
  queryArgs(module: string, query: string, json: unknown, text: boolean): ArgsResult {
    const found = this.#byName.get(module);
    if (found === undefined) return this.#unknownModule(module);
    const { queryDefinitions } = found;
    return Object.hasOwn(queryDefinitions, query)
      ? result(argsOf(queryDefinitions[query]!, json, text))
      : unknownMember('query', module, query, queryDefinitions);
  }

  #unknownModule(module: string): ArgsResult {
    const names = [...this.#byName.keys()].join(', ');
    return failed('unknown_module', `there is no module ${module}; there are ${names}`);
  }
}

function result(outcome: { readonly args: Value } | Misfit): ArgsResult {
  if (!(outcome instanceof Misfit)) return { ok: true, args: outcome.args };
  return { ok: false, code: 'invalid_args', field: outcome.field, message: outcome.message };
}

function unknownMember(
  kind: 'command' | 'query',
  module: string,
  name: string,
  members: Readonly<Record<string, unknown>>,
): ArgsResult {
  const names = Object.keys(members).join(', ');
  return failed(`unknown_${kind}`, `${module} has no ${kind} ${name}; it has ${names}`);
}

function failed(
  code: 'unknown_module' | 'unknown_command' | 'unknown_query',
  message: string,
): ArgsResult {
  return { ok: false, code, field: '', message };
}
