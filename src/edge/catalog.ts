/**
 * What the edges make of the catalog of modules: arguments in canonical form, or the Problem that names
 * the field at fault.
 */
import type { Value } from '../../protocols/transaction/values.ts';
import type { ArgsResult, ModuleCatalog } from '../modules/catalog.ts';
import { join } from './fields.ts';
import { Problem, unprocessable } from './problem.ts';

/** Arguments of a command; `at` is the path of the transaction within the request, null where its body is they. */
export function commandArgs(
  catalog: ModuleCatalog,
  { module, command, args }: { module: string; command: string; args: unknown },
  at: string | null,
): { readonly value: Value } | Problem {
  const result = catalog.commandArgs(module, command, args);
  if (result.ok) return { value: result.args };
  if (at === null) return unfit(result);
  const field = result.code === 'invalid_args' ? join('args', result.field) : FIELDS[result.code];
  return unprocessable(result.code, result.message, join(at, field));
}

/**
 * Arguments of a query; `text`: from the parameters of a URL. What does not exist is 404 here: it is
 * what is asked for.
 */
export function queryArgs(
  catalog: ModuleCatalog,
  module: string,
  query: string,
  given: unknown,
  text: boolean,
): { readonly value: Value } | Problem {
  const result = catalog.queryArgs(module, query, given, text);
  return result.ok ? { value: result.args } : unfit(result);
}

/** Where the path names the command or the query. */
function unfit({ code, message, field }: Refused): Problem {
  if (code !== 'invalid_args') return new Problem(404, code, message);
  return unprocessable(code, message, field === '' ? undefined : field);
}

const FIELDS: Readonly<Record<Exclude<ErrorCode, 'invalid_args'>, string>> = {
  unknown_module: 'module',
  unknown_command: 'command',
  unknown_query: 'query',
};
type Refused = Extract<ArgsResult, { ok: false }>;
type ErrorCode = Refused['code'];

/** Names of commands and queries by module, for people. */
export function moduleNames({ modules }: ModuleCatalog): Readonly<Record<string, object>> {
  const entries = modules.map(
    ({ name, description, commandDefinitions, queryDefinitions }) =>
      [
        name,
        {
          description,
          commands: Object.keys(commandDefinitions),
          queries: Object.keys(queryDefinitions),
        },
      ] as const,
  );
  return Object.fromEntries(entries);
}
