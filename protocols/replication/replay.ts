/**
 * Reads final blocks and their batches from the log for execution: after a restart from height 1,
 * and whenever execution is further behind than memory reaches. A window of blocks is read, then the
 * lanes along its cuts, each ahead of where it is needed.
 */
import { CHAIN_STREAM } from '../chain.ts';
import type { LogEvent } from '../machine.ts';
import type { Effect } from '../messages.ts';
import type { Millis, Tip } from '../types.ts';
import { chainPosition } from './events.ts';
import { feedItem, type FeedItem } from './feed-item.ts';
import { readFinalBlock, type FinalBlock } from './final-queue.ts';
import { LaneReader } from './lane-reader.ts';
import type { Setting } from './setting.ts';

export const FEED_TIMER = 'feed';
const WINDOW_BLOCKS = 64;
const WINDOW_BYTES_MAX = 1024 * 1024;
/** Blocks below which the next window is read. */
const WINDOW_LOW = WINDOW_BLOCKS / 2;
const READ_AGAIN_MS = 50;

export interface ReplayStart {
  /** The last height that is not wanted. */
  readonly height: number;
  /** Its cut. */
  readonly cut: readonly Tip[];
}

export class Replay {
  readonly #setting: Setting;
  readonly #tag: string;
  readonly #readers: readonly LaneReader[];
  #cut: readonly Tip[];
  /** Height of the last block read. */
  #read: number;
  #blocks: FinalBlock[] = [];
  /** A short answer is asked for again after a pause. */
  #reading: 'idle' | 'reading' | 'pausing' = 'idle';

  constructor(setting: Setting, tag: string, start: ReplayStart) {
    this.#setting = setting;
    this.#tag = tag;
    this.#cut = start.cut;
    this.#read = start.height;
    this.#readers = Array.from(
      { length: setting.cluster.n },
      (_, lane) => new LaneReader(setting, lane, `${tag}/${lane}`),
    );
  }

  /** The next block with its batches, once they are read. Blocks up to `settled` may be read. */
  take(settled: number, out: Effect[]): FeedItem | null {
    this.#readBlocks(settled, out);
    const next = this.#blocks[0];
    const from = this.#cut;
    if (next === undefined) return null;
    const last = this.#blocks.at(-1)!.block.cut;
    const batches = this.#readers.map((reader, lane) =>
      reader.collect(from[lane]!, next.block.cut[lane]!, last[lane]!.seq, out),
    );
    if (batches.includes(null)) return null;
    this.#blocks.shift();
    this.#cut = next.block.cut;
    this.#readers.forEach((reader, lane) => reader.dropTo(next.block.cut[lane]!.seq));
    return feedItem(next, batches as readonly (readonly Uint8Array[])[]);
  }

  logRead(tag: string, events: readonly LogEvent[], now: Millis, out: Effect[]): void {
    if (tag === this.#tag) return this.#blocksRead(events, now, out);
    for (const reader of this.#readers) reader.logRead(tag, events);
  }

  timer(): void {
    if (this.#reading === 'pausing') this.#reading = 'idle';
  }

  #readBlocks(settled: number, out: Effect[]): void {
    if (this.#reading !== 'idle' || this.#blocks.length > WINDOW_LOW) return;
    if (this.#read >= settled) return;
    this.#reading = 'reading';
    const from = chainPosition(this.#read + 1);
    const to = Math.min(from + WINDOW_BLOCKS, settled);
    const range = { stream: CHAIN_STREAM, from, to, bytesMax: WINDOW_BYTES_MAX };
    out.push({ kind: 'readLog', tag: this.#tag, ...range });
  }

  /** Consensus may write a block a little later than it tells of it: none yet, so ask again. */
  #blocksRead(events: readonly LogEvent[], now: Millis, out: Effect[]): void {
    if (events.length === 0) {
      this.#reading = 'pausing';
      out.push({ kind: 'setTimer', timer: FEED_TIMER, at: now + READ_AGAIN_MS });
      return;
    }
    this.#reading = 'idle';
    this.#read += events.length;
    for (const event of events) this.#blocks.push(readFinalBlock(this.#setting, event));
  }
}
