/**
 * One direction between two threads of a node. `postMessage` knows no backpressure, so the receiver
 * grants credits: it acknowledges a frame once its actors took what was in it.
 *
 * I13. At most WINDOW items, and WINDOW_BYTES and one item, are sent and not acknowledged (control
 *      apart, which is bounded by what it is); the rest waits with the sender.
 * I14. Items of one class arrive in the order in which they were sent, each once.
 * I24. One peer fills no more than its share of the window (and one item), and as many as may be faulty
 *      leave room for all others, clients too: who floods this node is not read from.
 */
import type { ValidatorIndex } from '../protocols/types.ts';
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
  /** Part of a class's share of the window that one peer may fill (`peerShare`). Default: all of it. */
  readonly peerShare?: number;
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
  #frames: { readonly load: Load; readonly ofPeers: ReadonlyMap<ValidatorIndex, Load> }[] = [];
  readonly #outstanding: Load = { items: 0, bytes: 0 };
  readonly #waiting: Load = { items: 0, bytes: 0 };
  /** What came from each peer and is not acknowledged yet. */
  readonly #ofPeers = new Map<ValidatorIndex, Load>();
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
    const items = this.#outstanding.items + this.#waiting.items;
    const bytes = this.#outstanding.bytes + this.#waiting.bytes;
    return this.#fills({ items, bytes }, SHARES[itemClass]);
  }

  /** Or not with this peer: take nothing more of this class from it for now. */
  isFullFor(peer: ValidatorIndex, itemClass: ItemClass): boolean {
    const share = SHARES[itemClass] * (this.#options.peerShare ?? 1);
    return this.isFull(itemClass) || this.#fills(loadOf(this.#ofPeers, peer), share);
  }

  #fills({ items, bytes }: Load, share: number): boolean {
    const fills = items >= this.#window.items * share || bytes >= this.#window.bytes * share;
    if (fills) this.#saidFull = true;
    return fills;
  }

  send(item: Item): void {
    const queue = this.#queues[classOf(item)];
    if (queue.length > 0 && !this.#admit(item, queue)) return;
    queue.push(item);
    const bytes = bytesOf(item);
    count(this.#waiting, 1, bytes);
    if (item.kind === 'peerIn') count(loadOf(this.#ofPeers, item.from), 1, bytes);
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
    for (const older of queue.splice(at, 1)) count(this.#waiting, -1, -bytesOf(older));
    return true;
  }

  /** The receiver took so many frames more. */
  acknowledged(frames: number): void {
    if (frames > this.#frames.length) {
      throw new Error('frames were acknowledged that were never sent');
    }
    for (const { load, ofPeers } of this.#frames.splice(0, frames)) {
      count(this.#outstanding, -load.items, -load.bytes);
      for (const [peer, { items, bytes }] of ofPeers) {
        count(loadOf(this.#ofPeers, peer), -items, -bytes);
      }
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
      this.#frames.push({ load: { items: items.length, bytes }, ofPeers: peersOf(items) });
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
        count(this.#waiting, -1, -bytes);
        count(this.#outstanding, 1, bytes);
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
}

function loadOf(loads: Map<ValidatorIndex, Load>, peer: ValidatorIndex): Load {
  const known = loads.get(peer);
  if (known !== undefined) return known;
  const load = { items: 0, bytes: 0 };
  loads.set(peer, load);
  return load;
}

function peersOf(items: readonly Item[]): ReadonlyMap<ValidatorIndex, Load> {
  const loads = new Map<ValidatorIndex, Load>();
  for (const item of items) {
    if (item.kind === 'peerIn') count(loadOf(loads, item.from), 1, bytesOf(item));
  }
  return loads;
}

function count(load: Load, items: number, bytes: number): void {
  load.items += items;
  load.bytes += bytes;
}
