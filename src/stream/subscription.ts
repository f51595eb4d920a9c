/**
 * One subscriber's place in the stream, and how it moves on. New or old, quick or slow, all are served
 * alike: each has a place, is given what follows it while its outlet has room, and waits where it has
 * none. Who falls behind finds its place in the log again.
 *
 * S7. A subscriber is given every item from its place on that its filter lets through, in order, each
 *     once; or it is told that the stream ends, and where to resume.
 * S8. Its outlet holds at most `outletBytesMax` and one batch that were not taken.
 */
import type { Filter } from './filter.ts';
import { progressItem, type Item } from './item.ts';
import type { Pages } from './pages.ts';
import type { Height } from './parts.ts';
import { resumeAt, type Position } from './position.ts';

/** Why a stream ends. */
export type EndCode = 'slow_consumer' | 'draining' | 'log_unreadable';

export interface Ending {
  readonly code: EndCode;
  readonly detail: string;
  /** The last place that was handed over. */
  readonly resume: string;
}

/** Where one subscriber's items go. */
export interface Outlet {
  /** Bytes that were handed over and have not left this process. */
  waitingBytes(): number;
  /** Bytes that have left it. */
  takenBytes(): number;
  /** Hands over the first and those after it that it can write at once. Returns how many. */
  send(items: readonly Item[]): number;
  /** Nothing was sent for a while: says something that is no item. */
  keepAlive(): void;
  /** After all that was sent. */
  close(ending: Ending): void;
}

export interface Interest {
  /** The next item wanted. */
  readonly from: Position;
  readonly filter: Filter;
  readonly outlet: Outlet;
}

export interface SubscriptionLimits {
  readonly outletBytesMax: number;
  /** Who takes nothing for so long while something waits for it is too slow, in milliseconds. */
  readonly stallMsMax: number;
  readonly progressMs: number;
  readonly keepAliveMs: number;
}

/** What keeps a subscription from moving on. */
export type Pause = 'time' | 'room' | 'page';

/** So many items are handed over at most before the room and the clock are looked at again. */
const BATCH = 64;

export class Subscription {
  readonly #filter: Filter;
  readonly #outlet: Outlet;
  readonly #limits: SubscriptionLimits;
  #height: number;
  /** In the height's parts; the items before it; and in the part, which it may exceed (a resumed place). */
  #part = 0;
  #base = 0;
  #offset: number;
  #toldId = '';
  #sentAtMs: number;
  #taken = 0;
  #takenAtMs: number;
  /** Items handed over. */
  sent = 0;

  constructor({ from, filter, outlet }: Interest, limits: SubscriptionLimits, nowMs: number) {
    this.#filter = filter;
    this.#outlet = outlet;
    this.#limits = limits;
    this.#height = from.height;
    this.#offset = from.index;
    this.#sentAtMs = nowMs;
    this.#takenAtMs = nowMs;
  }

  /** The height that it needs next. */
  get height(): number {
    return this.#height;
  }

  get resume(): string {
    return resumeAt({ height: this.#height, index: this.#base + this.#offset });
  }

  /** Says where the stream begins, so that there is a place to resume at from the first moment. */
  open(nowMs: number): void {
    this.#progress(nowMs);
  }

  /** Hands over what there is, until `until`, or until something is lacking. */
  advance(pages: Pages, now: () => number, until: number): Pause {
    for (;;) {
      if (this.#outlet.waitingBytes() >= this.#limits.outletBytesMax) return 'room';
      const height = pages.find(this.#height);
      if (height === null) return 'page';
      this.#step(height, pages, now);
      if (now() >= until) return 'time';
    }
  }

  /** One batch of a part, or over what does not concern it. */
  #step(height: Height, pages: Pages, now: () => number): void {
    const part = height.parts[this.#part];
    if (part === undefined) return this.#nextHeight();
    if (part.count !== null && (this.#offset >= part.count || !part.mayPass(this.#filter))) {
      return this.#nextPart(part.count);
    }
    const decoded = pages.decoded(part, this.#base);
    const passing = decoded.passing(this.#filter);
    const start = this.#firstOf(passing);
    const batch = passing.slice(start, start + BATCH);
    const sent = batch.length > 0 ? this.#send(batch, now()) : 0;
    if (start + sent >= passing.length) this.#nextPart(decoded.count);
    else this.#offset = batch[sent - 1]!.at + 1;
  }

  #firstOf(items: readonly Item[]): number {
    if (this.#offset === 0) return 0;
    let from = 0;
    let to = items.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (items[middle]!.at < this.#offset) from = middle + 1;
      else to = middle;
    }
    return from;
  }

  #nextPart(count: number): void {
    this.#part++;
    this.#base += count;
    this.#offset = Math.max(0, this.#offset - count);
  }

  #nextHeight(): void {
    this.#height++;
    this.#part = 0;
    this.#base = 0;
    this.#offset = 0;
  }

  #send(items: readonly Item[], nowMs: number): number {
    const count = this.#outlet.send(items);
    this.sent += count;
    this.#toldId = items[count - 1]!.id;
    this.#sentAtMs = nowMs;
    return count;
  }

  /** Once in a while. False when it is too slow. */
  tick(nowMs: number): boolean {
    const { stallMsMax, progressMs, keepAliveMs, outletBytesMax } = this.#limits;
    const waiting = this.#outlet.waitingBytes();
    const taken = this.#outlet.takenBytes();
    if (waiting === 0 || taken > this.#taken) this.#takenAtMs = nowMs;
    this.#taken = taken;
    if (nowMs - this.#takenAtMs >= stallMsMax) return false;
    const silentMs = nowMs - this.#sentAtMs;
    if (silentMs >= progressMs && waiting < outletBytesMax && this.resume !== this.#toldId) {
      this.#progress(nowMs);
    } else if (silentMs >= keepAliveMs) this.#outlet.keepAlive();
    return true;
  }

  #progress(nowMs: number): void {
    this.#send([progressItem(this.#height - 1, this.resume)], nowMs);
  }

  close(code: EndCode, detail: string): void {
    this.#outlet.close({ code, detail, resume: this.resume });
  }
}
