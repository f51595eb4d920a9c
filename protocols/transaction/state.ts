/**
 * All that executing the chain has produced and that a checkpoint certifies: the rows of every
 * module, and what is remembered so that submissions execute once. One tree covers them.
 */
import type { Crypto } from '../crypto.ts';
import type { ConsensusLimits } from '../genesis.ts';
import type { Digest, Millis } from '../types.ts';
import { History } from './history.ts';
import { IdempotencyKeys } from './idempotency.ts';
import type { Module, ReadTables } from './module.ts';
import type { Place } from './places.ts';
import { PastTable } from './past-table.ts';
import type { View } from './queries.ts';
import { StateTree, type TreeEnd } from './state-tree.ts';
import type { Submission } from './submission-reader.ts';
import { Journal, MemoryTable } from './tables.ts';
import { Timers } from './timers.ts';
import { ClientWindows, removeLeaf } from './windows.ts';

export type SubmissionStanding =
  | { readonly kind: 'new' }
  | { readonly kind: 'executed'; readonly place: Place }
  | {
      readonly kind: 'refused';
      readonly code: 'seq_reused' | 'seq_too_old' | 'idempotency_key_reused';
    };

type ModuleTables = Readonly<Record<string, MemoryTable>>;

export class State {
  readonly history = new History();
  readonly journal = new Journal(this.history);
  readonly windows = new ClientWindows();
  readonly keys: IdempotencyKeys;
  readonly timers = new Timers(this.journal);
  readonly #tables = new Map<string, ModuleTables>();
  readonly #tree: StateTree;

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
        entry.leaf = removeLeaf(tree, entry.leaf);
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

  /** Tables that the module has already keep their rows and their indexes. */
  addTables({ name: module, tables: shapes }: Module): ModuleTables {
    const before = this.#tables.get(module) ?? {};
    const tables: Record<string, MemoryTable> = { ...before };
    for (const { name, indexes } of shapes) {
      tables[name] ??= new MemoryTable(`${module}/${name}`, this.journal, indexes);
    }
    this.#tables.set(module, tables);
    return tables;
  }
}
