/**
 * One direction between two threads of a node. `postMessage` knows no backpressure, so the receiver
 * grants credits: it acknowledges a frame once its actors took what was in it.
 *
 * I13. At most WINDOW items, and WINDOW_BYTES and one item, are sent and not acknowledged (control
 *      apart, which is bounded by what it is); the rest waits with the sender.
 * I14. Items of one class arrive in the order in which they were sent, each once.
 */
import { packItems, type CrossingFrame } from './frame.ts';
import {
  bytesOf,
  classOf,
  ITEM_CLASSES,
  SHARES,
  supersedes,
  whenBehind,
  type Item,
  type ItemClass,
} from './traffic.ts';

const WINDOW = 4096;
const WINDOW_BYTES = 32 * 1024 * 1024;
/** Items that wait here before what can be said again is not sent. */
const WAITING_MAX = 8192;
/** A frame is closed once it weighs this much, so that the receiver can start on it. */
const FRAME_BYTES_MAX = 4 * 1024 * 1024;

export interface FramePort {
  postMessage(frame: CrossingFrame, transfer: readonly ArrayBuffer[]): void;
}

export interface LinkOptions {
  /** Runs `flush` once at the end of the current tick. */
  readonly later: (flush: () => void) => void;
  /** There is room again after `isFull` was true. */
  readonly onRoom?: () => void;
  readonly window?: number;
  readonly windowBytes?: number;
  readonly waitingMax?: number;
}

interface Load {
  items: number;
  bytes: number;
}

export class Link {
  readonly #port: FramePort;
  readonly #options: LinkOptions;
  readonly #window: Load;
  readonly #queues: Readonly<Record<ItemClass, Item[]>> = {
    control: [],
    local: [],
    peerControl: [],
    peerData: [],
    client: [],
  };
  /** Frames that are not acknowledged yet, oldest first, and their sum. */
  #frames: Load[] = [];
  readonly #outstanding: Load = { items: 0, bytes: 0 };
  readonly #waiting: Load = { items: 0, bytes: 0 };
  #flushing = false;
  #saidFull = false;
  /** Items not sent because the receiver was too far behind: the protocol says them again. */
  resendLater = 0;

  constructor(port: FramePort, options: LinkOptions) {
    this.#port = port;
    this.#options = options;
    this.#window = {
      items: options.window ?? WINDOW,
      bytes: options.windowBytes ?? WINDOW_BYTES,
    };
  }

  /** Items that have not left yet. */
  get waiting(): number {
    return this.#waiting.items;
  }

  get waitingBytes(): number {
    return this.#waiting.bytes;
  }

  get outstanding(): number {
    return this.#outstanding.items;
  }

  get outstandingBytes(): number {
    return this.#outstanding.bytes;
  }

  /** The receiver does not keep up: take nothing more of this class from outside for now. */
  isFull(itemClass: ItemClass): boolean {
    const share = SHARES[itemClass];
    const items = this.#outstanding.items + this.#waiting.items;
    const bytes = this.#outstanding.bytes + this.#waiting.bytes;
    const isFull = items >= this.#window.items * share || bytes >= this.#window.bytes * share;
    if (isFull) this.#saidFull = true;
    return isFull;
  }

  send(item: Item): void {
    const queue = this.#queues[classOf(item)];
    if (queue.length > 0 && !this.#admit(item, queue)) return;
    queue.push(item);
    this.#count(this.#waiting, 1, bytesOf(item));
    this.#flushLater();
  }

  /** What becomes of an item while others of its class wait (traffic.ts). */
  #admit(item: Item, queue: Item[]): boolean {
    const policy = whenBehind(item);
    if (policy === 'resendLater' && queue.length >= (this.#options.waitingMax ?? WAITING_MAX)) {
      this.resendLater++;
      return false;
    }
    if (policy !== 'coalesce') return true;
    const at = queue.findLastIndex((older) => supersedes(item, older));
    if (at === -1) return true;
    for (const older of queue.splice(at, 1)) this.#count(this.#waiting, -1, -bytesOf(older));
    return true;
  }

  /** The receiver took so many frames more. */
  acknowledged(frames: number): void {
    if (frames > this.#frames.length) {
      throw new Error('frames were acknowledged that were never sent');
    }
    for (const { items, bytes } of this.#frames.splice(0, frames)) {
      this.#count(this.#outstanding, -items, -bytes);
    }
    if (this.#waiting.items > 0) this.#flushLater();
    if (!this.#saidFull || this.isFull('client')) return;
    this.#saidFull = false;
    this.#options.onRoom?.();
  }

  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.later(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  /** Sends what waits, in the order of the classes, as far as credit reaches. */
  flush(): void {
    for (let frame = this.#nextFrame(); frame.items.length > 0; frame = this.#nextFrame()) {
      const { items, bytes } = frame;
      this.#frames.push({ items: items.length, bytes });
      const packed = packItems(items);
      this.#port.postMessage(packed.frame, packed.transfer);
    }
  }

  #nextFrame(): { readonly items: Item[]; readonly bytes: number } {
    const items: Item[] = [];
    const before = this.#outstanding.bytes;
    for (const itemClass of ITEM_CLASSES) {
      const queue = this.#queues[itemClass];
      let taken = 0;
      while (taken < queue.length && this.#outstanding.bytes - before < FRAME_BYTES_MAX) {
        if (!this.#hasCredit(itemClass)) break;
        const item = queue[taken++] as Item;
        items.push(item);
        const bytes = bytesOf(item);
        this.#count(this.#waiting, -1, -bytes);
        this.#count(this.#outstanding, 1, bytes);
      }
      if (taken > 0) queue.splice(0, taken);
    }
    return { items, bytes: this.#outstanding.bytes - before };
  }

  #hasCredit(itemClass: ItemClass): boolean {
    const share = SHARES[itemClass];
    const { items, bytes } = this.#outstanding;
    return items < this.#window.items * share && bytes < this.#window.bytes * share;
  }

  #count(load: Load, items: number, bytes: number): void {
    load.items += items;
    load.bytes += bytes;
  }
}
