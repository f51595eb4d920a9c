/**
 * One lane read from the log along the cuts of final blocks.
 *
 * I71. What is handed out is the chain that the cut names, digest by digest: where the batch stored
 *      first for a seq is not the one in the cut, the fork stream's is taken in its place.
 * I101. What is asked for is read whatever is in memory already; beyond it, reading ahead stops at a
 *      bound. So any block that can be final is handed out in the end, and at most the batches of one
 *      block and a read more are in memory: as many as a lane may hold above its base (I74).
 */
import { InvariantViolation, type LogEvent } from '../machine.ts';
import type { Effect } from '../messages.ts';
import { readEvent } from '../stored.ts';
import { batchDigest, batchHeader } from '../structures.ts';
import { ZERO_DIGEST, type Digest, type Tip, type ValidatorIndex } from '../types.ts';
import { laneStream } from './events.ts';
import { feedBytes, type FeedBytes, type Setting } from './setting.ts';

const READ_BATCHES_MAX = 1024;

interface Stored {
  readonly parent: Digest;
  readonly digest: Digest;
  readonly payload: Uint8Array;
}

export class LaneReader {
  readonly #setting: Setting;
  readonly #lane: ValidatorIndex;
  readonly #tag: string;
  readonly #limits: FeedBytes;
  /** The first batches by seq, contiguous up to `#next`. */
  readonly #stored = new Map<number, Stored>();
  readonly #forks = new Map<Digest, Stored>();
  #bytes = 0;
  /** The seq to read next; null before the first. */
  #next: number | null = null;
  /** What is being read: the lane from `seq` on, or the fork of this digest. */
  #reading: { readonly seq: number; readonly digest: Digest | null } | null = null;

  constructor(setting: Setting, lane: ValidatorIndex, tag: string) {
    this.#setting = setting;
    this.#lane = lane;
    this.#tag = tag;
    this.#limits = feedBytes(setting.cluster);
  }

  /**
   * The payloads between two tips of the lane, ascending, or null while they are being read. Reads
   * ahead up to `last`.
   */
  collect(from: Tip, to: Tip, last: number, out: Effect[]): readonly Uint8Array[] | null {
    this.#next ??= from.seq + 1;
    const lacks = this.#next <= to.seq;
    const isLow = this.#bytes < this.#limits.readLow;
    if (lacks || (isLow && this.#next <= last)) this.#readLane(last, out);
    if (lacks) return null;
    const payloads: Uint8Array[] = [];
    let want = to.digest;
    for (let seq = to.seq; seq > from.seq; seq--) {
      const stored = this.#find(seq, want, out);
      if (stored === null) return null;
      payloads.push(stored.payload);
      want = stored.parent;
    }
    if (want !== from.digest) throw this.#gap(from.seq, want);
    return payloads.reverse();
  }

  dropTo(seq: number): void {
    for (const [at, { payload }] of this.#stored) {
      if (at > seq) break;
      this.#stored.delete(at);
      this.#bytes -= payload.length;
    }
    this.#forks.clear();
  }

  logRead(tag: string, events: readonly LogEvent[]): void {
    if (tag !== this.#tag) return;
    const reading = this.#reading;
    this.#reading = null;
    if (reading === null) return;
    if (events.length === 0) throw this.#gap(reading.seq, reading.digest ?? ZERO_DIGEST);
    for (const event of events) {
      const stored = this.#open(event);
      if (reading.digest !== null) this.#forks.set(stored.digest, stored);
      else {
        this.#stored.set(event.seq, stored);
        this.#bytes += stored.payload.length;
        this.#next = event.seq + 1;
      }
    }
  }

  #readLane(last: number, out: Effect[]): void {
    if (this.#reading !== null) return;
    const from = this.#next!;
    const to = Math.min(last + 1, from + READ_BATCHES_MAX);
    this.#reading = { seq: from, digest: null };
    const range = { stream: laneStream(this.#lane), from, to, bytesMax: this.#limits.readMax };
    out.push({ kind: 'readLog', tag: this.#tag, ...range });
  }

  #find(seq: number, digest: Digest, out: Effect[]): Stored | null {
    const first = this.#stored.get(seq);
    if (first?.digest === digest) return first;
    const fork = this.#forks.get(digest);
    if (fork !== undefined) return fork;
    if (this.#reading === null) {
      this.#reading = { seq, digest };
      out.push({ kind: 'findLog', tag: this.#tag, key: digest });
    }
    return null;
  }

  #open(event: LogEvent): Stored {
    const header = readEvent(batchHeader, event);
    const digest = batchDigest(this.#setting.crypto, this.#setting.cluster.id, header);
    if (event.body === undefined) throw this.#gap(header.seq, digest);
    return { parent: header.parentDigest, digest, payload: event.body };
  }

  #gap(seq: number, digest: Digest): InvariantViolation {
    return new InvariantViolation(
      'final_batch_missing',
      `a final block names batch ${digest} of lane ${this.#lane} at seq ${seq}, which the log ` +
        'does not have; run `althing log verify`',
    );
  }
}
