/**
 * All that executing the chain has produced and that a checkpoint certifies: the rows of every
 * module, and what is remembered so that submissions execute once. One tree covers them.
 */
import type { Crypto } from '../crypto.ts';
import type { ConsensusLimits } from '../genesis.ts';
import type { Digest, Millis } from '../types.ts';
import type { Frozen } from './frozen.ts';
import { History } from './history.ts';
import { IdempotencyKeys, KEYS_TABLE } from './idempotency.ts';
import type { Module, ReadTables } from './module.ts';
import type { Place } from './places.ts';
import { PastTable } from './past-table.ts';
import type { View } from './queries.ts';
import { StateTree, type TreeEnd } from './state-tree.ts';
import type { Submission } from './submission-reader.ts';
import { Journal, MemoryTable } from './tables.ts';
import { Timers } from './timers.ts';
import { tableId } from './tree-encoding.ts';
import type { Value } from './values.ts';
import { CLIENTS_TABLE, ClientWindows, WINDOWS_TABLE } from './windows.ts';

export type SubmissionStanding =
  | { readonly kind: 'new' }
  | { readonly kind: 'executed'; readonly place: Place }
  | {
      readonly kind: 'refused';
      readonly code: 'seq_reused' | 'seq_too_old' | 'idempotency_key_reused';
    };

/** Rows of a table as they were (I136). */
export interface FrozenTable {
  readonly table: string;
  readonly rows: Pick<Frozen<never>, 'take'>;
}

type ModuleTables = Readonly<Record<string, MemoryTable>>;

export class State {
  readonly history = new History();
  readonly journal = new Journal(this.history);
  readonly windows = new ClientWindows();
  readonly keys: IdempotencyKeys;
  readonly timers = new Timers(this.journal);
  readonly #tables = new Map<string, ModuleTables>();
  readonly #tree: StateTree;

  /** Of a snapshot, until the modules that have them are known. */
  readonly #loaded = new Map<string, MemoryTable>();

  constructor(crypto: Crypto, limits: ConsensusLimits) {
    this.keys = new IdempotencyKeys(crypto, limits);
    this.#tree = new StateTree(crypto);
  }

  tablesOf(module: string): ModuleTables {
    return this.#tables.get(module) ?? {};
  }

  /**
   * All rows as they were at a height of the window (I109), which reaches back to the newest checkpoint
   * (I110): there, those that the state root covers.
   */
  viewAt(height: number): View {
    const tablesOf = (module: string): ReadTables => {
      const tables = Object.entries(this.tablesOf(module));
      return Object.fromEntries(
        tables.map(([name, table]) => [name, new PastTable(table, height)]),
      );
    };
    return { height, time: this.history.timeOf(height), tablesOf };
  }

  /** What is remembered of a submission; `id` is the 32 bytes of its id. */
  standing(submission: Submission, id: Uint8Array): SubmissionStanding {
    return submission.kind === 'client'
      ? this.windows.standing(submission.key, submission.seq, id)
      : this.keys.standing(submission);
  }

  /**
   * Forgets what ended before block time `time` (I44, I46), of each kind the next, and more up to a cost
   * of `max`; the cost, of which a page is about 1.
   */
  expire(time: Millis, max: number): number {
    return this.windows.expire(time, max) + this.keys.expire(time, max);
  }

  /** Rows of all tables at the last checkpoint, those of `windows` and `keys` among them. */
  get rows(): number {
    return this.#tree.leaves;
  }

  /** No row differs from the last checkpoint. */
  get isCheckpoint(): boolean {
    return this.journal.changed.length === 0;
  }

  /** Where the way to a row ends in the tree of the last checkpoint. */
  find(path: Uint8Array): TreeEnd {
    return this.#tree.find(path);
  }

  /** The state root over everything written so far. */
  checkpoint(): Digest {
    const tree = this.#tree;
    for (const entry of this.journal.changed) {
      if (entry.row === undefined) {
        if (entry.leaf !== 0) tree.remove(entry.leaf);
        entry.leaf = 0;
        continue;
      }
      entry.leaf ||= tree.create(entry.table.id, entry.key);
      tree.row().value(entry.row);
      tree.put(entry.leaf);
    }
    this.journal.forgetChanges();
    this.windows.flush(tree);
    this.keys.flush(tree);
    return tree.update();
  }

  /**
   * What the rows of all tables are now, to be read while they change on. No row must differ from the last
   * checkpoint. `thaw` ends it.
   */
  freeze(): FrozenTable[] {
    const sets = [...this.windows.leafSets, this.keys.leafSet];
    return [
      ...sets.map((set) => ({ table: set.table, rows: set.freeze() })),
      ...this.#memoryTables().map((table) => ({ table: table.id, rows: table.freeze() })),
    ];
  }

  thaw(): void {
    for (const set of [...this.windows.leafSets, this.keys.leafSet]) set.thaw();
    for (const table of this.#memoryTables()) table.thaw();
  }

  #memoryTables(): MemoryTable[] {
    return [this.timers.table, ...[...this.#tables.values()].flatMap(Object.values)];
  }

  /**
   * Puts a row of a snapshot where it was; all come in the order of their tables, then of their keys. False when no
   * snapshot has such a row; which rows there are is the state root's to say.
   */
  load(table: string, key: string, row: Value): boolean {
    switch (table) {
      case CLIENTS_TABLE:
        return this.windows.loadClient(key, row);
      case WINDOWS_TABLE:
        return this.windows.loadPage(key, row);
      case KEYS_TABLE:
        return this.keys.load(key, row);
      case this.timers.table.id:
        this.timers.table.set(key, row);
        break;
      default:
        this.#tableToLoad(table).set(key, row);
    }
    this.journal.commit();
    return true;
  }

  /** All rows are there: the state root over them, as of a checkpoint at `height`, whose block time it was. */
  endLoading(height: number, time: Millis): Digest {
    this.windows.endLoading();
    this.history.startAt(height, time);
    return this.checkpoint();
  }

  /** Of a snapshot, whatever module is to have it. */
  loadedTable(id: string): MemoryTable | undefined {
    return this.#loaded.get(id);
  }

  /** Tables that no module in force has any more stay, as they do where a version drops them. */
  keepLoaded(): void {
    for (const [id, table] of this.#loaded) {
      const [module = '', name = ''] = id.split('/');
      const tables = this.tablesOf(module);
      if (!Object.hasOwn(tables, name)) this.#tables.set(module, { ...tables, [name]: table });
    }
    this.#loaded.clear();
  }

  #tableToLoad(id: string): MemoryTable {
    let table = this.#loaded.get(id);
    if (table === undefined) this.#loaded.set(id, (table = new MemoryTable(id, this.journal)));
    return table;
  }

  /** Tables that the module has already keep their rows and their indexes. */
  addTables({ name: module, tables: shapes }: Module): ModuleTables {
    const before = this.#tables.get(module) ?? {};
    const tables: Record<string, MemoryTable> = { ...before };
    for (const { name, indexes } of shapes) {
      const id = tableId(module, name);
      tables[name] ??= this.#loaded.get(id) ?? new MemoryTable(id, this.journal, indexes);
    }
    this.#tables.set(module, tables);
    return tables;
  }
}
