/**
 * The subscriptions of a node to its stream. It knows no transport: HTTP and gRPC bring outlets.
 *
 * S9. As many subscriptions as the limits say, on the whole and from one address; more are refused.
 */
import { CLOCK, Pace, type StreamClock } from './pace.ts';
import { Pages } from './pages.ts';
import type { StreamSource } from './source.ts';
import {
  Subscription,
  type EndCode,
  type Interest,
  type SubscriptionLimits,
} from './subscription.ts';

export interface StreamLimits extends SubscriptionLimits {
  readonly streamsMax: number;
  readonly streamsPerAddressMax: number;
}

export const STREAM_LIMITS: StreamLimits = {
  streamsMax: 1_024,
  streamsPerAddressMax: 256,
  outletBytesMax: 256 * 1024,
  // uWebSockets.js cuts off whom it can send nothing for eight to twelve seconds: it is told before.
  stallMsMax: 5_000,
  progressMs: 1_000,
  keepAliveMs: 4_000,
};

export type Refusal = 'too_many_streams' | 'too_many_streams_of_address' | 'draining';

/** What the holder of a subscription tells of it. */
export interface Subscribed {
  /** The outlet has room again. */
  resume(): void;
  /** The subscriber has gone. */
  end(): void;
}

export interface StreamFigures {
  readonly subscribers: number;
  readonly items: number;
  readonly closedSlow: number;
  readonly pagesRead: number;
  readonly heldBytes: number;
  /** Heights between the last subscriber and the newest executed height. */
  readonly lag: number;
}

export interface HubOptions {
  readonly source: StreamSource;
  readonly limits?: Partial<StreamLimits>;
  readonly clock?: StreamClock;
  readonly logger: { error(fields: object, message: string): void };
  /** Whether it is worth trying again after that error. */
  readonly isTransient: (error: unknown) => boolean;
}

interface Member {
  readonly subscription: Subscription;
  readonly address: string;
}

export class Hub {
  readonly #options: HubOptions;
  readonly limits: StreamLimits;
  readonly #clock: StreamClock;
  readonly #pages: Pages;
  readonly #pace: Pace;
  readonly #members = new Set<Member>();
  /** Those that can move on, those that wait for a page; the others wait for room. In order. */
  readonly #ready = new Set<Member>();
  readonly #waiting = new Set<Member>();
  readonly #addresses = new Map<string, number>();
  #cancelTick: (() => void) | null = null;
  #closed = false;
  #items = 0;
  #closedSlow = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    this.limits = { ...STREAM_LIMITS, ...options.limits };
    this.#clock = options.clock ?? CLOCK;
    this.#pages = new Pages(options.source, this.#clock, {
      wanted: () => this.#wanted(),
      arrived: () => this.#wakeWaiting(),
      failed: (error) => this.#failed(error),
    });
    this.#pace = new Pace(this.#clock, (until) => this.#advance(until));
  }

  /** A block was executed here. Costs next to nothing while nobody waits. */
  executed(height: number, txCount: number): void {
    this.#options.source.executed(height, txCount);
    if (this.#waiting.size > 0) this.#pages.wake();
  }

  /** The newest height executed here: from the next one on a stream is live. */
  async newest(): Promise<number | 'unavailable'> {
    try {
      return await this.#options.source.newest();
    } catch (error) {
      if (this.#options.isTransient(error)) return 'unavailable';
      throw error;
    }
  }

  /** Why a subscription from that address would be refused now; null when it would not. */
  refusal(address: string): Refusal | null {
    const { streamsMax, streamsPerAddressMax } = this.limits;
    if (this.#closed) return 'draining';
    if (this.#members.size >= streamsMax) return 'too_many_streams';
    const ofAddress = this.#addresses.get(address) ?? 0;
    return ofAddress >= streamsPerAddressMax ? 'too_many_streams_of_address' : null;
  }

  /** To be called only where `refusal` is null. */
  subscribe(address: string, interest: Interest): Subscribed {
    const now = this.#clock.now();
    const subscription = new Subscription(interest, this.limits, now);
    const member = { subscription, address };
    this.#members.add(member);
    this.#addresses.set(address, (this.#addresses.get(address) ?? 0) + 1);
    this.#startTicking();
    subscription.open(now);
    this.#wake(member);
    return { resume: () => this.#wake(member), end: () => this.#remove(member) };
  }

  #wake(member: Member): void {
    if (!this.#members.has(member) || this.#waiting.has(member)) return;
    this.#ready.add(member);
    this.#pace.wake();
  }

  #wakeWaiting(): void {
    for (const member of this.#waiting) this.#ready.add(member);
    this.#waiting.clear();
    this.#pace.wake();
  }

  *#wanted(): Generator<number> {
    for (const { subscription } of this.#waiting) yield subscription.height;
  }

  /** One after the other, for as long as the slice lasts. True when some are left. */
  #advance(until: number): boolean {
    const now = (): number => this.#clock.now();
    for (const member of this.#ready) {
      this.#ready.delete(member);
      this.#advanceOne(member, now, until);
      if (now() >= until) break;
    }
    if (this.#waiting.size > 0) this.#pages.wake();
    return this.#ready.size > 0;
  }

  #advanceOne(member: Member, now: () => number, until: number): void {
    const { subscription } = member;
    const before = subscription.sent;
    try {
      const pause = subscription.advance(this.#pages, now, until);
      // What it was given may have shown that it has gone.
      if (!this.#members.has(member)) return;
      if (pause === 'time') this.#ready.add(member);
      if (pause === 'page') this.#waiting.add(member);
    } catch (error) {
      this.#unreadable(error, [member]);
    }
    this.#items += subscription.sent - before;
  }

  #startTicking(): void {
    this.#cancelTick ??= this.#clock.after(this.limits.progressMs, () => {
      this.#cancelTick = null;
      this.#tick();
      if (this.#members.size > 0) this.#startTicking();
    });
  }

  #tick(): void {
    const now = this.#clock.now();
    for (const member of this.#members) {
      if (member.subscription.tick(now)) continue;
      this.#closedSlow++;
      const detail = `nothing was taken for ${this.limits.stallMsMax} ms: resume where you are`;
      this.#close(member, 'slow_consumer', detail);
    }
  }

  #failed(error: unknown): void {
    if (!this.#options.isTransient(error)) this.#unreadable(error, this.#members);
  }

  #unreadable(error: unknown, members: Iterable<Member>): void {
    this.#options.logger.error({ err: error }, 'the stream cannot be read from the log');
    for (const member of members) {
      this.#close(member, 'log_unreadable', 'the node cannot read its log: ask another node');
    }
  }

  #close(member: Member, code: EndCode, detail: string): void {
    this.#remove(member);
    member.subscription.close(code, detail);
  }

  #remove(member: Member): void {
    if (!this.#members.delete(member)) return;
    this.#ready.delete(member);
    this.#waiting.delete(member);
    const { address } = member;
    const left = (this.#addresses.get(address) ?? 1) - 1;
    if (left === 0) this.#addresses.delete(address);
    else this.#addresses.set(address, left);
    if (this.#members.size === 0) this.#pages.clear();
  }

  figures(): StreamFigures {
    const newest = this.#options.source.known() ?? 0;
    let lag = 0;
    for (const { subscription } of this.#members) {
      lag = Math.max(lag, newest + 1 - subscription.height);
    }
    return {
      subscribers: this.#members.size,
      items: this.#items,
      closedSlow: this.#closedSlow,
      pagesRead: this.#pages.reads,
      heldBytes: this.#pages.heldBytes,
      lag,
    };
  }

  /** Tells all subscribers that the node stops, and takes no more. */
  close(): void {
    this.#closed = true;
    for (const member of this.#members) {
      this.#close(member, 'draining', 'the node stops: resume at another node');
    }
    this.#pace.stop();
    this.#pages.close();
    this.#cancelTick?.();
  }
}
