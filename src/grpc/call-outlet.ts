/**
 * Where a subscription's items go over gRPC: to a call whose answers are a stream.
 *
 * G9. Of what waits for a client one message is with its connection. The rest are items that all
 *     subscribers share, within S8, and are let go of when the stream ends: where to resume says the
 *     status.
 */
import type { ServerWritableStream } from '@grpc/grpc-js';
import { Problem } from '../edge/problem.ts';
import type { Subscribed } from '../stream/hub.ts';
import { encoded, isProgress, type Encoder, type Item } from '../stream/item.ts';
import type { EndCode, Ending, Outlet } from '../stream/subscription.ts';
import { problemStatus } from './problem-status.ts';

/** A call of one request that is answered by messages which are encoded already. */
export type WatchCall<Request = unknown> = ServerWritableStream<Request, Uint8Array>;

const STATUSES: Readonly<Record<EndCode, number>> = {
  slow_consumer: 429,
  draining: 503,
  log_unreadable: 503,
};

export class CallOutlet implements Outlet {
  readonly #call: WatchCall;
  readonly #encoder: Encoder<Uint8Array>;
  /** Below so many bytes there is room again. */
  readonly #roomBytes: number;
  #subscribed: Subscribed | null = null;
  /** What was not written, from `#next` on. */
  #items: readonly Item[] = [];
  #next = 0;
  /** The last that was. */
  #written: Item | null = null;
  #isWriting = false;
  #isOver = false;
  #waitingBytes = 0;
  #takenBytes = 0;

  constructor(call: WatchCall, encoder: Encoder<Uint8Array>, outletBytesMax: number) {
    this.#call = call;
    this.#encoder = encoder;
    this.#roomBytes = outletBytesMax / 2;
    call.on('cancelled', () => this.#gone());
  }

  /** To be called at once. */
  feeds(subscribed: Subscribed): void {
    this.#subscribed = subscribed;
    // It may have gone meanwhile.
    if (this.#isOver) subscribed.end();
  }

  waitingBytes(): number {
    return this.#waitingBytes;
  }

  takenBytes(): number {
    return this.#takenBytes;
  }

  send(items: readonly Item[]): number {
    if (this.#isOver) return items.length;
    const written = encoded(items, this.#encoder);
    for (const each of written) this.#waitingBytes += each.length;
    this.#items = [...this.#items.slice(this.#next), ...items.slice(0, written.length)];
    this.#next = 0;
    this.#write();
    return written.length;
  }

  /** Says again how far it is: proxies end streams that are silent. */
  keepAlive(): void {
    const last = this.#written;
    if (last !== null && this.#waitingBytes === 0 && isProgress(last)) this.send([last]);
  }

  close({ code, detail, resume }: Ending): void {
    if (this.#isOver) return;
    const place = this.#next < this.#items.length ? this.#written!.id : resume;
    this.#drop();
    fail(this.#call, new Problem(STATUSES[code], code, detail, { extras: { resume: place } }));
  }

  #write(): void {
    const item = this.#items[this.#next];
    if (this.#isWriting || this.#isOver || item === undefined) return;
    this.#next++;
    this.#isWriting = true;
    this.#written = item;
    const bytes = item.as(this.#encoder);
    this.#call.write(bytes, () => {
      this.#isWriting = false;
      this.#waitingBytes -= bytes.length;
      this.#takenBytes += bytes.length;
      if (this.#waitingBytes < this.#roomBytes) this.#subscribed?.resume();
      this.#write();
    });
  }

  #gone(): void {
    this.#drop();
    this.#subscribed?.end();
  }

  #drop(): void {
    this.#isOver = true;
    this.#items = [];
    this.#next = 0;
  }
}

/** Ends a call that is answered by a stream, after what was written. */
export function fail(call: WatchCall, problem: Problem): void {
  call.emit('error', problemStatus(problem));
}
