/**
 * One direction between two threads of a node. `postMessage` knows no backpressure, so the receiver
 * grants credits: it acknowledges a frame once its actors took what was in it.
 *
 * I13. At most WINDOW items and WINDOW_BYTES of bodies are sent and not acknowledged; the rest waits
 *      with the sender, where `isFull` refuses clients and cumulative reports replace each other.
 * I14. Items arrive in the order in which they were sent, each once.
 */
import { packItems, type CrossingFrame } from './frame.ts';
import { supersedes, whenFull, type Item } from './traffic.ts';

const WINDOW = 4096;
const WINDOW_BYTES = 32 * 1024 * 1024;
/** Items that wait here before clients are refused and what can be said again is not sent. */
const WAITING_MAX = 8192;

export interface FramePort {
  postMessage(frame: CrossingFrame, transfer: readonly ArrayBuffer[]): void;
}

export interface LinkOptions {
  /** Runs `flush` once at the end of the current tick. */
  readonly later: (flush: () => void) => void;
  /** There is room again after the link was full. */
  readonly onRoom?: () => void;
  readonly window?: number;
  readonly waitingMax?: number;
}

interface Sent {
  readonly items: number;
  readonly bytes: number;
}

export class Link {
  readonly #port: FramePort;
  readonly #later: LinkOptions['later'];
  readonly #onRoom: () => void;
  readonly #window: number;
  readonly #waitingMax: number;
  #waiting: Item[] = [];
  #sent: Sent[] = [];
  #outstanding = 0;
  #outstandingBytes = 0;
  #flushing = false;
  /** Items not sent because the receiver was too far behind: the protocol says them again. */
  resendLater = 0;

  constructor(port: FramePort, options: LinkOptions) {
    this.#port = port;
    this.#later = options.later;
    this.#onRoom = options.onRoom ?? (() => {});
    this.#window = options.window ?? WINDOW;
    this.#waitingMax = options.waitingMax ?? WAITING_MAX;
  }

  /** Items that wait for credit. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  /** The receiver does not keep up: take nothing more from clients and peers for now. */
  get isFull(): boolean {
    return this.#outstanding >= this.#window || this.#outstandingBytes >= WINDOW_BYTES;
  }

  send(item: Item): void {
    if (this.isFull && !this.#admit(item)) return;
    this.#waiting.push(item);
    this.#flushLater();
  }

  /** What becomes of an item while the receiver is behind (traffic.ts). */
  #admit(item: Item): boolean {
    const policy = whenFull(item);
    if (policy === 'resendLater' && this.#waiting.length >= this.#waitingMax) {
      this.resendLater++;
      return false;
    }
    if (policy !== 'coalesce') return true;
    const at = this.#waiting.findLastIndex((older) => supersedes(item, older));
    if (at === -1) return true;
    this.#waiting.splice(at, 1);
    return true;
  }

  /** The receiver took so many frames more. */
  acknowledged(frames: number): void {
    if (frames > this.#sent.length) throw new Error('frames were acknowledged that were never sent');
    const wasFull = this.isFull;
    for (const sent of this.#sent.splice(0, frames)) {
      this.#outstanding -= sent.items;
      this.#outstandingBytes -= sent.bytes;
    }
    if (wasFull && !this.isFull) this.#onRoom();
    if (this.#waiting.length > 0) this.#flushLater();
  }

  #flushLater(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#later(() => {
      this.#flushing = false;
      this.flush();
    });
  }

  /** Sends what waits, as far as credit reaches: at least one frame when nothing is outstanding. */
  flush(): void {
    if (this.#waiting.length === 0 || this.isFull) return;
    const room = this.#window - this.#outstanding;
    const items = this.#waiting.length <= room ? this.#waiting : this.#waiting.slice(0, room);
    this.#waiting = items === this.#waiting ? [] : this.#waiting.slice(room);
    const { frame, transfer } = packItems(items);
    const bytes = transfer.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    this.#sent.push({ items: items.length, bytes });
    this.#outstanding += items.length;
    this.#outstandingBytes += bytes;
    this.#port.postMessage(frame, transfer);
  }
}
