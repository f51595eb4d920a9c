/**
 * One flow of a link, as its sender sees it: what was sent and not taken yet, and what waits here.
 *
 * I16. Never more than the flow's window of messages is outstanding, and never more than its window
 *      of bytes and one parcel.
 * I17. Credit comes back only for what was sent, so outstanding is never negative.
 */
import { bytesOf } from './bodies.ts';
import { coalescingKey, windowOf, type Flow, type Parcel, type Window } from './parcel.ts';

interface Waiting {
  /** Null once a newer report has taken its place. */
  parcel: Parcel | null;
  readonly bytes: number;
}

export class OutFlow {
  readonly flow: Flow;
  readonly window: Window;
  readonly outstanding = { messages: 0, bytes: 0 };
  readonly waiting = { messages: 0, bytes: 0 };
  #queue: Waiting[] = [];
  #head = 0;
  readonly #reports = new Map<string, Waiting>();

  constructor(flow: Flow) {
    this.flow = flow;
    this.window = windowOf(flow);
  }

  push(parcel: Parcel): void {
    const entry: Waiting = { parcel, bytes: bytesOf(parcel) };
    const key = coalescingKey(parcel);
    if (key !== null) {
      const older = this.#reports.get(key);
      if (older !== undefined && older.parcel !== null) this.#leave(older);
      this.#reports.set(key, entry);
    }
    this.#queue.push(entry);
    this.waiting.messages++;
    this.waiting.bytes += entry.bytes;
  }

  /** Whether credit lets the next parcel go. */
  get open(): boolean {
    const { outstanding, window } = this;
    return outstanding.messages < window.messages && outstanding.bytes < window.bytes;
  }

  /** The next parcel that may go, or null; it is outstanding from now on. */
  next(): Parcel | null {
    while (this.#head < this.#queue.length && this.open) {
      const entry = this.#queue[this.#head++] as Waiting;
      const { parcel } = entry;
      if (parcel === null) continue;
      this.#leave(entry);
      this.outstanding.messages++;
      this.outstanding.bytes += entry.bytes;
      return parcel;
    }
    if (this.#head === this.#queue.length) {
      this.#queue = [];
      this.#head = 0;
      this.#reports.clear();
    }
    return null;
  }

  returned(messages: number, bytes: number): void {
    this.outstanding.messages -= messages;
    this.outstanding.bytes -= bytes;
  }

  #leave(entry: Waiting): void {
    entry.parcel = null;
    this.waiting.messages--;
    this.waiting.bytes -= entry.bytes;
  }
}

/** The same flow as its receiver sees it: what its actors took and the sender was not told of yet. */
export class InFlow {
  readonly #window: Window;
  #messages = 0;
  #bytes = 0;

  constructor(flow: Flow) {
    this.#window = windowOf(flow);
  }

  took(messages: number, bytes: number): void {
    this.#messages += messages;
    this.#bytes += bytes;
  }

  get owed(): boolean {
    return this.#messages > 0;
  }

  /** Enough to be worth a frame of its own; a blocked sender is always owed that much. */
  get pressing(): boolean {
    return this.#messages * 4 >= this.#window.messages || this.#bytes * 4 >= this.#window.bytes;
  }

  take(): readonly [number, number] {
    const owed = [this.#messages, this.#bytes] as const;
    this.#messages = 0;
    this.#bytes = 0;
    return owed;
  }
}
