/**
 * How modules are written: each command and query once, as a TypeBox schema and a function. From it
 * follow the check at execution and the conversion from JSON at the edge.
 */
import type { Static, TSchema } from '@sinclair/typebox';
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler';
import type {
  Command,
  CommandContext,
  GenesisContext,
  Module,
  ModuleRefusal,
  Outcome,
  Query,
  QueryContext,
} from '../../protocols/transaction/module.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import { fromJson, Misfit, misfitOf } from './from-json.ts';

interface Described {
  /** One sentence for people. */
  readonly description: string;
  readonly schema: TSchema;
  readonly type: TypeCheck<TSchema>;
}

export interface DefinedCommand extends Described {
  readonly run: Command['run'];
}

export interface DefinedQuery extends Described {
  readonly run: Query['run'];
}

/** A module with what edges need to serve it. */
export interface DefinedModule extends Module {
  readonly description: string;
  readonly commandDefinitions: Readonly<Record<string, DefinedCommand>>;
  readonly queryDefinitions: Readonly<Record<string, DefinedQuery>>;
}

/** A command whose arguments fit `schema`. */
export function command<S extends TSchema, R>(
  description: string,
  schema: S,
  run: (context: CommandContext<R>, args: Static<S>) => Outcome,
): DefinedCommand {
  const type = TypeCompiler.Compile(schema as TSchema);
  return { description, schema, type, run: run as unknown as Command['run'] };
}

/** A query whose arguments fit `schema`. */
export function query<S extends TSchema, R>(
  description: string,
  schema: S,
  run: (context: QueryContext<R>, args: Static<S>) => Value | ModuleRefusal,
): DefinedQuery {
  const type = TypeCompiler.Compile(schema as TSchema);
  return { description, schema, type, run: run as unknown as Query['run'] };
}

interface Definition<R> {
  readonly name: string;
  readonly version: number;
  readonly description: string;
  readonly tables: readonly (keyof R & string)[];
  readonly commands: Readonly<Record<string, DefinedCommand>>;
  readonly queries: Readonly<Record<string, DefinedQuery>>;
  readonly genesis?: (context: GenesisContext<R>, config: unknown) => void;
}

export function defineModule<R>(definition: Definition<R>): DefinedModule {
  const { name, version, description, tables, commands, queries } = definition;
  const genesis = definition.genesis ?? refuseConfig(name);
  return {
    name,
    version,
    description,
    tables,
    commands: runnable(commands),
    queries: runnable(queries),
    genesis: genesis as unknown as Module['genesis'],
    commandDefinitions: commands,
    queryDefinitions: queries,
  };
}

function runnable<D extends DefinedCommand | DefinedQuery>(
  definitions: Readonly<Record<string, D>>,
): ReadonlyMap<string, { name: string; check: (args: Value) => boolean; run: D['run'] }> {
  const entries = Object.entries(definitions).map(([name, { type, run }]) => {
    const check = (args: Value): boolean => type.Check(args);
    return [name, { name, check, run }] as const;
  });
  return new Map(entries);
}

function refuseConfig(name: string) {
  return (_context: unknown, config: unknown): void => {
    if (config !== undefined) throw new Error(`genesis: modules.${name} takes no configuration`);
  };
}

/** The arguments of a command or query in canonical form, or what is wrong with them. */
export function argsOf(
  { schema, type }: Described,
  json: unknown,
  text: boolean,
): { readonly args: Value } | Misfit {
  const args = fromJson(schema, json, '', text);
  if (args instanceof Misfit) return args;
  if (type.Check(args)) return { args };
  return misfitOf(type, args);
}
