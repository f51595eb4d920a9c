/**
 * Feeds final blocks with their batches to execution, in height order (rule E1).
 *
 * I69. `execute` is told for each height once, in order, only when all its batches are stored here.
 * I70. At most a bounded number of blocks and bytes is with execution, and a bounded number waits
 *      in memory, however far behind execution is: the rest is read from the log (replay.ts).
 *
 * Execution starts and ends with this. It says from which height on it wants blocks: from 1, or from where
 * a snapshot ends. Nothing is told before.
 */
import type { LogEvent } from '../machine.ts';
import type { Effect } from '../messages.ts';
import type { Millis, Tip } from '../types.ts';
import { Backlog } from './backlog.ts';
import { heldItem, type FeedItem } from './feed-item.ts';
import type { FinalBlock } from './final-queue.ts';
import type { Held } from './lane.ts';
import { Replay, type ReplayStart } from './replay.ts';
import { branchBytesMax, feedBytes, type FeedBytes, type Setting } from './setting.ts';

export const FEED_TAG = 'feed';
/** Blocks with execution, and newest settled blocks in memory; their bytes: `FeedBytes`. */
const TOLD_BLOCKS_MAX = 64;
const RECENT_BLOCKS_MAX = 256;

interface Told {
  readonly height: number;
  readonly laneBytes: readonly number[];
  readonly bytes: number;
}

export class Feed {
  readonly #setting: Setting;
  readonly #limits: FeedBytes;
  readonly backlog: Backlog;
  /** Contiguous heights that end at the settled one. */
  #recent: FeedItem[] = [];
  #recentBytes = 0;
  #settled = 0;
  #told: Told[] = [];
  #toldBytes = 0;
  /** The last block told, or the last that execution does not want; null before it has said so. */
  #last: ReplayStart | null = null;
  #executed = 0;
  /** Seq of the first batch of the own lane that this process seals. */
  #firstSeq = 0;
  #replay: Replay | null = null;
  #replays = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#limits = feedBytes(setting.cluster);
    this.backlog = new Backlog(setting.cluster.n, branchBytesMax(setting.cluster));
  }

  /** Payload bytes kept in memory here. */
  get bytes(): number {
    return this.#recentBytes;
  }

  /** Blocks that are settled and not executed yet. */
  get behind(): number {
    return this.#settled - this.#executed;
  }

  /** Up to `settled` all is stored; up to `final` the log knows what is final; `own`: the own lane's tip. */
  restore(settled: number, final: number, own: Tip): void {
    this.#settled = settled;
    this.#firstSeq = own.seq + 1;
    // Notes of what is stored and the chain become durable on their own: either may be ahead.
    this.backlog.restore(Math.max(settled, final));
  }

  /** Execution wants what follows this height, whose block has this cut. */
  begin(height: number, cut: readonly Tip[]): void {
    this.#last = { height, cut };
    this.#executed = height;
    while (this.#recent.length > 0 && this.#recent[0]!.block.height <= height) this.#dropRecent();
  }

  /** The next settled block; `batches` by lane, ascending in each. */
  offer(final: FinalBlock, batches: readonly (readonly Held[])[]): void {
    this.#settled = final.block.height;
    const bytes = batches.map((lane) => lane.reduce((sum, { header }) => sum + header.bytes, 0));
    this.backlog.settled(final.block.height, bytes);
    if (final.block.height <= (this.#last?.height ?? 0)) return;
    const item = heldItem(final, batches);
    if (item === null) return this.#forgetRecent();
    this.#recent.push(item);
    this.#recentBytes += item.bytes;
    while (this.#recentBytes > this.#limits.recentMax || this.#recent.length > RECENT_BLOCKS_MAX) {
      this.#dropRecent();
    }
  }

  executedTo(height: number): void {
    this.#executed = height;
    while (this.#told.length > 0 && this.#told[0]!.height <= height) {
      const { laneBytes, bytes, height: done } = this.#told.shift()!;
      this.#toldBytes -= bytes;
      this.backlog.executed(done, laneBytes);
    }
  }

  logRead(tag: string, events: readonly LogEvent[], now: Millis, out: Effect[]): void {
    this.#replay?.logRead(tag, events, now, out);
  }

  timer(): void {
    this.#replay?.timer();
  }

  /** Tells all that may be told now, and reads ahead for what comes next. */
  poll(out: Effect[]): void {
    while (this.#last !== null && this.#last.height < this.#settled && this.#mayTell()) {
      const item = this.#next(this.#last, out);
      if (item === null) return;
      this.#tell(item, out);
    }
  }

  #mayTell(): boolean {
    if (this.#told.length === 0) return true;
    return this.#told.length < TOLD_BLOCKS_MAX && this.#toldBytes < this.#limits.toldMax;
  }

  #next(last: ReplayStart, out: Effect[]): FeedItem | null {
    if (this.#recent[0]?.block.height === last.height + 1) {
      this.#replay = null;
      return this.#dropRecent();
    }
    this.#replay ??= new Replay(this.#setting, `${FEED_TAG}/${++this.#replays}`, last);
    return this.#replay.take(this.#settled, out);
  }

  #tell(item: FeedItem, out: Effect[]): void {
    const { block, digest, batches, laneBytes, bytes } = item;
    this.#last = block;
    this.#told.push({ height: block.height, laneBytes, bytes });
    this.#toldBytes += bytes;
    const own = block.cut[this.#setting.self]!.seq;
    const sealed = Math.max(0, own + 1 - this.#firstSeq);
    const message = { kind: 'execute', block, digest, batches, sealed } as const;
    out.push({ kind: 'tell', to: 'transaction', message });
  }

  #dropRecent(): FeedItem | null {
    const item = this.#recent.shift();
    this.#recentBytes -= item?.bytes ?? 0;
    return item ?? null;
  }

  #forgetRecent(): void {
    this.#recent = [];
    this.#recentBytes = 0;
  }
}
