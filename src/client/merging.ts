/**
 * Lanes at several nodes, made one: what any of them tells is told, once and in order.
 *
 * X9. With f + 1 lanes, each at another validator's node, nothing that happened is missing, for one of them
 *     is honest: an event is told when every lane has told all that comes before it, and a lane that goes to
 *     another node begins there behind what was told by all. Without as many lanes a node may leave
 *     out what it likes; what is told is certified either way (X8).
 */
import type { Entry, Lane, ProvedEvent } from './lanes.ts';
import { comparePlaces, endOf, type Place } from './places.ts';

/** `event` is null where only the place has moved on. */
export interface Merged {
  readonly place: Place;
  readonly event: ProvedEvent | null;
}

interface Head {
  readonly lane: Lane;
  readonly entries: AsyncGenerator<Entry, void, undefined>;
  /** What it told and was not told on. */
  entry: Entry | null;
  taking: Promise<void> | null;
}

export interface MergeOptions {
  readonly lanes: readonly Lane[];
  /** How long lanes may keep an event of another one waiting, in milliseconds. */
  readonly stallMs: number;
  /** Up to where heights are known to be certified: nobody's progress is believed beyond. */
  readonly certifiedHeight: () => number;
  readonly after: Place;
}

export class Merge {
  readonly #options: MergeOptions;
  readonly #heads: readonly Head[];
  #told: Place;
  #isOver = false;
  #error: { readonly thrown: unknown } | null = null;

  constructor(options: MergeOptions) {
    this.#options = options;
    this.#told = options.after;
    this.#heads = options.lanes.map((lane) => ({
      lane,
      entries: lane.entries(),
      entry: null,
      taking: null,
    }));
  }

  /** Up to where all was told. */
  get told(): Place {
    return this.#told;
  }

  /** Until the lanes end. Throws what a lane throws. */
  async *merged(): AsyncGenerator<Merged, void, undefined> {
    try {
      for (;;) {
        await this.#fill();
        if (this.#error !== null) throw this.#error.thrown;
        if (this.#isOver) return;
        const least = this.#least();
        const place = this.#placeOf(least.entry!);
        const { entry } = least;
        least.entry = null;
        // Another lane told it, or a node that took over began before it, or tells in another order.
        if (comparePlaces(place, this.#told) <= 0) continue;
        this.#told = place;
        yield { place, event: entry!.kind === 'event' ? entry!.event : null };
      }
    } finally {
      // Not awaited: they wait for what may never come.
      for (const { entries } of this.#heads) entries.return().catch(() => undefined);
    }
  }

  /** Until every lane has told something. Those for which an event waits for too long leave their node. */
  async #fill(): Promise<void> {
    for (;;) {
      const missing = this.#heads.filter(({ entry }) => entry === null);
      if (missing.length === 0 || this.#isOver || this.#error !== null) return;
      for (const head of missing) head.taking ??= this.#take(head);
      const waits = this.#heads.some(({ entry }) => entry?.kind === 'event');
      const timer = waits
        ? setTimeout(() => missing.forEach(({ lane }) => lane.leave()), this.#options.stallMs)
        : undefined;
      await Promise.race(missing.map(({ taking }) => taking!));
      clearTimeout(timer);
    }
  }

  async #take(head: Head): Promise<void> {
    try {
      const { done, value } = await head.entries.next();
      if (done === true) this.#isOver = true;
      else head.entry = value;
    } catch (error) {
      this.#error = { thrown: error };
    }
    head.taking = null;
  }

  #least(): Head {
    return this.#heads.reduce((least, head) =>
      comparePlaces(this.#placeOf(head.entry!), this.#placeOf(least.entry!)) < 0 ? head : least,
    );
  }

  #placeOf(entry: Entry): Place {
    if (entry.kind === 'event') return entry.place;
    return endOf(Math.min(entry.height, this.#options.certifiedHeight()));
  }
}
