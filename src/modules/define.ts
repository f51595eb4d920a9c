/**
 * How a module is written: one declaration of its tables, events, timers, commands and queries, each
 * with its TypeBox schema. From it follow the checks at execution, the conversion from JSON, the
 * routes, the documentation, and the types of clients.
 *
 * Commands, timers and queries are given in a function of a kit, so that their handlers know the
 * tables, events and timers that stand before them:
 *
 *   defineModule({
 *     name: 'counter', version: 1, description: '…',
 *     tables: { counters: table('…', Type.Integer()) },
 *     events: { raised: event('…', Type.Object({ name: Type.String() })) },
 *     commands: ({ command }) => ({
 *       raise: command({ description: '…', args: Type.Object({ name: Type.String() }) },
 *         ({ tables, emit }, { name }) => { … }),
 *     }),
 *     queries: ({ query }) => ({ … }),
 *   })
 */
import type { Static, TSchema } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { ValueErrorIterator } from '@sinclair/typebox/errors';
import type {
  Command,
  CommandContext,
  Module,
  ModuleRefusal,
  Outcome,
  Query,
  QueryContext,
  ReadTable,
  Table,
  TableShape,
  TablesContext,
} from '../../protocols/transaction/module.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import type { Millis } from '../../protocols/types.ts';
import { checkNames } from './names.ts';

// --------------------------------------------------------------------------------- the declaration

type IndexesOf<S extends TSchema, I extends string> = Readonly<
  Record<I, (row: Static<S>, key: string) => string | readonly string[] | null>
>;

/** A table whose rows fit `schema`, with its indexes by name. */
export interface TableDefinition<S extends TSchema = TSchema, I extends string = string> {
  /** One sentence for people: what a key is, and a row. */
  readonly description: string;
  readonly schema: S;
  readonly indexes: IndexesOf<S, I>;
}

export function table<S extends TSchema, I extends string = never>(
  description: string,
  schema: S,
  indexes: IndexesOf<S, I> = {} as IndexesOf<S, I>,
): TableDefinition<S, I> {
  return { description, schema, indexes };
}

export interface EventDefinition<S extends TSchema = TSchema> {
  readonly description: string;
  readonly schema: S;
}

export function event<S extends TSchema>(description: string, schema: S): EventDefinition<S> {
  return { description, schema };
}

/** Whether values fit a schema, and why not. */
export interface Checker {
  Check(value: unknown): boolean;
  Errors(value: unknown): ValueErrorIterator;
}

interface Described<S extends TSchema = TSchema> {
  /** One sentence for people. */
  readonly description: string;
  /** Of the arguments. */
  readonly schema: S;
  readonly type: Checker;
}

export interface CommandDefinition<
  S extends TSchema = TSchema,
  R extends TSchema = TSchema,
> extends Described<S> {
  /** What a receipt's `result` is; absent when it has none. */
  readonly result: R | null;
  readonly run: Command['run'];
}

export interface QueryDefinition<
  S extends TSchema = TSchema,
  R extends TSchema = TSchema,
> extends Described<S> {
  readonly result: R;
  readonly run: Query['run'];
}

export interface TimerDefinition<S extends TSchema = TSchema> extends Described<S> {
  readonly run: Command['run'];
}

type TableSet = Readonly<Record<string, TableDefinition<TSchema, never>>>;
type EventSet = Readonly<Record<string, EventDefinition>>;
type TimerSet = Readonly<Record<string, TimerDefinition>>;
type CommandSet = Readonly<Record<string, CommandDefinition>>;
type QuerySet = Readonly<Record<string, QueryDefinition>>;

type RowOf<D> = D extends TableDefinition<infer S, never> ? Static<S> : never;
type IndexOf<D> = D extends { readonly indexes: infer I } ? keyof I & string : never;
export type TablesOf<T> = { readonly [K in keyof T]: Table<RowOf<T[K]>, IndexOf<T[K]>> };
export type ReadTablesOf<T> = { readonly [K in keyof T]: ReadTable<RowOf<T[K]>, IndexOf<T[K]>> };
type DataOf<D> = D extends EventDefinition<infer S> ? Static<S> : never;
type ArgsOf<D> = D extends TimerDefinition<infer S> ? Static<S> : never;

/** What a command sees (CommandContext), in the types of its module. */
export interface Context<T, E, M> extends Omit<CommandContext, 'tables' | 'emit' | 'schedule'> {
  readonly tables: TablesOf<T>;
  readonly emit: <N extends keyof E & string>(name: N, data: DataOf<E[N]>) => void;
  readonly schedule: <N extends keyof M & string>(
    at: Millis,
    timer: N,
    args: ArgsOf<M[N]>,
  ) => string;
}

export interface ReadContext<T> extends Omit<QueryContext, 'tables'> {
  readonly tables: ReadTablesOf<T>;
}

export interface FillContext<T> extends Omit<TablesContext, 'tables'> {
  readonly tables: TablesOf<T>;
}

interface TimerKit<T, E> {
  /** `context.schedule` of a timer's own handler takes any timer of the module. */
  readonly timer: <S extends TSchema>(
    shape: { readonly description: string; readonly args: S },
    run: (context: Context<T, E, TimerSet>, args: Static<S>) => Outcome | void,
  ) => TimerDefinition<S>;
}

export interface CommandKit<T, E, M> {
  readonly command: <S extends TSchema, R extends TSchema = never>(
    shape: { readonly description: string; readonly args: S; readonly result?: R },
    run: (
      context: Context<T, E, M>,
      args: Static<S>,
    ) => ([R] extends [never] ? undefined | void : Static<R>) | ModuleRefusal,
  ) => CommandDefinition<S, R>;
}

export interface QueryKit<T> {
  readonly query: <S extends TSchema, R extends TSchema>(
    shape: { readonly description: string; readonly args: S; readonly result: R },
    run: (context: ReadContext<T>, args: Static<S>) => Static<R> | ModuleRefusal,
  ) => QueryDefinition<S, R>;
}

export type Refusals = Readonly<Record<string, string>>;

export interface Declaration<T, E, M, C, Q> {
  /** Lower-case letters, digits and dashes. */
  readonly name: string;
  /** Raised whenever the same inputs may give another outcome; from 1 on. */
  readonly version: number;
  readonly description: string;
  readonly tables?: T;
  readonly events?: E;
  readonly timers?: (kit: TimerKit<T, E>) => M;
  readonly commands?: (kit: CommandKit<T, E, M>) => C;
  readonly queries?: (kit: QueryKit<T>) => Q;
  /** Every code with which commands and queries refuse, and in one sentence why. */
  readonly refusals?: Refusals;
  /** Fills the tables for height 0 from the genesis document's `modules.<name>`. */
  readonly genesis?: (context: FillContext<T>, config: unknown) => void;
  /** By the version that they lead to, from the one before. */
  readonly migrations?: Readonly<Record<number, (context: FillContext<T>) => void>>;
}

/** A module with what edges and clients need to serve and to speak to it. */
export interface DefinedModule<C = CommandSet, Q = QuerySet, E = EventSet> extends Module {
  readonly description: string;
  readonly tableDefinitions: Readonly<Record<string, TableDefinition<TSchema, never>>>;
  readonly eventDefinitions: E;
  readonly timerDefinitions: TimerSet;
  readonly commandDefinitions: C;
  readonly queryDefinitions: Q;
  readonly refusals: Refusals;
}

// ------------------------------------------------------------------------------- the module from it

/** Throws an Error that names the part at fault when the declaration is not sound. */
export function defineModule<
  T extends TableSet = Record<never, never>,
  E extends EventSet = Record<never, never>,
  M extends TimerSet = Record<never, never>,
  C extends CommandSet = Record<never, never>,
  Q extends QuerySet = Record<never, never>,
>(declaration: Declaration<T, E, M, C, Q>): DefinedModule<C, Q, E> {
  return defineWith((schema) => TypeCompiler.Compile(schema), declaration);
}

/** The same, with another way to check arguments. */
export function defineWith<
  T extends TableSet,
  E extends EventSet,
  M extends TimerSet,
  C extends CommandSet,
  Q extends QuerySet,
>(
  checkerOf: (schema: TSchema) => Checker,
  declaration: Declaration<T, E, M, C, Q>,
): DefinedModule<C, Q, E> {
  const kit: unknown = kitOf(checkerOf);
  const { name, version, description } = declaration;
  const tables = declaration.tables ?? ({} as T);
  const events = declaration.events ?? ({} as E);
  const timers = declaration.timers?.(kit as TimerKit<T, E>) ?? ({} as M);
  const commands = declaration.commands?.(kit as CommandKit<T, E, M>) ?? ({} as C);
  const queries = declaration.queries?.(kit as QueryKit<T>) ?? ({} as Q);
  checkNames(name, version, { tables, events, timers, commands, queries });
  return {
    name,
    version,
    digest: '',
    description,
    tables: Object.entries(tables).map(shapeOf),
    commands: runnable<Command>(commands),
    timers: runnable<Command>(timers),
    queries: runnable<Query>(queries),
    genesis: (declaration.genesis ?? refuseConfig(name)) as Module['genesis'],
    migrate: migration(name, version, declaration.migrations ?? {}),
    tableDefinitions: tables,
    eventDefinitions: events,
    timerDefinitions: timers,
    commandDefinitions: commands,
    queryDefinitions: queries,
    refusals: declaration.refusals ?? {},
  };
}

interface Shape {
  readonly description: string;
  readonly args: TSchema;
  readonly result?: TSchema;
}

/** The functions of all kits: what differs between kits are their types. */
function kitOf(checkerOf: (schema: TSchema) => Checker): unknown {
  const defined = ({ description, args, result }: Shape, run: unknown): Described => {
    const type = checkerOf(args);
    return { description, schema: args, result: result ?? null, type, run } as Described;
  };
  return { command: defined, query: defined, timer: defined };
}

function shapeOf([name, { indexes }]: readonly [
  string,
  TableDefinition<TSchema, never>,
]): TableShape {
  return { name, indexes: new Map(Object.entries(indexes)) };
}

function runnable<R extends Command | Query>(
  definitions: Readonly<Record<string, Described & { readonly run: unknown }>>,
): ReadonlyMap<string, R> {
  const entries = Object.entries(definitions).map(([name, { type, run }]) => {
    const check = (args: Value): boolean => type.Check(args);
    return [name, { name, check, run } as R] as const;
  });
  return new Map(entries);
}

function refuseConfig(name: string) {
  return (_context: unknown, config: unknown): void => {
    if (config !== undefined) throw new Error(`genesis: modules.${name} takes no configuration`);
  };
}

function migration<T>(
  name: string,
  version: number,
  steps: Readonly<Record<number, (context: FillContext<T>) => void>>,
): Module['migrate'] {
  return (context, from) => {
    for (let to = from + 1; to <= version; to++) {
      const step = steps[to];
      if (step === undefined) throw new Error(`${name} has no migration from version ${to - 1}`);
      step(context as FillContext<T>);
    }
  };
}
