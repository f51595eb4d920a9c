/**
 * Channels of uWebSockets.js. What it does not send at once it keeps, without a bound of its own here:
 * the hub stops handing over before that grows (S8).
 */
import type { HttpResponse, WebSocket, WebSocketBehavior } from 'uWebSockets.js';
import { MESSAGE_BYTES_MAX, SILENT_MS_MAX, type Channel, type ChannelEvents } from './channel.ts';
import type { RawHead } from './exchange.ts';

const NO_EVENTS: ChannelEvents = { drained() {}, message() {}, closed() {} };

/** An answer whose body goes on. */
export class BodyChannel implements Channel {
  readonly #response: HttpResponse;
  #events = NO_EVENTS;
  #sentBytes = 0;
  /** Of those, what uWebSockets.js was given when it said that it had to keep some: all of it, here. */
  #keptBytes = 0;
  #ended = false;

  constructor(response: HttpResponse, statusLine: string, { headers }: RawHead) {
    this.#response = response;
    response.onWritable(() => this.#writable());
    response.cork(() => {
      response.writeStatus(statusLine);
      for (const [name, value] of headers) response.writeHeader(name, value);
      // Sends the head.
      response.write('\n');
    });
  }

  on(events: ChannelEvents): void {
    this.#events = events;
  }

  waitingBytes(): number {
    return this.#keptBytes;
  }

  takenBytes(): number {
    return this.#sentBytes - this.#keptBytes;
  }

  send(messages: readonly (string | Uint8Array)[]): void {
    for (const piece of joined(messages)) this.#write(piece);
  }

  #write(piece: string | Uint8Array): void {
    if (this.#ended || piece.length === 0) return;
    const bytes = Buffer.byteLength(piece);
    this.#sentBytes += bytes;
    // What is short it takes for sent even behind what it keeps.
    if (!this.#isOut(piece) || this.#keptBytes > 0) this.#keptBytes += bytes;
  }

  #isOut(piece: string | Uint8Array): boolean {
    let isOut = false;
    this.#response.cork(() => (isOut = this.#response.write(piece)));
    return isOut;
  }

  /** What is kept goes out only as something is written: a line that means nothing. */
  #writable(): boolean {
    if (this.#ended) return true;
    if (this.#isOut('\n')) {
      this.#keptBytes = 0;
      this.#events.drained();
    } else {
      // The client took something, and nobody says how much.
      this.#keptBytes = Math.max(1, this.#keptBytes - 1);
    }
    return true;
  }

  ping(): void {}

  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#response.cork(() => this.#response.end('', true));
    this.#events.closed();
  }

  /** The client has gone. */
  aborted(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.closed();
  }
}

/** Pieces of one body, as one where they are text. */
function joined(messages: readonly (string | Uint8Array)[]): readonly (string | Uint8Array)[] {
  return messages.every((each) => typeof each === 'string') ? [messages.join('')] : messages;
}

/**
 * What a WebSocket of uWebSockets.js carries with it. Members are copied, so the channel, which is made
 * when it opens, has a holder.
 */
export interface SocketData {
  readonly holder: { channel: SocketChannel | null };
}

export class SocketChannel implements Channel {
  readonly #socket: WebSocket<SocketData>;
  #events = NO_EVENTS;
  #sentBytes = 0;
  #ended = false;

  constructor(socket: WebSocket<SocketData>) {
    this.#socket = socket;
  }

  on(events: ChannelEvents): void {
    this.#events = events;
  }

  waitingBytes(): number {
    return this.#ended ? 0 : this.#socket.getBufferedAmount();
  }

  takenBytes(): number {
    return this.#sentBytes - this.waitingBytes();
  }

  send(messages: readonly (string | Uint8Array)[]): void {
    if (this.#ended) return;
    this.#socket.cork(() => {
      for (const message of messages) {
        this.#sentBytes += Buffer.byteLength(message);
        this.#socket.send(message, typeof message !== 'string');
      }
    });
  }

  /** uWebSockets.js does it by itself. */
  ping(): void {}

  end(code: number, reason: string): void {
    // Calls `closed` at once.
    if (!this.#ended) this.#socket.end(code, reason);
  }

  drained(): void {
    this.#events.drained();
  }

  message(data: ArrayBuffer, isBinary: boolean): void {
    if (!this.#ended) this.#events.message(new Uint8Array(data), !isBinary);
  }

  closed(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.closed();
  }
}

/** Without `upgrade`. */
export const SOCKET_BEHAVIOR: WebSocketBehavior<SocketData> = {
  maxPayloadLength: MESSAGE_BYTES_MAX,
  idleTimeout: SILENT_MS_MAX / 1_000,
  sendPingsAutomatically: true,
  // None: a message that it would drop is never sent.
  maxBackpressure: 0,
  open(socket) {
    socket.getUserData().holder.channel = new SocketChannel(socket);
  },
  message(socket, data, isBinary) {
    socket.getUserData().holder.channel?.message(data, isBinary);
  },
  drain(socket) {
    socket.getUserData().holder.channel?.drained();
  },
  close(socket) {
    socket.getUserData().holder.channel?.closed();
  },
};
