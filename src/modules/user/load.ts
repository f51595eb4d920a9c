/**
 * A module of a user, from its file: declared as those of this software are, and run in a sandbox. Every
 * handler of it runs within the steps of its transaction, query or migration.
 *
 * U12. The same file is the same module: its digest is that of its text, and nothing else of the node
 *      bears on what it does.
 * U15. To see whether arguments fit is paid for before they are looked at, and whatever is seen.
 * U16. An index says at most INDEX_TEXTS_MAX texts of a row, each of which costs what a row does.
 */
import type { TSchema } from '@sinclair/typebox';
import type {
  Command,
  Module,
  Outcome,
  Query,
  TableShape,
} from '../../../protocols/transaction/module.ts';
import { ModuleFailure, ModuleRefusal, OverBudget } from '../../../protocols/transaction/module.ts';
import { Meter, STEPS_MAX } from '../../../protocols/transaction/meter.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import type { DefinedModule } from '../define.ts';
import { loadModuleSource, SourceError, type Budget, type LoadedModule } from '../sandbox/load.ts';
import { Passage, BoundedChecker } from './checks.ts';
import { CALL_STEPS, sizeOf, toldSteps, WRITE_STEPS, writeSteps } from './costs.ts';
import { moduleImports } from './imports.ts';
import { Ports } from './ports.ts';

/** A file of a module, as it was read once for all threads of a node. */
export interface ModuleFile {
  /** For messages. */
  readonly file: string;
  readonly text: string;
}

/** Why a file is no module; the message begins with the file, mostly with line and column. */
export class ModuleFileError extends Error {
  override readonly name = 'ModuleFileError';
}

/** What an index may say of one row. */
const INDEX_TEXTS_MAX = 64;
const INDEX_TEXT_MAX = 1024;

/** What a handler threw, in words that may differ between nodes: for people who write it. */
export type OnFault = (place: string, reason: string) => void;

/** Throws ModuleFileError. */
export function loadUserModule({ file, text }: ModuleFile, onFault?: OnFault): DefinedModule {
  const loaded = load(file, text);
  const module = loaded.exports['default'];
  if (!isModule(module)) {
    throw new ModuleFileError(
      `${file}: a module ends with \`export default defineModule({ … })\`, of althing/module`,
    );
  }
  return new UserModule(loaded, module, onFault).module();
}

function load(file: string, text: string): LoadedModule {
  try {
    return loadModuleSource(file, text, moduleImports);
  } catch (error) {
    if (error instanceof SourceError) throw new ModuleFileError(error.message);
    const reason = error instanceof Error ? error.message : String(error);
    throw new ModuleFileError(`${file}: ${reason}`);
  }
}

function isModule(value: unknown): value is DefinedModule {
  return typeof value === 'object' && value !== null && 'commandDefinitions' in value;
}

interface Definition {
  readonly schema: TSchema;
  readonly result?: TSchema | null;
}

class UserModule {
  readonly #loaded: LoadedModule;
  readonly #declared: DefinedModule;
  readonly #ports: Ports;
  readonly #onFault: OnFault | undefined;

  constructor(loaded: LoadedModule, declared: DefinedModule, onFault: OnFault | undefined) {
    this.#loaded = loaded;
    this.#declared = declared;
    this.#onFault = onFault;
    this.#ports = new Ports(loaded, declared);
  }

  module(): DefinedModule {
    const { tables, commandDefinitions, timerDefinitions, queryDefinitions } = this.#declared;
    return {
      ...this.#declared,
      digest: this.#loaded.digest,
      tables: tables.map((shape) => this.#indexed(shape)),
      commands: this.#commands(this.#declared.commands, commandDefinitions),
      timers: this.#commands(this.#declared.timers, timerDefinitions),
      queries: mapped(this.#declared.queries, (query) => {
        const definition = queryDefinitions[query.name]!;
        const checker = new BoundedChecker(definition.schema);
        const guard = this.#guard(query.name, definition);
        const run: Query['run'] = (context, args) =>
          this.#run(query.name, context.meter, () =>
            this.#ports.query(context, (given) => {
              this.#loaded.charge(checker.stepsOf(args));
              return guard(() => query.run(given, args)) as Value;
            }),
          );
        return { ...query, run };
      }),
      genesis: this.#genesis,
      migrate: this.#migrate,
    };
  }

  #commands(
    commands: ReadonlyMap<string, Command>,
    definitions: Readonly<Record<string, Definition>>,
  ): ReadonlyMap<string, Command> {
    return mapped(commands, (command) => {
      const definition = definitions[command.name]!;
      const checker = new BoundedChecker(definition.schema);
      const guard = this.#guard(command.name, definition);
      const run: Command['run'] = (context, args) =>
        this.#run(command.name, context.meter, () =>
          this.#ports.command(context, (given) => guard(() => command.run(given, args))),
        );
      const checkSteps = (args: Value): number => checker.stepsOf(args);
      const check = (args: Value): boolean => checker.fits(args);
      return { ...command, checkSteps, check, run };
    });
  }

  /** Counts the call, and the result, which is to fit. */
  #guard(name: string, { result }: Definition) {
    const charge = (steps: number): void => this.#loaded.charge(steps);
    const what = `the result of ${this.#declared.name}.${name}`;
    const passage = result ? new Passage(result, 'invalid_result', what, toldSteps) : null;
    return (run: () => Outcome): Outcome => {
      charge(CALL_STEPS);
      const outcome = run();
      if (outcome instanceof ModuleRefusal) return outcome;
      if (passage !== null) passage.pass(outcome, charge);
      else if (outcome !== undefined) {
        throw new ModuleFailure('invalid_result', `${what} is not declared`);
      }
      return outcome;
    };
  }

  readonly #genesis: Module['genesis'] = (context, config) => {
    this.#run('genesis', context.meter, () =>
      this.#ports.filling(context, (given) => this.#declared.genesis(given, config)),
    );
  };

  readonly #migrate: Module['migrate'] = (context, from) => {
    this.#run('migrations', context.meter, () =>
      this.#ports.filling(context, (given) => this.#declared.migrate(given, from)),
    );
  };

  /** While a handler runs they take of its steps; when an index is built anew, of those of the upgrade. */
  #indexed({ name, indexes }: TableShape): TableShape {
    const functions = [...indexes].map(([index, say]) => {
      const place = `${name}.${index}`;
      return [
        index,
        (row: Value, key: string, meter = meterOf(STEPS_MAX)) => {
          const told = (): ReturnType<typeof say> => this.#placed(place, say(row, key));
          return this.#loaded.isRunning ? told() : this.#run(place, meter, told);
        },
      ] as const;
    });
    return { name, indexes: new Map(functions) };
  }

  /** Each text of an index is written down with the row's key, and kept in order: as a row is. */
  #placed<T>(place: string, said: T): T {
    const texts: readonly unknown[] = Array.isArray(said) ? said : [said];
    const long = texts.some((text) => typeof text === 'string' && text.length > INDEX_TEXT_MAX);
    if (long || texts.length > INDEX_TEXTS_MAX) {
      const most = `at most ${INDEX_TEXTS_MAX} texts of at most ${INDEX_TEXT_MAX} characters`;
      const name = `${this.#declared.name}.${place}`;
      throw new ModuleFailure('invalid_row', `the index ${name} says ${most} of a row`);
    }
    for (const text of texts) {
      if (typeof text !== 'string') continue;
      this.#loaded.charge(WRITE_STEPS + writeSteps(sizeOf(text)));
    }
    return said;
  }

  #run<T>(place: string, meter: Budget, work: () => T): T {
    try {
      const ran = this.#loaded.runIn(meter, work);
      if (ran.kind === 'done') return ran.value;
      if (ran.kind === 'stopped') throw new OverBudget();
      throw ran.fault;
    } catch (error) {
      if (!(error instanceof OverBudget)) this.#tell(place, error);
      throw error;
    }
  }

  #tell(place: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#onFault?.(`${this.#declared.name}.${place}`, reason);
  }
}

function meterOf(steps: number): Meter {
  const meter = new Meter();
  meter.left = steps;
  return meter;
}

function mapped<T>(map: ReadonlyMap<string, T>, change: (value: T) => T): ReadonlyMap<string, T> {
  return new Map([...map].map(([name, value]) => [name, change(value)]));
}
