/**
 * Final blocks whose batches are not all stored here yet, in height order.
 *
 * I65. Blocks settle in height order, each once; a height that was settled or queued is ignored.
 *
 * Only a bounded window of them is in memory. A node far behind learns of thousands of final blocks
 * at once: it remembers the newest height and cut, and reads the blocks from the chain stream when
 * their turn comes. Consensus may write them a little later than it tells of them, so a short
 * answer is asked for again.
 */
import { CHAIN_STREAM, emptyCut, readChainEntry } from '../chain.ts';
import type { LogEvent } from '../machine.ts';
import type { Effect } from '../messages.ts';
import { blockDigest } from '../structures.ts';
import type { Block, Digest, Tip, ValidatorIndex } from '../types.ts';
import { chainPosition } from './events.ts';
import type { Lane } from './lane.ts';
import type { Setting } from './setting.ts';

const QUEUED_MAX = 256;
/** Newest blocks kept beside the queue, so that reading always meets what is told live. */
const NEWEST_MAX = 64;
const READ_BLOCKS_MAX = 64;
const READ_BYTES_MAX = 1024 * 1024;
const READ_AGAIN_MS = 50;

export const FINAL_TAG = 'final';
export const FINAL_TIMER = 'final';

export interface FinalBlock {
  readonly block: Block;
  readonly digest: Digest;
}

export class FinalQueue {
  readonly #setting: Setting;
  #settled = 0;
  /** Contiguous from the settled height on. */
  #queue: FinalBlock[] = [];
  /** Contiguous up to the newest height, while the queue does not reach there. */
  #newest: FinalBlock[] = [];
  #height = 0;
  #cut: readonly Tip[];
  #certified = 0;
  #reading = false;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#cut = emptyCut(setting.cluster.n);
  }

  /** Height of the newest final block. */
  get height(): number {
    return this.#height;
  }

  /** Cut of the newest final block: below it nothing is in question. */
  get cut(): readonly Tip[] {
    return this.#cut;
  }

  /** Executed height that the newest final block names. */
  get certified(): number {
    return this.#certified;
  }

  /** Height up to which every batch is stored here. */
  get settled(): number {
    return this.#settled;
  }

  /** The next block to settle. */
  get next(): FinalBlock | undefined {
    return this.#queue[0];
  }

  /** How far the known final blocks reach in a lane. */
  reach(lane: ValidatorIndex): number {
    return (this.#queue.at(-1)?.block.cut ?? this.#cut)[lane]?.seq ?? -1;
  }

  /** The tip of the next block that this lane lacks. */
  missing(lane: Lane): Tip | null {
    const tip = this.#queue[0]?.block.cut[lane.index];
    return tip === undefined || lane.holds(tip) ? null : tip;
  }

  restore(settled: number, newest: Block | null, settledCut: readonly Tip[]): void {
    this.#settled = settled;
    const ahead = newest !== null && newest.height > settled;
    this.#height = ahead ? newest.height : settled;
    this.#cut = ahead ? newest.cut : settledCut;
    this.#certified = newest?.executed.height ?? 0;
  }

  add(final: FinalBlock): void {
    const { height, cut, executed } = final.block;
    if (height <= this.#height) return;
    this.#height = height;
    this.#cut = cut;
    this.#certified = executed.height;
    if (this.#newest.length > 0 && this.#newest.at(-1)!.block.height !== height - 1)
      this.#newest = [];
    this.#newest.push(final);
    if (this.#newest.length > NEWEST_MAX) this.#newest.shift();
    this.#refill();
  }

  /** The next block is settled: every lane holds its tip. */
  shift(): void {
    if (this.#queue.shift() !== undefined) this.#settled++;
    this.#refill();
  }

  /** Asks for blocks that are not in memory when they are due. */
  poll(out: Effect[]): void {
    if (this.#reading || this.#queue.length > 0 || this.#settled >= this.#height) return;
    this.#reading = true;
    const from = chainPosition(this.#settled + 1);
    const known = this.#newest[0] === undefined ? this.#height : this.#newest[0].block.height - 1;
    const to = Math.min(from + READ_BLOCKS_MAX, known);
    const range = { stream: CHAIN_STREAM, from, to, bytesMax: READ_BYTES_MAX };
    out.push({ kind: 'readLog', tag: FINAL_TAG, ...range });
  }

  logRead(events: readonly LogEvent[], now: number, out: Effect[]): void {
    for (const event of events) this.#push(readFinalBlock(this.#setting, event));
    this.#refill();
    if (events.length > 0) this.#reading = false;
    else out.push({ kind: 'setTimer', timer: FINAL_TIMER, at: now + READ_AGAIN_MS });
  }

  timer(): void {
    this.#reading = false;
  }

  #push(final: FinalBlock): boolean {
    const next = this.#settled + this.#queue.length + 1;
    if (final.block.height !== next || this.#queue.length >= QUEUED_MAX) return false;
    this.#queue.push(final);
    return true;
  }

  #refill(): void {
    while (this.#newest.length > 0) {
      const first = this.#newest[0]!;
      const behind = first.block.height <= this.#settled + this.#queue.length;
      if (!behind && !this.#push(first)) return;
      this.#newest.shift();
    }
  }
}

/** A block of the chain stream, with the digest that it is known by. */
export function readFinalBlock(setting: Setting, event: LogEvent): FinalBlock {
  const { block } = readChainEntry(event);
  return { block, digest: blockDigest(setting.crypto, setting.cluster.id, block) };
}
