/**
 * What modules have asked to run later, as rows of the state like any other: a checkpoint certifies
 * them, and a transaction that is rolled back has set no timer.
 *
 * I117. A timer runs once, in a block whose time has reached it, in the order of time, then of setting.
 *       At most TIMERS_PER_BLOCK run in a block; what is due beyond runs in the next ones.
 */
import type { Millis } from '../types.ts';
import { MemoryTable, type Journal } from './tables.ts';
import type { Value } from './values.ts';

export const TIMERS_PER_BLOCK = 2000;
/** Timers that one transaction may set. */
export const SCHEDULED_MAX = 64;

/** The module asked for what it may not: its transaction fails, as with anything it throws. */
export class CannotSchedule extends Error {
  override readonly name = 'CannotSchedule';
}

export type Timer = {
  readonly module: string;
  readonly timer: string;
  readonly args: Value;
};

export class Timers {
  readonly #table: MemoryTable;
  readonly #journal: Journal;
  /** Of the block that runs. */
  #height = 0;
  #set = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
    this.#table = new MemoryTable('$timers/due', journal);
  }

  startBlock(height: number): void {
    this.#height = height;
    this.#set = 0;
  }

  /** The id of the timer, which is its place in the order. */
  set(at: Millis, timer: Timer): string {
    if (!Number.isSafeInteger(at) || at < 0) {
      throw new CannotSchedule('a time is a count of milliseconds since 1970');
    }
    const id = `${hex(at, 14)}-${hex(this.#height, 14)}-${hex(this.#set++, 8)}`;
    this.#table.set(id, timer);
    return id;
  }

  /** False when `module` has no such timer waiting. */
  cancel(module: string, id: string): boolean {
    const timer = this.#table.get(id) as Timer | undefined;
    if (timer?.module !== module) return false;
    this.#table.delete(id);
    return true;
  }

  /** Takes the first timer that is due at block time `time`. It is gone, whatever becomes of it. */
  next(time: Millis): Timer | undefined {
    for (const { key, row } of this.#table.order.from('')) {
      if (key >= hex(time + 1, 14)) return undefined;
      this.#table.delete(key);
      this.#journal.commit();
      return row as Timer;
    }
    return undefined;
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
