/**
 * How far this node's execution is behind what is final, lane by lane (rule D4).
 *
 * I103. With more than 2W bytes of a lane final and not executed here, this node marks no more of it; with
 *      more than 4W it votes for a block that moves it only to what q validators mark. So whoever owns a
 *      lane and whoever leads, f + 1 honest validators at least are within 6W of executing what is final
 *      of it. What is final or certified is fetched, stored and executed all the same.
 *
 * An honest owner keeps to W bytes that are not executed at itself, and a replica may learn a whole window
 * later than the owner that they are: hence twice W. Of what is marked up to 2W are not final yet: hence 4W,
 * so that nobody waits with its vote for a block that names no more than it marked itself.
 *
 * None of this holds before execution has caught up once since the node started. A validator that was
 * restarted replays its log for as long as that takes, and marks and votes meanwhile: otherwise one that
 * replays would count as one that failed.
 */
import type { ValidatorIndex } from '../types.ts';

export class Backlog {
  readonly #bytesMax: number;
  readonly #bytes: number[];
  /** Heights up to here were final before the node started, and are not counted. */
  #before = 0;
  #hasCaughtUp = true;

  constructor(n: number, bytesMax: number) {
    this.#bytesMax = bytesMax;
    this.#bytes = Array.from({ length: n }, () => 0);
  }

  /** Whether no more of the lane is marked. */
  stopsMarks(lane: ValidatorIndex): boolean {
    return this.#hasCaughtUp && this.#bytes[lane]! > this.#bytesMax;
  }

  /** Whether the vote waits for a block that moves the lane beyond what q validators mark. */
  stopsVotes(lane: ValidatorIndex): boolean {
    return this.#hasCaughtUp && this.#bytes[lane]! > 2 * this.#bytesMax;
  }

  /** Heights up to here were final before the node started. */
  restore(height: number): void {
    this.#before = height;
    this.#hasCaughtUp = height === 0;
  }

  /** All batches of the block at this height are here: so many bytes of each lane. */
  settled(height: number, bytes: readonly number[]): void {
    if (height > this.#before) bytes.forEach((each, lane) => (this.#bytes[lane]! += each));
  }

  executed(height: number, bytes: readonly number[]): void {
    if (height > this.#before) bytes.forEach((each, lane) => (this.#bytes[lane]! -= each));
    if (height < this.#before) return;
    this.#hasCaughtUp ||= this.#bytes.every((each) => each <= this.#bytesMax);
  }
}
