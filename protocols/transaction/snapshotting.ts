/**
 * When snapshots of the executed state are made, and how: a part of the rows in each turn, between which
 * blocks are executed, and one part at a time on its way to the disk.
 *
 * I140. At which heights depends on the chain alone, as long as making one ends before the next is due: at
 *       the first checkpoint up to which as much was executed since the last one as making one costs, and
 *       no less than `workMin`. So they cost no more than a part of what execution does, and a restart
 *       executes no more than twice that much anew.
 * I141. The last part of a snapshot is kept when a final block certifies its checkpoint, not before: what
 *       recovery finds is never ahead of what the chain certifies.
 */
import { EXECUTED_NOTHING } from '../chain.ts';
import type { Effect } from '../messages.ts';
import type { Output } from '../machine.ts';
import type { Executed, Millis } from '../types.ts';
import { packStructure } from '../wire.ts';
import type { BlockResult } from './execution.ts';
import type { Executor } from './executor.ts';
import { snapshotHead, SnapshotWriter, type SnapshotHead } from './snapshot.ts';

export const SNAPSHOT_TIMER = 'transaction/snapshot';
/** Some ten megabytes of log, or a second or two of a restart. */
export const SNAPSHOT_WORK_MIN = 100_000;
/** What an empty block takes to be read and executed anew, in transactions. */
const BLOCK_WORK = 8;
/** Rows that are written in one turn: about a millisecond. */
const ROWS_PER_TURN = 1000;

type Out = Output<Effect>;

interface Making {
  readonly head: SnapshotHead;
  readonly writer: SnapshotWriter;
  /** Of the next part. */
  index: number;
  /** A final block certifies its checkpoint. */
  isCertified: boolean;
  /** It waits for that. */
  last: Uint8Array | null;
}

export class Snapshotting {
  readonly #executor: Executor;
  readonly #workMin: number;
  /** Where the last one was due, made or not. */
  #last: Pick<SnapshotHead, 'executed' | 'transactions'>;
  #making: Making | null = null;
  /** Height of the newest that is kept; 0 for none. */
  keptHeight: number;
  /** Why the last one was not. */
  problem: string | null = null;

  constructor(executor: Executor, start: SnapshotHead | null, workMin: number) {
    this.#executor = executor;
    this.#workMin = workMin;
    this.#last = start ?? { executed: EXECUTED_NOTHING, transactions: 0 };
    this.keptHeight = this.#last.executed.height;
  }

  /** A block was executed; `busyBlocks`: so many up to it have receipts. */
  blockDone({ block, checkpoint }: BlockResult, busyBlocks: number, now: Millis, out: Out): void {
    const making = this.#making;
    if (making !== null && block.executed.height >= making.head.executed.height) {
      making.isCertified = true;
      if (making.last !== null) this.#keep(making, making.last, out);
      making.last = null;
    }
    if (checkpoint === null || !this.#isDue(checkpoint)) return;
    const { state, heights, clusterId, time, transactions } = this.#executor;
    this.#last = { executed: checkpoint, transactions };
    if (making !== null) return;
    const counts = { transactions, busyBlocks };
    const head = { clusterId, executed: checkpoint, time, cut: block.cut, ...counts };
    const writer = new SnapshotWriter(state, heights);
    this.#making = { head, writer, index: 0, isCertified: false, last: null };
    this.#goOnSoon(now, out);
  }

  /** SNAPSHOT_TIMER went off. */
  goOn(now: Millis, out: Out): void {
    const making = this.#making;
    if (making === null || making.writer.isDone) return;
    const part = making.writer.next(ROWS_PER_TURN);
    if (part === null) return this.#goOnSoon(now, out);
    if (making.writer.isDone && !making.isCertified) making.last = part;
    else this.#keep(making, part, out);
  }

  /** The part that was on its way is kept, or the snapshot is not. */
  kept(error: string | null, now: Millis, out: Out): void {
    const making = this.#making;
    if (making === null) return;
    this.problem = error;
    if (error !== null) making.writer.end();
    else if (!making.writer.isDone) return this.#goOnSoon(now, out);
    else this.keptHeight = making.head.executed.height;
    this.#making = null;
  }

  #isDue({ height }: Executed): boolean {
    const { transactions, state } = this.#executor;
    const blocks = height - this.#last.executed.height;
    const work = transactions - this.#last.transactions + BLOCK_WORK * blocks;
    return work >= Math.max(this.#workMin, state.rows);
  }

  #keep(making: Making, part: Uint8Array, out: Out): void {
    const { head, writer } = making;
    const { height } = head.executed;
    const packed = writer.isDone ? packStructure(snapshotHead, head) : null;
    out.effects.push({ kind: 'keepSnapshot', height, index: making.index++, part, head: packed });
  }

  #goOnSoon(now: Millis, out: Out): void {
    out.immediate.push({ kind: 'setTimer', timer: SNAPSHOT_TIMER, at: now });
  }
}
