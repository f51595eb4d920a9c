/**
 * What rows were before they were written: for a window of past heights, in memory.
 *
 * The first write of a row in a block notes what it was, so a row at a height is what the first note
 * after that height says, or what it is now. Where a row leaves the order of its table or of an index
 * its place stays in that order's past, as long as the note does.
 *
 * I109. For every height from `oldest` to the one executed last, rows, pages and pages by an index are
 *       those that there were when that height had been executed, whatever was written or rolled back since.
 * I110. Kept are the newest HEIGHTS_MAX heights, as far as their notes fit BYTES_MAX, and always those
 *       from the newest checkpoint on: its rows are what a state root covers. What is forgotten is
 *       forgotten a bounded part at a time, and faster than it comes.
 */
import { InvariantViolation } from '../machine.ts';
import type { Millis } from '../types.ts';
import { KeyOrder } from './key-order.ts';
import type { IndexPlace } from './table-index.ts';
import type { Look, Place } from './table-pages.ts';
import type { Entry } from './tables.ts';
import type { Value } from './values.ts';

export interface HistoryLimits {
  readonly heightsMax: number;
  /** About so much memory, in bytes. */
  readonly bytesMax: number;
}

export const HISTORY_LIMITS: HistoryLimits = { heightsMax: 10_000, bytesMax: 64 * 1024 * 1024 };

/** Memory of a version besides its row, and of each encoded byte of the row, in bytes. */
const VERSION_BYTES = 160;
const BYTES_PER_BYTE = 2;
/** How many versions a block forgets, besides two for each that it adds. */
const FORGOTTEN_PER_BLOCK = 1000;

/** What a row was before block `height` wrote it. */
export interface Version {
  readonly entry: Entry;
  readonly height: number;
  readonly row: Value | undefined;
  readonly places: readonly IndexPlace[];
  /** About the memory that it takes. */
  readonly bytes: number;
  /** What this block removed from an order, and is to leave that order's past with this version. */
  gone: Gone[] | null;
  /** The next of the same row. */
  newer: Version | null;
  /** The next of any row. */
  next: Version | null;
}

interface Gone {
  readonly past: PastPlaces;
  readonly key: string;
}

/** Places where something stood in the window: an order does not have them any more, or has them again. */
export class PastPlaces {
  readonly order = new KeyOrder<Place>();
  readonly #count = new Map<string, number>();

  add(key: string, entry: Entry): Gone {
    const count = this.#count.get(key) ?? 0;
    if (count === 0) this.order.add({ key, entry });
    this.#count.set(key, count + 1);
    return { past: this, key };
  }

  remove(key: string): void {
    const count = this.#count.get(key)! - 1;
    if (count > 0) return void this.#count.set(key, count);
    this.#count.delete(key);
    this.order.remove(key);
  }
}

export class History {
  readonly #limits: HistoryLimits;
  /** Of the block that is executed now; 0 for the genesis, before which there is nothing. */
  #height = 0;
  #oldest = 0;
  /** Of the heights from the oldest on. */
  #times: Millis[] = [];
  #first: Version | null = null;
  #last: Version | null = null;
  /** Of the block that is executed now: how many, and which may have left a place. */
  #added = 0;
  #moved: Version[] = [];
  #bytes = 0;

  constructor(limits = HISTORY_LIMITS) {
    this.#limits = limits;
  }

  /** The first height whose rows are still known. */
  get oldest(): number {
    return this.#oldest;
  }

  /** About the memory that the window takes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Block time of a height in the window. */
  timeOf(height: number): Millis {
    const time = this.#times[height - this.#oldest];
    if (time !== undefined) return time;
    throw new InvariantViolation('height_unknown', `height ${height} is not in the window`);
  }

  /** Nothing is known of what was before `height`, which has been executed. */
  startAt(height: number, time: Millis): void {
    this.#height = height;
    this.#oldest = height;
    this.#times = [time];
  }

  startBlock(height: number): void {
    this.#height = height;
  }

  /** The row is about to be written; `moves`: it may leave a place in some order. */
  note(entry: Entry, moves: boolean): void {
    if (this.#height === 0) return;
    let version = entry.newest;
    if (version === null || version.height !== this.#height) version = this.#add(entry);
    if (moves) this.#moved.push(version);
  }

  /** The block is executed; `checkpoint`: the newest height whose state is certified, or is to be. */
  endBlock(time: Millis, checkpoint: number): void {
    this.#times.push(time);
    this.#keepPlaces();
    this.#forget(checkpoint, FORGOTTEN_PER_BLOCK + 2 * this.#added);
    this.#added = 0;
  }

  #add(entry: Entry): Version {
    const version: Version = {
      entry,
      height: this.#height,
      row: entry.row,
      places: entry.places,
      bytes: VERSION_BYTES + BYTES_PER_BYTE * entry.bytes,
      gone: null,
      newer: null,
      next: null,
    };
    if (entry.newest === null) entry.oldest = version;
    else entry.newest.newer = version;
    entry.newest = version;
    if (this.#last === null) this.#first = version;
    else this.#last.next = version;
    this.#last = version;
    this.#added++;
    this.#bytes += version.bytes;
    return version;
  }

  /** Keeps the places that the block's writes removed in the end. */
  #keepPlaces(): void {
    for (const version of this.#moved) {
      const { entry, row, places } = version;
      // More than one write of the block may have moved it.
      if (version.gone !== null) continue;
      version.gone = [];
      if (row !== undefined && entry.row === undefined) {
        version.gone.push(entry.table.past.add(entry.key, entry));
      }
      for (const place of places) {
        if (hasPlace(entry.places, place)) continue;
        version.gone.push(place.index.past.add(place.key, entry));
      }
    }
    this.#moved = [];
  }

  #forget(checkpoint: number, max: number): void {
    const { heightsMax, bytesMax } = this.#limits;
    const before = this.#oldest;
    let oldest = Math.max(before, Math.min(checkpoint, this.#height - heightsMax));
    for (let left = max; left > 0 && this.#first !== null; left--) {
      const { height } = this.#first;
      if (height > oldest) {
        if (this.#bytes <= bytesMax || height > checkpoint) break;
        oldest = height;
      }
      this.#drop(this.#first);
    }
    this.#oldest = oldest;
    if (oldest > before) this.#times.splice(0, oldest - before);
  }

  #drop(version: Version): void {
    const { entry, gone } = version;
    if (gone !== null) for (const { past, key } of gone) past.remove(key);
    this.#first = version.next;
    if (this.#first === null) this.#last = null;
    this.#bytes -= version.bytes;
    entry.oldest = version.newer;
    if (entry.oldest !== null) return;
    entry.newest = null;
    entry.table.forget(entry);
  }
}

export function hasPlace(
  places: readonly IndexPlace[],
  { index, key }: Pick<IndexPlace, 'index' | 'key'>,
): boolean {
  return places.some((place) => place.key === key && place.index === index);
}

/** What was noted first after `height`; null when the row has not been written since. */
export function versionAfter(entry: Entry, height: number, look: Look): Version | null {
  let version = entry.oldest;
  for (; version !== null && version.height <= height; version = version.newer) look.left--;
  return version;
}
