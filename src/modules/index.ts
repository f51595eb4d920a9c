/**
 * The built-in modules, and how edges speak to them: JSON to canonical arguments and back.
 */
import type { Value } from '../../protocols/transaction/values.ts';
import { argsOf } from './args.ts';
import type { DefinedModule } from './define.ts';
import { Misfit } from './from-json.ts';
import * as installed from './installed.ts';

export { toJson } from './from-json.ts';
export type { DefinedModule } from './define.ts';

export const builtInModules: readonly DefinedModule[] = Object.values(installed);

const byName = new Map(builtInModules.map((module) => [module.name, module]));

export type ArgsResult =
  | { readonly ok: true; readonly args: Value }
  | {
      readonly ok: false;
      readonly code: 'unknown_module' | 'unknown_command' | 'unknown_query' | 'invalid_args';
      /** The argument at fault, such as `amount`; empty when it is none in particular. */
      readonly field: string;
      readonly message: string;
    };

export function moduleNamed(name: string): DefinedModule | undefined {
  return byName.get(name);
}

/** Canonical arguments of a command from JSON, or from decoded msgpack. */
export function argsFromJson(module: string, command: string, json: unknown): ArgsResult {
  const defined = byName.get(module);
  if (defined === undefined) return unknownModule(module);
  if (!Object.hasOwn(defined.commandDefinitions, command)) {
    const names = Object.keys(defined.commandDefinitions).join(', ');
    return failed('unknown_command', `${module} has no command ${command}; it has ${names}`);
  }
  return result(argsOf(defined.commandDefinitions[command]!, json, false));
}

/** Canonical arguments of a query from the parameters of a URL, in which everything is text. */
export function queryArgsFromText(
  module: string,
  query: string,
  parameters: Readonly<Record<string, string>>,
): ArgsResult {
  const defined = byName.get(module);
  if (defined === undefined) return unknownModule(module);
  if (!Object.hasOwn(defined.queryDefinitions, query)) {
    const names = Object.keys(defined.queryDefinitions).join(', ');
    return failed('unknown_query', `${module} has no query ${query}; it has ${names}`);
  }
  return result(argsOf(defined.queryDefinitions[query]!, parameters, true));
}

function unknownModule(module: string): ArgsResult {
  const names = [...byName.keys()].join(', ');
  return failed('unknown_module', `there is no module ${module}; there are ${names}`);
}

function result(outcome: { readonly args: Value } | Misfit): ArgsResult {
  if (!(outcome instanceof Misfit)) return { ok: true, args: outcome.args };
  return { ok: false, code: 'invalid_args', field: outcome.field, message: outcome.message };
}

function failed(
  code: 'unknown_module' | 'unknown_command' | 'unknown_query',
  message: string,
): ArgsResult {
  return { ok: false, code, field: '', message };
}
