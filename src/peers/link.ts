/**
 * One class of traffic with one peer: what waits to be sent, the stream that carries it while there
 * is one, and whether the other end is alive.
 *
 * K1. What waits is bounded. Data beyond the bound is dropped and counted: the protocol fetches gaps.
 *     Control beyond it means that the peer does not read: its stream is closed, and what was lost is
 *     said again on reconnecting (rule T3), as is control sent while there is no stream.
 * K2. Frames leave in the order of `send`, and at most IN_FLIGHT_BYTES_MAX of them are handed to gRPC
 *     before it has written them: the rest waits here, where it is counted and batched.
 * K3. A stream that brought nothing for `silentTicksMax` ticks is closed. Ticks are counted, not
 *     time: a node that was stopped itself does not take its own sleep for its peers' death.
 */
import type { PeerClass } from '../../protocols/messages.ts';
import type { ValidatorIndex } from '../../protocols/types.ts';
import { FRAME_BYTES_MAX, frameBytes, framesThatFit, unpackFrames, type Frame } from './frames.ts';

const IN_FLIGHT_BYTES_MAX = 2 * 1024 * 1024;
const HEARTBEAT = Buffer.alloc(0);

/** What both ends of gRPC's bidirectional streams have in common. */
interface MessageStream {
  write(message: Buffer, written: (error?: Error | null) => void): boolean;
  on(event: 'data', received: (message: Buffer) => void): unknown;
  pause(): unknown;
  resume(): unknown;
}

/** An open gRPC stream; `close` ends the connection beneath it, with a reason for its log line. */
export interface PeerStream {
  readonly duplex: MessageStream;
  close(reason: string): void;
}

export interface LinkStats {
  up: boolean;
  /** Times that a stream came up. */
  connects: number;
  queuedFrames: number;
  queuedBytes: number;
  sentMessages: number;
  sentFrames: number;
  sentBytes: number;
  receivedMessages: number;
  receivedFrames: number;
  receivedBytes: number;
  droppedFrames: number;
}

export interface LinkOptions {
  readonly peer: ValidatorIndex;
  readonly peerClass: PeerClass;
  readonly queueBytesMax: number;
  readonly silentTicksMax: number;
  /** Packs frames into one message; shared by all links, so that a broadcast is packed once. */
  readonly pack: (frames: readonly Frame[]) => Buffer;
  /** Asks for `flush` at the end of the current tick. */
  readonly flushSoon: (link: Link) => void;
  readonly onFrames: (link: Link, frames: readonly Frame[], message: Buffer) => void;
  readonly onUp: (link: Link) => void;
  readonly onDown: (link: Link, reason: string) => void;
  readonly onFault: (link: Link, detail: string) => void;
}

export class Link {
  readonly peer: ValidatorIndex;
  readonly peerClass: PeerClass;
  readonly stats: LinkStats = {
    up: false,
    connects: 0,
    queuedFrames: 0,
    queuedBytes: 0,
    sentMessages: 0,
    sentFrames: 0,
    sentBytes: 0,
    receivedMessages: 0,
    receivedFrames: 0,
    receivedBytes: 0,
    droppedFrames: 0,
  };
  readonly #options: LinkOptions;
  #queue: Frame[] = [];
  #stream: PeerStream | null = null;
  #inFlightBytes = 0;
  #paused = false;
  #silentTicks = 0;
  #sentSinceTick = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.peerClass = options.peerClass;
  }

  get up(): boolean {
    return this.stats.up;
  }

  /** Takes a frame to send. Throws RangeError beyond FRAME_BYTES_MAX: the caller's bug. */
  send(frame: Frame): void {
    const bytes = frameBytes(frame);
    if (bytes > FRAME_BYTES_MAX) throw new RangeError(`a frame of ${bytes} bytes is too large`);
    if (this.peerClass === 'control' && !this.up) return this.#drop(1);
    if (this.stats.queuedBytes + bytes > this.#options.queueBytesMax) {
      this.#drop(1);
      if (this.peerClass === 'control') this.close('the peer does not read: control queue full');
      return;
    }
    this.#queue.push(frame);
    this.stats.queuedFrames++;
    this.stats.queuedBytes += bytes;
    this.#options.flushSoon(this);
  }

  /** Hands to gRPC what may go now; called again when gRPC has written it. */
  flush(): void {
    let start = 0;
    while (this.up && start < this.#queue.length && this.#inFlightBytes < IN_FLIGHT_BYTES_MAX) {
      const count = framesThatFit(this.#queue, start);
      this.#write(this.#options.pack(this.#queue.slice(start, start + count)), count);
      start += count;
    }
    if (start > 0) this.#queue = this.#queue.slice(start);
  }

  #write(message: Buffer, frames: number): void {
    const stream = this.#stream;
    if (stream === null) return;
    this.stats.queuedFrames -= frames;
    this.stats.queuedBytes -= message.length;
    this.stats.sentMessages++;
    this.stats.sentFrames += frames;
    this.stats.sentBytes += message.length;
    this.#sentSinceTick = true;
    this.#inFlightBytes += message.length;
    stream.duplex.write(message, (error) => {
      if (this.#stream !== stream || error) return;
      this.#inFlightBytes -= message.length;
      if (this.#queue.length > 0) this.#options.flushSoon(this);
    });
  }

  /** Carries the link on this stream from now on; `up` when the other end has answered already. */
  attach(stream: PeerStream, up: boolean): void {
    this.close('replaced by a newer stream of the peer');
    this.#stream = stream;
    this.#inFlightBytes = 0;
    this.#silentTicks = 0;
    stream.duplex.on('data', (message: Buffer) => {
      if (this.#stream === stream) this.#receive(message);
    });
    if (this.#paused) stream.duplex.pause();
    if (!up) return;
    this.#write(HEARTBEAT, 0);
    this.#cameUp();
  }

  /** The stream has ended by itself; what a newer one replaced is of no interest. */
  detach(stream: PeerStream, reason: string): void {
    if (this.#stream !== stream) return;
    this.#stream = null;
    if (!this.up) return;
    this.stats.up = false;
    if (this.peerClass === 'control') this.#clearQueue();
    this.#options.onDown(this, reason);
  }

  close(reason: string): void {
    const stream = this.#stream;
    if (stream === null) return;
    this.detach(stream, reason);
    stream.close(reason);
  }

  /** Stops reading: TCP's own flow control then stops the peer. Outlasts reconnecting. */
  pause(): void {
    this.#paused = true;
    this.#stream?.duplex.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#silentTicks = 0;
    this.#stream?.duplex.resume();
  }

  /** Called at a steady rate: says that this end lives, and notices when the other does not. */
  tick(): void {
    if (this.#stream === null) return;
    if (!this.#sentSinceTick && this.#inFlightBytes === 0 && this.up) this.#write(HEARTBEAT, 0);
    this.#sentSinceTick = false;
    if (this.#paused || ++this.#silentTicks <= this.#options.silentTicksMax) return;
    this.close('silent for too long');
  }

  #receive(message: Buffer): void {
    this.#silentTicks = 0;
    if (!this.up) this.#cameUp();
    this.stats.receivedMessages++;
    this.stats.receivedBytes += message.length;
    if (message.length === 0) return;
    const frames = unpackFrames(message);
    if (typeof frames === 'string') {
      this.#options.onFault(this, frames);
      return this.close(`broke the framing: ${frames}`);
    }
    this.stats.receivedFrames += frames.length;
    this.#options.onFrames(this, frames, message);
  }

  #cameUp(): void {
    this.stats.up = true;
    this.stats.connects++;
    this.#options.onUp(this);
    if (this.#queue.length > 0) this.#options.flushSoon(this);
  }

  #drop(frames: number): void {
    this.stats.droppedFrames += frames;
  }

  #clearQueue(): void {
    this.#drop(this.#queue.length);
    this.#queue = [];
    this.stats.queuedFrames = 0;
    this.stats.queuedBytes = 0;
  }
}
