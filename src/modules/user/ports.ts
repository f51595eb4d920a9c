/**
 * What handlers of users' modules see of their context: the same as those of this software, by
 * functions that count what passes through them and look at what they are given.
 *
 * U11. What a module reads, writes, emits and returns costs steps by its size, and fits its schema.
 */
import {
  ModuleFailure,
  ModuleRefusal,
  type CommandContext,
  type Page,
  type QueryContext,
  type ReadTable,
  type ReadTables,
  type Table,
  type Tables,
  type TablesContext,
} from '../../../protocols/transaction/module.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import type { DefinedModule } from '../define.ts';
import { Passed, type HostFunction, type LoadedModule, type Port } from '../sandbox/load.ts';
import { Passage } from './checks.ts';
import {
  CALL_STEPS,
  keyOf,
  LOOK_STEPS,
  readSteps,
  sizeOf,
  toldSteps,
  WRITE_STEPS,
  writeSteps,
} from './costs.ts';

type Given = Readonly<Record<string, unknown>>;

interface Way {
  readonly tables: ReadTables;
  /** Null for queries. */
  readonly writes: Tables | null;
  readonly command: CommandContext | null;
}

const NOWHERE: Way = { tables: {}, writes: null, command: null };
const AS_MAX = 256;

/** Makes of contexts what the handlers of one module are given. */
export class Ports {
  readonly #loaded: LoadedModule;
  readonly #module: DefinedModule;
  readonly #events: ReadonlyMap<string, Passage>;
  readonly #timers: ReadonlyMap<string, Passage>;
  readonly #tables: Port;
  readonly #functions: Given;
  readonly #charge: (steps: number) => void;
  /** Where the ports of the handler that runs lead to. */
  #way: Way = NOWHERE;

  constructor(loaded: LoadedModule, module: DefinedModule) {
    this.#loaded = loaded;
    this.#module = module;
    this.#charge = (steps) => loaded.charge(steps);
    this.#events = this.#passages('invalid_event', 'an event', module.eventDefinitions, toldSteps);
    this.#timers = this.#passages('invalid_timer', 'a timer', module.timerDefinitions, writeSteps);
    this.#tables = this.#tablePorts();
    this.#functions = this.#functionPorts();
  }

  /** Runs `work` with what the handler of a command or a timer is given. */
  command<T>(context: CommandContext, work: (given: never) => T): T {
    const { time, height, sender, via, validators, tables } = context;
    const seen = { time, height, sender, via, validators };
    const given = { ...seen, tables: this.#tables, ...this.#functions };
    return this.#along({ tables, writes: tables, command: context }, given, work);
  }

  /** The same for a query. */
  query<T>({ time, height, tables }: QueryContext, work: (given: never) => T): T {
    const given = { time, height, tables: this.#tables };
    return this.#along({ tables, writes: null, command: null }, given, work);
  }

  /** The same for what fills or migrates the tables. */
  filling<T>({ time, tables }: TablesContext, work: (given: never) => T): T {
    return this.#along(
      { tables, writes: tables, command: null },
      { time, tables: this.#tables },
      work,
    );
  }

  #along<T>(way: Way, given: Given, work: (given: never) => T): T {
    const outer = this.#way;
    this.#way = way;
    try {
      return work(given as never);
    } finally {
      this.#way = outer;
    }
  }

  #passages(
    code: string,
    what: string,
    definitions: Readonly<
      Record<string, { readonly schema: ConstructorParameters<typeof Passage>[0] }>
    >,
    steps: typeof writeSteps,
  ): ReadonlyMap<string, Passage> {
    const entries = Object.entries(definitions).map(([name, { schema }]) => {
      return [
        name,
        new Passage(schema, code, `${what} ${this.#module.name}.${name}`, steps),
      ] as const;
    });
    return new Map(entries);
  }

  // ---------------------------------------------------------------------------------- the tables

  #tablePorts(): Port {
    const definitions = Object.entries(this.#module.tableDefinitions);
    const shapes = definitions.map(([name, { schema }]) => {
      const what = `a row of ${this.#module.name}.${name}`;
      return [name, this.#tablePort(name, new Passage(schema, 'invalid_row', what, writeSteps))];
    });
    return this.#loaded.port(Object.fromEntries(shapes) as Record<string, never>);
  }

  #tablePort(name: string, rows: Passage): Readonly<Record<string, HostFunction>> {
    const table = (): ReadTable => this.#way.tables[name]!;
    const page = (found: Page<Value>): unknown => {
      this.#charge(LOOK_STEPS + readSteps(found.rows as unknown as Value));
      return found;
    };
    return {
      get: (key: unknown) => {
        this.#charge(LOOK_STEPS);
        const row = table().get(keyOf(key));
        this.#charge(readSteps(row));
        return row;
      },
      page: (range: unknown) => page(table().page(rangeOf(range, PAGE))),
      pageBy: (index: unknown, range: unknown) =>
        page(table().pageBy(keyOf(index, 'an index'), rangeOf(range, PAGE_BY))),
      set: (key: unknown, row: unknown) => {
        this.#charge(WRITE_STEPS);
        rows.pass(row, this.#charge);
        this.#writable(name).set(keyOf(key), row as Value);
      },
      delete: (key: unknown) => {
        this.#charge(WRITE_STEPS);
        this.#writable(name).delete(keyOf(key));
      },
    };
  }

  #writable(name: string): Table {
    const { writes } = this.#way;
    if (writes === null) throw new ModuleFailure('read_only', 'queries change nothing');
    return writes[name]!;
  }

  // ------------------------------------------------------------------------- what commands call

  get #command(): CommandContext {
    const { command } = this.#way;
    if (command === null) throw new TypeError('this is for commands and timers');
    return command;
  }

  #functionPorts(): Given {
    const functions: Readonly<Record<string, HostFunction>> = {
      random: () => {
        this.#charge(WRITE_STEPS);
        return this.#command.random();
      },
      hash: (value: unknown) => {
        this.#charge(WRITE_STEPS + sizeOf(value).bytes);
        return this.#command.hash(value as Value);
      },
      emit: (name: unknown, data: unknown) => this.#emit(name, data),
      schedule: (at: unknown, timer: unknown, args: unknown) => this.#schedule(at, timer, args),
      cancel: (id: unknown) => {
        this.#charge(WRITE_STEPS);
        return this.#command.cancel(keyOf(id, 'the id of a timer'));
      },
      call: (module: unknown, command: unknown, args: unknown, as: unknown) =>
        this.#call(keyOf(module), keyOf(command), args, as),
    };
    const ports = Object.entries(functions).map(([name, each]) => [name, this.#loaded.port(each)]);
    return Object.fromEntries(ports) as Given;
  }

  #emit(name: unknown, data: unknown): void {
    this.#charge(WRITE_STEPS);
    const event = this.#events.get(name as string);
    if (event === undefined)
      throw new TypeError(`${this.#module.name} has no event ${String(name)}`);
    event.pass(data, this.#charge);
    this.#command.emit(name as string, data as Value);
  }

  #schedule(at: unknown, timer: unknown, args: unknown): string {
    this.#charge(WRITE_STEPS);
    this.#timers.get(timer as string)?.pass(args, this.#charge);
    return this.#command.schedule(at as number, timer as string, args as Value);
  }

  /** What is called takes of the same steps. A refusal comes back as what `refusalOf` reads. */
  #call(module: string, command: string, args: unknown, as: unknown): unknown {
    this.#charge(CALL_STEPS + writeSteps(sizeOf(args)));
    if (as !== undefined && (typeof as !== 'string' || as.length > AS_MAX)) {
      throw new TypeError(`a part of a module is named by at most ${AS_MAX} characters`);
    }
    const context = this.#command;
    const outcome = this.#loaded.lend(context.meter, () =>
      context.call(module, command, args as Value, as),
    );
    return outcome instanceof ModuleRefusal ? new Passed(outcome) : outcome;
  }
}

/** What a range may say. */
const PAGE = ['prefix', 'after', 'limit', 'reversed'];
const PAGE_BY = [...PAGE, 'equals'];

function rangeOf(given: unknown, members: readonly string[]) {
  if (typeof given !== 'object' || given === null) throw new TypeError('a range is an object');
  for (const name of Object.keys(given)) {
    if (members.includes(name)) continue;
    throw new TypeError(`a range has no ${name.slice(0, 64)} here, but ${members.join(', ')}`);
  }
  const { prefix, equals, after, limit, reversed = false } = given as Given;
  if (typeof reversed !== 'boolean') throw new TypeError('`reversed` is true or false');
  if (!Number.isSafeInteger(limit) || (limit as number) < 1) {
    throw new TypeError('the limit of a range is an integer from 1 on');
  }
  return {
    limit: limit as number,
    reversed,
    ...(prefix === undefined ? {} : { prefix: keyOf(prefix, 'a prefix') }),
    ...(equals === undefined ? {} : { equals: keyOf(equals, 'what an index equals') }),
    // Of an index: its text and the row's key.
    ...(after === undefined || after === null ? {} : { after: placeOf(after) }),
  };
}

function placeOf(after: unknown): string {
  if (typeof after === 'string') return after;
  throw new TypeError('`after` is the `next` of the page before');
}
