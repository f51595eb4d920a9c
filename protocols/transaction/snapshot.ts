/**
 * The executed state at a checkpoint, as bytes: what a node starts from instead of executing the whole
 * chain.
 *
 *   snapshot = parts, one after the other        part = rows, until PART_BYTES are reached
 *   row      = 0x01 ‖ u32 length, table          the rows that follow are of this table
 *            | 0x00 ‖ u32 length, key ‖ u32 length, canonical row
 *
 * The rows are those that the state root covers and, as table `$heights`, what is in memory of the tree
 * over all blocks, by level: in the order of their tables, then of their keys.
 *
 * I137. A snapshot depends on the chain up to its height alone: every node makes the same bytes of it,
 *       whatever it executes meanwhile and however it slices the work.
 * I138. What is loaded is what the checkpoint certifies, or nothing: its state root and its receipts root
 *       are computed anew from what was read. An executor that starts from it executes what comes as one
 *       does that has executed everything.
 */
import { CanonicalReader, Malformed, refuse } from '../canonical-reader.ts';
import { Writer } from '../bytes.ts';
import { struct, u53, type Schema } from '../codec.ts';
import type { Crypto } from '../crypto.ts';
import type { ConsensusLimits } from '../genesis.ts';
import { digest, executed, tips } from '../structures.ts';
import type { Digest, Executed, Millis, Tip } from '../types.ts';
import { HeightTree } from './height-tree.ts';
import { State, type FrozenTable } from './state.ts';
import { readText } from './text-reader.ts';
import { decodeValue } from './value-reader.ts';
import { compareText, writeValue, type Value } from './values.ts';

/** A part ends with the row with which it has so many. */
export const PART_BYTES = 256 * 1024;
const HEIGHTS_TABLE = '$heights';
const ROW = 0;
const TABLE = 1;

/** What a snapshot says besides its rows. */
export interface SnapshotHead {
  readonly clusterId: Digest;
  readonly executed: Executed;
  /** Block time of its height. */
  readonly time: Millis;
  /** What the block at its height orders the lanes up to. */
  readonly cut: readonly Tip[];
  /** Transactions up to it. */
  readonly transactions: number;
  /** Blocks up to it with receipts: events of the stream `transaction`. */
  readonly busyBlocks: number;
}

export const snapshotHead: Schema<SnapshotHead> = struct({
  clusterId: digest,
  executed,
  time: u53,
  cut: tips,
  transactions: u53,
  busyBlocks: u53,
});

/** Makes the parts of a snapshot of a state that stands at a checkpoint, while it changes on. */
export class SnapshotWriter {
  readonly #state: State;
  readonly #partBytes: number;
  readonly #writer: Writer;
  readonly #row = new Writer(4096);
  /** Those that are not written to the end yet. */
  readonly #tables: FrozenTable[];
  #table = '';
  #isOpen = true;

  constructor(state: State, heights: HeightTree, partBytes = PART_BYTES) {
    this.#state = state;
    this.#partBytes = partBytes;
    this.#writer = new Writer(2 * partBytes);
    this.#tables = [...state.freeze(), heightsTable(heights)];
    this.#tables.sort((a, b) => compareText(a.table, b.table));
  }

  /** The last part was given, or nobody wants it: the state is not watched any more. */
  end(): void {
    this.#isOpen = false;
    this.#state.thaw();
  }

  /** The last part was given. */
  get isDone(): boolean {
    return !this.#isOpen;
  }

  /** Goes through the next rows, `max` at most; a part when one is full or the last, else null. */
  next(max: number): Uint8Array | null {
    let left = max;
    const write = (key: string, row: Value): boolean => {
      left--;
      this.#write(this.#tables[0]!.table, key, row);
      return !this.#isFull;
    };
    while (this.#tables[0]?.rows.take(this.#isFull ? 0 : left, write) === true) {
      this.#tables.shift();
    }
    if (this.#tables.length === 0) this.end();
    return this.#isFull || !this.#isOpen ? this.#part() : null;
  }

  get #isFull(): boolean {
    return this.#writer.length >= this.#partBytes;
  }

  #part(): Uint8Array {
    // A part can be read without the one before.
    this.#table = '';
    const part = this.#writer.take();
    this.#writer.reset();
    return part;
  }

  #write(table: string, key: string, row: Value): void {
    const writer = this.#writer;
    if (table !== this.#table) writer.u8(TABLE).text(table);
    this.#table = table;
    this.#row.reset();
    writeValue(this.#row, row);
    writer.u8(ROW).text(key).bytes(this.#row.view());
  }
}

/** The few hashes in memory are copied at once. */
function heightsTable(heights: HeightTree): FrozenTable {
  const levels = [...heights.memory().entries()];
  const take: FrozenTable['rows']['take'] = (max, each) => {
    for (let left = max; left > 0; left--) {
      const next = levels.shift();
      if (next === undefined) return true;
      if (!each(String(next[0]), next[1])) return false;
    }
    return levels.length === 0;
  };
  return { table: HEIGHTS_TABLE, rows: { take } };
}

/** What a snapshot says, once it is shown to be what its checkpoint certifies. */
export interface LoadedSnapshot {
  readonly head: SnapshotHead;
  readonly state: State;
  readonly heights: HeightTree;
}

/** Makes a state again from the parts of a snapshot, in their order. */
export class SnapshotLoader {
  readonly #crypto: Crypto;
  readonly #state: State;
  readonly #heights: Uint8Array[] = [];
  /** Of the last row. */
  #table = '';
  #key = '';

  constructor(crypto: Crypto, limits: ConsensusLimits) {
    this.#crypto = crypto;
    this.#state = new State(crypto, limits);
  }

  /** False when it is none, or cannot come here. */
  add(part: Uint8Array): boolean {
    try {
      return this.#read(new CanonicalReader(part));
    } catch (error) {
      if (error instanceof Malformed) return false;
      throw error;
    }
  }

  /** Null when that is not what the checkpoint certifies. */
  finish(head: SnapshotHead): LoadedSnapshot | null {
    const { height, stateRoot, receiptsRoot } = head.executed;
    const heights = HeightTree.of(this.#crypto, height, this.#heights);
    if (heights?.digest() !== receiptsRoot) return null;
    if (this.#state.endLoading(height, head.time) !== stateRoot) return null;
    return { head, state: this.#state, heights };
  }

  #read(reader: CanonicalReader): boolean {
    for (let table = ''; reader.left > 0;) {
      const tag = reader.u8('tag');
      if (tag === TABLE) {
        table = textOf(reader);
        continue;
      }
      if (tag !== ROW) return false;
      const key = textOf(reader);
      const bytes = reader.raw(reader.u32('row'), 'row');
      const row = decodeValue(bytes, 0, bytes.length);
      if (row === undefined || !this.#load(table, key, row)) return false;
    }
    return true;
  }

  #load(table: string, key: string, row: Value): boolean {
    const order = compareText(table, this.#table) || compareText(key, this.#key);
    if (order <= 0) return false;
    this.#table = table;
    this.#key = key;
    if (table !== HEIGHTS_TABLE) return this.#state.load(table, key, row);
    if (key !== String(this.#heights.length) || !(row instanceof Uint8Array)) return false;
    this.#heights.push(row);
    return true;
  }
}

function textOf(reader: CanonicalReader): string {
  const bytes = reader.raw(reader.u32('text'), 'text');
  return readText(bytes, 0, bytes.length) ?? refuse('text', 'UTF-8');
}
