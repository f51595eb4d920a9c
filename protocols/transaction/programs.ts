/**
 * Which modules run. The genesis names those of height 1, by their digests, and an upgrade that is
 * committed, as a row of the module `programs`, names one that takes over at its height.
 *
 * I120. Which version of a module executes a block follows from the chain alone. A node that does not have
 *       it stops before that block, and says which it needs; it never runs another one instead.
 * I121. An upgrade whose migration fails changes nothing: the version before stays, and its row says why. So
 *       does one that is not newer than what runs, and one with more rows to bring along, or to index
 *       anew, than a thousand transactions may take steps.
 * I134. What takes over with a block is what the state before it names: an upgrade whose row is gone by
 *       then takes place nowhere, and no node needs its module, also when it executes the chain anew.
 */
import { isSameProgram, programOf, type Genesis, type Program } from '../genesis.ts';
import { InvariantViolation } from '../machine.ts';
import type { MissingProgram } from '../status.ts';
import type { Digest, Millis } from '../types.ts';
import { orderedHex } from './key-order.ts';
import { endlessMeter, fillingMeter } from './meter.ts';
import { OverBudget, type Module, type ModuleSet } from './module.ts';
import type { State } from './state.ts';
import { tableId } from './tree-encoding.ts';
import type { Value } from './values.ts';

/** The module in whose table `upgrades` the committed ones stand. */
export const PROGRAMS_MODULE = 'programs';
export const UPGRADES_TABLE = 'upgrades';

export type Upgrade = {
  readonly name: string;
  readonly version: number;
  readonly digest: Digest | '';
  /** What came of it; `waiting` before its height. */
  readonly outcome: 'waiting' | 'active' | 'failed';
  /** Why it failed. */
  readonly reason?: FailedBecause;
};

export const FAILURES = ['not_newer', 'too_expensive', 'migration_failed', 'index_failed'] as const;
export type FailedBecause = (typeof FAILURES)[number];

/** The key of the upgrade at a height: ascending as heights do. */
export function upgradeKey(height: number): string {
  return orderedHex(height);
}

export function upgradeHeight(key: string): number {
  return Number.parseInt(key, 16);
}

/** Committed upgrades that a node looks ahead to. */
const AHEAD_MAX = 16;

export class Programs {
  readonly #available: ModuleSet;
  readonly #state: State;
  readonly #genesis: Genesis;
  readonly #inForce = new Map<string, Module>();
  /** Heights of the last upgrades, also of those that failed. */
  readonly #since = new Map<string, number>();

  /**
   * Those of the genesis or, where the rows are those of a snapshot at `height`, those in force there.
   * Throws InvariantViolation `program_missing`.
   */
  constructor(genesis: Genesis, available: ModuleSet, state: State, height = 0) {
    this.#available = available;
    this.#state = state;
    this.#genesis = genesis;
    if (height === 0) this.#begin(genesis.programs ?? available);
    else this.#resume(genesis.programs ?? available, height);
  }

  #begin(first: readonly Program[]): void {
    for (const module of first.map((program) => this.#find(program, 1))) {
      if (this.#inForce.has(module.name)) {
        throw new InvariantViolation('module_twice', `two modules are named ${module.name}`);
      }
      this.#inForce.set(module.name, module);
      this.#state.addTables(module);
    }
  }

  #resume(first: readonly Program[], height: number): void {
    const programs = new Map(first.map((program) => [program.name, program]));
    for (const [key, upgrade] of this.#upgrades()) {
      const since = upgradeHeight(key);
      if (since > height) break;
      this.#since.set(upgrade.name, since);
      if (upgrade.outcome === 'active') programs.set(upgrade.name, upgrade);
    }
    for (const program of programs.values()) {
      const module = this.#find(program, height + 1);
      this.#inForce.set(module.name, module);
      const tables = this.#state.addTables(module);
      for (const { name, indexes } of module.tables) {
        tables[name]!.buildIndexes(indexes, endlessMeter())();
      }
    }
    this.#state.keepLoaded();
  }

  *#upgrades(): Iterable<readonly [string, Upgrade]> {
    const table = this.#state.loadedTable(tableId(PROGRAMS_MODULE, UPGRADES_TABLE));
    for (const { key, row } of table?.order.from('') ?? []) yield [key, row as Upgrade];
  }

  /** In the order of the genesis, then of the upgrades that brought them. */
  get inForce(): ModuleSet {
    return [...this.#inForce.values()];
  }

  named(name: string): Module | undefined {
    return this.#inForce.get(name);
  }

  /** The first height whose rows this module's version can read, by the indexes that its tables have now. */
  readableFrom(name: string): number {
    return this.#since.get(name) ?? 0;
  }

  /** The module that takes over with the block of this height, brought up to date; null mostly. */
  upgrade(height: number, time: Millis): Module | null {
    const table = this.#state.tablesOf(PROGRAMS_MODULE)[UPGRADES_TABLE];
    const key = upgradeKey(height);
    const upgrade = table?.get(key) as Upgrade | undefined;
    if (table === undefined || upgrade === undefined) return null;
    const module = this.#find(upgrade, height);
    this.#since.set(module.name, height);
    const reason = this.#bring(module, time);
    const came = reason === null ? { outcome: 'active' } : { outcome: 'failed', reason };
    table.set(key, { ...upgrade, ...came } as unknown as Value);
    this.#state.journal.commit();
    if (reason !== null) return null;
    this.#inForce.set(module.name, module);
    return module;
  }

  /**
   * Of the next AHEAD_MAX upgrades above `height` those whose modules this node lacks, the nearest first:
   * it stops before the first, unless it is given the module, or the upgrade is withdrawn.
   */
  missingAbove(height: number): readonly MissingProgram[] {
    const table = this.#state.tablesOf(PROGRAMS_MODULE)[UPGRADES_TABLE];
    if (table === undefined) return [];
    const { rows } = table.page({ after: upgradeKey(height), limit: AHEAD_MAX });
    return rows.flatMap(([key, row]) => {
      const upgrade = row as Upgrade;
      const isHere = this.#available.some((module) => isSameProgram(module, upgrade));
      return isHere ? [] : [{ height: upgradeHeight(key), ...programOf(upgrade) }];
    });
  }

  /** Why its tables could not be filled, or brought to its version; null when they were. */
  #bring(module: Module, time: Millis): FailedBecause | null {
    const before = this.#inForce.get(module.name);
    if (before !== undefined && module.version <= before.version) return 'not_newer';
    const tables = this.#state.addTables(module);
    const context = { time, tables, meter: fillingMeter(this.#genesis.limits) };
    const indexed = Object.values(tables).map((table) => [table, table.unindex()] as const);
    let failure: FailedBecause = 'migration_failed';
    try {
      // The functions of neither version's indexes know the rows of both.
      if (before !== undefined) module.migrate(context, before.version);
      failure = 'index_failed';
      const installs = module.tables.map(({ name, indexes }) =>
        tables[name]!.buildIndexes(indexes, context.meter),
      );
      for (const install of installs) install();
      failure = 'migration_failed';
      if (before === undefined) module.genesis(context, undefined);
      return null;
    } catch (error) {
      if (error instanceof InvariantViolation) throw error;
      this.#state.journal.rollback();
      for (const [table, indexes] of indexed) table.reindex(indexes);
      return error instanceof OverBudget ? 'too_expensive' : failure;
    }
  }

  #find(program: Program, height: number): Module {
    const found = this.#available.find((module) => isSameProgram(module, program));
    if (found !== undefined) return found;
    const { name, version, digest } = program;
    const where = digest === '' ? 'in this software' : `with digest ${digest}`;
    throw new InvariantViolation(
      'program_missing',
      `from height ${height} on the cluster runs version ${version} of module ${name} ${where}, ` +
        'which this node does not have: name its file with --modules, or run a release that has it',
    );
  }
}
