/** A hub with everything around it made up: the clock, the log, those who subscribe. */
import type { StreamClock } from '../../src/stream/pace.ts';
import { Filter, EVERY_EVENT } from '../../src/stream/filter.ts';
import { Item } from '../../src/stream/item.ts';
import { Hub, type StreamLimits } from '../../src/stream/hub.ts';
import type { DecodedPart, Height, Part } from '../../src/stream/parts.ts';
import type { StreamSource } from '../../src/stream/source.ts';
import type { Ending, Outlet } from '../../src/stream/subscription.ts';

/** Time passes when it is told to, and in steps of what is waited for. */
export class FakeClock implements StreamClock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly run: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Something takes so long. */
  spend(ms: number): void {
    this.#now += ms;
  }

  /** Lets so much time pass. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      // What a read brings comes in a later turn.
      await new Promise((resolve) => setImmediate(resolve));
      const due = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = Math.max(this.#now, end);
  }
}

/** Heights with as many items as the test says, in parts of at most so many. */
export class FakeSource implements StreamSource {
  readonly #counts: number[] = [];
  #executed = 0;
  readonly #partMax: number;
  readonly #pageMax: number;
  readonly #cost: () => void;
  /** From which heights pages were read. */
  readonly reads: number[] = [];
  failure: Error | null = null;
  /** Heights that were executed and do not stand in the log yet. */
  late = 0;
  bytesPerHeight = 100;
  weightPerItem = 1;

  constructor({ partMax = 3, pageMax = 4, cost = () => undefined as void } = {}) {
    this.#partMax = partMax;
    this.#pageMax = pageMax;
    this.#cost = cost;
  }

  /** The next height has so many items. */
  add(count: number): number {
    return this.#counts.push(count);
  }

  executed(height: number): void {
    this.#executed = Math.max(this.#executed, height);
  }

  known(): number {
    return this.#executed;
  }

  newest(): Promise<number> {
    return this.failure === null ? Promise.resolve(this.#executed) : Promise.reject(this.failure);
  }

  read(from: number): Promise<readonly Height[]> {
    this.reads.push(from);
    if (this.failure !== null) return Promise.reject(this.failure);
    const end = Math.min(from + this.#pageMax, this.#executed - this.late + 1);
    const heights = Array.from({ length: Math.max(0, end - from) }, (_, at) =>
      this.#height(from + at),
    );
    return Promise.resolve(heights);
  }

  #height(height: number): Height {
    const parts: Part[] = [];
    for (let left = this.#counts[height - 1] ?? 0; left > 0; left -= this.#partMax) {
      parts.push(this.#part(height, Math.min(left, this.#partMax)));
    }
    return { height, bytes: this.bytesPerHeight, parts };
  }

  #part(height: number, count: number): Part {
    return {
      count: null,
      weight: count * this.weightPerItem,
      mayPass: () => true,
      decode: (base): DecodedPart => {
        this.#cost();
        const items = Array.from({ length: count }, (_, at) => {
          const id = `${height}.${base + at}`;
          return new Item(id, { id, kind: 'event', height }, at);
        });
        // Every filter but that for all events lets every second item through.
        const half = items.filter((__, at) => (base + at) % 2 === 0);
        return { count, passing: (filter) => (filter.key === EVERYTHING.key ? items : half) };
      },
    };
  }

  /** All ids from a place on. */
  ids(): string[] {
    return this.#counts.flatMap((count, at) =>
      Array.from({ length: count }, (_, index) => `${at + 1}.${index}`),
    );
  }
}

export const EVERYTHING = new Filter(EVERY_EVENT);
export const HALF = new Filter({ ...EVERY_EVENT, modules: ['half'] });

/** Takes so many items, then nothing until it is told to. */
export class FakeOutlet implements Outlet {
  readonly items: Item[] = [];
  ending: Ending | null = null;
  keptAlive = 0;
  /** How many items it takes at once; those beyond wait. */
  room: number;
  /** How many of those that it is given in one go. */
  atOnce = Infinity;
  #taken = 0;

  constructor(room = Infinity) {
    this.room = room;
  }

  /** Ids of what came, without progress. */
  get ids(): string[] {
    return this.items
      .filter(({ value }) => 'kind' in value && value.kind === 'event')
      .map(({ id }) => id);
  }

  waitingBytes(): number {
    return this.items.length - this.takenBytes();
  }

  takenBytes(): number {
    return Math.min(this.items.length, this.#taken + this.room);
  }

  /** It takes so many more. */
  take(count: number): void {
    this.#taken += count;
  }

  send(items: readonly Item[]): number {
    if (this.ending !== null) throw new Error('sent after the end');
    const taken = items.slice(0, this.atOnce);
    this.items.push(...taken);
    return taken.length;
  }

  keepAlive(): void {
    this.keptAlive++;
  }

  close(ending: Ending): void {
    this.ending = ending;
  }
}

export interface Made {
  readonly hub: Hub;
  readonly clock: FakeClock;
  readonly errors: object[];
}

export function hubOf(
  source: FakeSource,
  limits: Partial<StreamLimits> = {},
  clock = new FakeClock(),
): Made {
  const errors: object[] = [];
  const hub = new Hub({
    source,
    limits,
    clock,
    logger: { error: (fields) => void errors.push(fields) },
    isTransient: (error) => (error as Error).message === 'away',
  });
  return { hub, clock, errors };
}
