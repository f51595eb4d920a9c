/** The built-in modules as the edges know them (edge/catalog.ts). */
import type { Catalog } from '../edge/catalog.ts';
import { Problem } from '../edge/problem.ts';
import { argsFromJson, builtInModules } from '../modules/index.ts';

export const catalog: Catalog = {
  commandArgs(module, command, args, at) {
    const result = argsFromJson(module, command, args);
    if (result.ok) return { value: result.args };
    const place =
      result.code === 'invalid_args'
        ? 'args'
        : result.code === 'unknown_module'
          ? 'module'
          : 'command';
    const path = [at, place, result.field].filter((part) => part !== '').join('.');
    return new Problem(422, result.code, result.message, { field: path });
  },
  modules: Object.fromEntries(
    builtInModules.map(({ name, commandDefinitions, queryDefinitions }) => [
      name,
      { commands: Object.keys(commandDefinitions), queries: Object.keys(queryDefinitions) },
    ]),
  ),
};
