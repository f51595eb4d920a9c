/**
 * What modules have asked to run later, as rows of the state like any other: a checkpoint certifies
 * them, and a transaction that is rolled back has set no timer.
 *
 * I117. A timer runs once, in a block whose time has reached it; those of a module in the order of time,
 *       then of setting. At most TIMERS_PER_BLOCK run in a block; what is due beyond runs in the next ones.
 * I132. The next timer to run is always of the module whose timers have cost least in the block, and
 *       of those the one that is due first. So who has many timers set delays the module that sets
 *       them, and no other by more than its share of a block; and as what waited longest goes first, no
 *       module waits for ever (max-min fairness).
 */
import type { Millis } from '../types.ts';
import { orderedHex } from './key-order.ts';
import { MemoryTable, type Journal } from './tables.ts';
import type { Value } from './values.ts';

export const TIMERS_PER_BLOCK = 2000;
/** Timers that one transaction may set. */
export const SCHEDULED_MAX = 64;

/** The module asked for what it may not: its transaction fails, as with anything it throws. */
export class CannotSchedule extends Error {
  override readonly name = 'CannotSchedule';
}

/** A row, under the key `<module>/<id>`. */
type Waiting = {
  readonly timer: string;
  readonly args: Value;
};

export interface Timer extends Waiting {
  readonly module: string;
}

interface First {
  readonly module: string;
  readonly id: string;
  readonly waiting: Waiting;
}

export class Timers {
  readonly table: MemoryTable;
  readonly #journal: Journal;
  /** Of the block that runs. */
  #height = 0;
  #set = 0;
  /** By module: what its timers have cost in it. */
  readonly #costs = new Map<string, number>();

  constructor(journal: Journal) {
    this.#journal = journal;
    this.table = new MemoryTable('$timers/due', journal);
  }

  startBlock(height: number): void {
    this.#height = height;
    this.#set = 0;
    this.#costs.clear();
  }

  /** The id of the timer, which is its place in the order of its module. */
  set(at: Millis, { module, ...waiting }: Timer): string {
    if (!Number.isSafeInteger(at) || at < 0) {
      throw new CannotSchedule('a time is a count of milliseconds since 1970');
    }
    const id = `${orderedHex(at)}-${orderedHex(this.#height)}-${orderedHex(this.#set++, 8)}`;
    this.table.set(`${module}/${id}`, waiting);
    return id;
  }

  /** False when `module` has no such timer waiting. */
  cancel(module: string, id: string): boolean {
    const key = `${module}/${id}`;
    if (this.table.get(key) === undefined) return false;
    this.table.delete(key);
    return true;
  }

  /** A timer of `module` has run, at this cost. */
  ran(module: string, cost: number): void {
    this.#costs.set(module, this.#costOf(module) + cost);
  }

  /** Takes the next timer that is due at block time `time`. It is gone, whatever becomes of it. */
  next(time: Millis): Timer | undefined {
    const notYet = orderedHex(time + 1);
    let next: First | undefined;
    for (const first of this.#firsts()) {
      if (first.id < notYet && (next === undefined || this.#isBefore(first, next))) next = first;
    }
    if (next === undefined) return undefined;
    const { module, id, waiting } = next;
    this.table.delete(`${module}/${id}`);
    this.#journal.commit();
    return { module, ...waiting };
  }

  #isBefore(a: First, b: First): boolean {
    const more = this.#costOf(a.module) - this.#costOf(b.module);
    return more < 0 || (more === 0 && a.id < b.id);
  }

  #costOf(module: string): number {
    return this.#costs.get(module) ?? 0;
  }

  /** Of each module that has timers the first. */
  *#firsts(): Iterable<First> {
    for (let at = ''; ;) {
      const [entry] = this.table.order.from(at);
      if (entry === undefined) return;
      const slash = entry.key.indexOf('/');
      const module = entry.key.slice(0, slash);
      yield { module, id: entry.key.slice(slash + 1), waiting: entry.row as Waiting };
      // `0` comes after `/`: behind all of this module's.
      at = `${module}0`;
    }
  }
}
