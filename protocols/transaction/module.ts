/**
 * What a module is: deterministic commands over tables of its own. Everything that a command may
 * depend on is in its context and its arguments; it does no I/O, reads no clock, draws no randomness
 * but the context's, and finishes at once. Every node runs it on the same inputs and must reach the
 * same rows, results and events.
 *
 * A command that returns `refuse(…)` or throws leaves no trace but its receipt: rows that it wrote
 * and events that it emitted are undone (I47).
 */
import type { Digest, Millis, PublicKey } from '../types.ts';
import type { Meter } from './meter.ts';
import type { Value } from './values.ts';

/** Rows by key, and by what its indexes say of them. A row that was read is not to be changed. */
export interface ReadTable<Row = Value, Index extends string = string> {
  get(key: string): Row | undefined;
  /**
   * The first rows of a range. There is no walk over all of a table: whatever a client may ask for
   * must not keep the node from its work.
   */
  page(range: Range): Page<Row>;
  /** The same in the order of an index: see IndexRange. Throws for an index that it does not have. */
  pageBy(index: Index, range: IndexRange): Page<Row>;
}

export interface Table<Row = Value, Index extends string = string> extends ReadTable<Row, Index> {
  /** Throws NotAValue when the row has no canonical form; the transaction then fails. */
  set(key: string, row: Row): void;
  delete(key: string): void;
}

/**
 * Keys that start with `prefix` and lie above `after`, in byte order; or below it, from the last one
 * down, when `reversed`.
 */
export interface Range {
  readonly prefix?: string;
  readonly after?: string | undefined;
  readonly reversed?: boolean;
  /** Rows wanted, from 1 on; a page may hold fewer and not be the last (I98). */
  readonly limit: number;
}

/**
 * Rows by what the index says of them, then by key: those of exactly `equals`, or of whatever starts
 * with `prefix`; all without either. `after` is the `next` of the page before.
 */
export interface IndexRange extends Range {
  readonly equals?: string;
}

export interface Page<Row> {
  readonly rows: readonly (readonly [key: string, row: Row])[];
  /** The `after` of the next page; null at the end of the range. */
  readonly next: string | null;
}

/**
 * What an index says of a row: one text, several, or none. Text without U+0000. Pure. The meter is there when
 * an index is built anew over all rows.
 */
export type IndexFunction<Row = Value> = (
  row: Row,
  key: string,
  meter?: Meter,
) => string | readonly string[] | null;

export interface TableShape {
  readonly name: string;
  readonly indexes: ReadonlyMap<string, IndexFunction>;
}

export type Tables = Readonly<Record<string, Table>>;
export type ReadTables = Readonly<Record<string, ReadTable>>;

export interface CommandContext {
  /** Time of the block in milliseconds: the only clock. */
  readonly time: Millis;
  readonly height: number;
  /**
   * `key:<64 hex>` for who signed, `principal:<name>` for whom node `via` vouches (E3), or
   * `module:<name>` when a module calls or its own timer runs.
   */
  readonly sender: string;
  /** Public key of the node that vouches for the sender; empty when nobody does. */
  readonly via: string;
  /** Those of this height, by index. */
  readonly validators: readonly PublicKey[];
  readonly tables: Tables;
  /**
   * 32 bytes, others with every call: a hash over the block, the submission and how many were drawn before.
   * Clients can neither know nor choose them. Whoever proposes the block can: it may compute them for several
   * times and cuts, and propose what suits it.
   */
  readonly random: () => Uint8Array;
  /**
   * BLAKE3-256 of the text `althing/v1/value` (its length first, u32) and the value's canonical bytes:
   * a name for content, which anybody can compute. Throws NotAValue.
   */
  readonly hash: (value: Value) => Digest;
  /** Adds an event to the receipt. */
  readonly emit: (name: string, data: Value) => void;
  /**
   * Has the module's own timer run in the first block whose time has reached `at`, or soon after
   * (I117). Returns its id. Throws CannotSchedule for more than SCHEDULED_MAX in one transaction.
   */
  readonly schedule: (at: Millis, timer: string, args: Value) => string;
  /** False when this module has no such timer waiting. */
  readonly cancel: (id: string) => boolean;
  /**
   * Runs a command of a module, as sender `module:<this module>`, or `module:<this module>/<as>`. It
   * succeeds, or leaves nothing behind and its refusal is returned (I118).
   */
  readonly call: (module: string, command: string, args: Value, as?: string) => Outcome;
  /** For commands that do more than their arguments say (I130). */
  readonly meter: Meter;
}

export interface QueryContext {
  readonly time: Millis;
  /** Executed height that the tables reflect. */
  readonly height: number;
  readonly tables: ReadTables;
  readonly meter: Meter;
}

/** What fills the tables for height 0, or brings them to the next version of their module. */
export interface TablesContext {
  /** Time of height 0, or of the block. */
  readonly time: Millis;
  readonly tables: Tables;
  readonly meter: Meter;
}

/** What a module of a user may not write: its transaction fails with this code. */
export class ModuleFailure extends Error {
  override readonly name = 'ModuleFailure';
  readonly code: string;

  /** The message stands in receipts: the same on every node. */
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The meter of the transaction is used up; it fails with `too_expensive`, alike on every node. */
export class OverBudget extends Error {
  override readonly name = 'OverBudget';
}

/** Why a command did nothing. Codes are lower_snake_case and part of the module's interface. */
export class ModuleRefusal {
  readonly code: string;
  readonly message: string;

  constructor(code: string, message: string) {
    this.code = code;
    this.message = message;
  }
}

export function refuse(code: string, message: string): ModuleRefusal {
  return new ModuleRefusal(code, message);
}

/** What `call` gave back, when it is a refusal. */
export function refusalOf(outcome: unknown): ModuleRefusal | null {
  return outcome instanceof ModuleRefusal ? outcome : null;
}

/** A result for the receipt, nothing, or a refusal. */
export type Outcome = Value | undefined | ModuleRefusal;

/** A command, or a timer: what a module lets run by itself later. */
export interface Command {
  readonly name: string;
  /** Whether the arguments fit the schema. Pure, and the same on every node. */
  check(args: Value): boolean;
  /** The steps of a check that no schema bounds; they are taken before it. Pure, too. */
  checkSteps?(args: Value): number;
  /** Called with arguments that `check` accepted. */
  run(context: CommandContext, args: Value): Outcome;
}

export interface Query {
  readonly name: string;
  check(args: Value): boolean;
  run(context: QueryContext, args: Value): Value | ModuleRefusal;
}

export interface Module {
  /** Lower case letters, digits and dashes; how transactions name it. */
  readonly name: string;
  /** Raised whenever the same inputs may give another outcome. */
  readonly version: number;
  /** BLAKE3 of its source; empty for a module that is part of this software. */
  readonly digest: Digest | '';
  /** No other module sees them. */
  readonly tables: readonly TableShape[];
  readonly commands: ReadonlyMap<string, Command>;
  readonly timers: ReadonlyMap<string, Command>;
  readonly queries: ReadonlyMap<string, Query>;
  /** Brings the rows that version `from`, which is older, left to this one. No indexes are there meanwhile. */
  migrate(context: TablesContext, from: number): void;
  /**
   * Fills the tables for height 0 from the genesis document's `modules.<name>`, undefined when it
   * has none. Throws an Error that names the field when the configuration is not valid.
   */
  genesis(context: TablesContext, config: unknown): void;
}

/** The modules that a cluster runs: the same on every node. */
export type ModuleSet = readonly Module[];
