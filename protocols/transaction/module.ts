/**
 * What a module is: deterministic commands over tables of its own. Everything that a command may
 * depend on is in its context and its arguments; it does no I/O, reads no clock, draws no randomness
 * but the context's, and finishes at once. Every node runs it on the same inputs and must reach the
 * same rows, results and events.
 *
 * A command that returns `refuse(…)` or throws leaves no trace but its receipt: rows that it wrote
 * and events that it emitted are undone (I47).
 */
import type { Millis } from '../types.ts';
import type { Value } from './values.ts';

/** Rows by key. A row is immutable: write a new one instead of changing one that was read. */
export interface Table<Row extends Value = Value> {
  get(key: string): Row | undefined;
  /** Throws NotAValue when the row has no canonical form; the transaction then fails. */
  set(key: string, row: Row): void;
  delete(key: string): void;
}

export interface ReadTable<Row extends Value = Value> {
  get(key: string): Row | undefined;
  /**
   * The first rows of a range. There is no walk over all of a table: a query runs between two
   * transactions, and what a client may ask for must not keep the node from its work.
   */
  page(range: Range): Page<Row>;
}

/** Keys that start with `prefix` and lie above `after`, in byte order. */
export interface Range {
  readonly prefix?: string;
  readonly after?: string | undefined;
  /** Rows wanted, from 1 on; a page may hold fewer and not be the last (I98). */
  readonly limit: number;
}

export interface Page<Row> {
  readonly rows: readonly (readonly [key: string, row: Row])[];
  /** The `after` of the next page; null at the end of the range. */
  readonly next: string | null;
}

export type Rows = Readonly<Record<string, Value>>;
export type TablesOf<R> = { readonly [K in keyof R]: Table<R[K] & Value> };
export type ReadTablesOf<R> = { readonly [K in keyof R]: ReadTable<R[K] & Value> };

export interface CommandContext<R = Rows> {
  /** Time of the block in milliseconds: the only clock. */
  readonly time: Millis;
  readonly height: number;
  /** `key:<64 hex>` for who signed, or `principal:<name>` for whom node `via` vouches (E3). */
  readonly sender: string;
  /** Public key of the node that vouches for the sender; empty when the sender signed. */
  readonly via: string;
  readonly tables: TablesOf<R>;
  /** 32 bytes that nobody could choose before the block was final; others with every call. */
  random(): Uint8Array;
  /** Adds an event to the receipt. */
  emit(name: string, data: Value): void;
}

export interface QueryContext<R = Rows> {
  readonly time: Millis;
  /** Executed height that the tables reflect. */
  readonly height: number;
  readonly tables: ReadTablesOf<R>;
}

export interface GenesisContext<R = Rows> {
  /** Time of height 0. */
  readonly time: Millis;
  readonly tables: TablesOf<R>;
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

/** A result for the receipt, nothing, or a refusal. */
export type Outcome = Value | undefined | ModuleRefusal;

export interface Command {
  readonly name: string;
  /** Whether the arguments fit the schema. Pure, and the same on every node. */
  check(args: Value): boolean;
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
  /** Names of its tables; no other module sees them. */
  readonly tables: readonly string[];
  readonly commands: ReadonlyMap<string, Command>;
  readonly queries: ReadonlyMap<string, Query>;
  /**
   * Fills the tables for height 0 from the genesis document's `modules.<name>`, undefined when it
   * has none. Throws an Error that names the field when the configuration is not valid.
   */
  genesis(context: GenesisContext, config: unknown): void;
}

/** The modules that a cluster runs: the same on every node. */
export type ModuleSet = readonly Module[];
