/** Channels of node:http and `ws`. */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { SILENT_MS_MAX, type Channel, type ChannelEvents } from './channel.ts';
import type { RawHead } from './exchange.ts';

const NO_EVENTS: ChannelEvents = { drained() {}, message() {}, closed() {} };
/** How long a client may take to answer the end of a WebSocket. */
const CLOSE_MS = 10_000;

/** An answer whose body goes on. */
export class BodyChannel implements Channel {
  readonly #response: ServerResponse;
  #events = NO_EVENTS;
  #sentBytes = 0;
  #ended = false;

  constructor(response: ServerResponse, { status, headers }: RawHead) {
    this.#response = response;
    response.statusCode = status;
    for (const [name, value] of headers) response.setHeader(name, value);
    response.setHeader('connection', 'close');
    response.flushHeaders();
  }

  on(events: ChannelEvents): void {
    this.#events = events;
  }

  waitingBytes(): number {
    return this.#ended ? 0 : this.#response.writableLength;
  }

  takenBytes(): number {
    return this.#sentBytes - this.waitingBytes();
  }

  send(messages: readonly (string | Uint8Array)[]): void {
    if (this.#ended || messages.length === 0) return;
    const isText = messages.every((each) => typeof each === 'string');
    const bytes = isText
      ? messages.join('')
      : Buffer.concat(messages.map((each) => Buffer.from(each)));
    this.#sentBytes += Buffer.byteLength(bytes);
    // Not by 'drain': below the stream's own mark there is none, and that mark is another with each Node.js.
    this.#response.write(bytes, () => this.#events.drained());
  }

  ping(): void {}

  end(): void {
    if (this.#ended) return;
    this.#response.end();
    this.closed();
  }

  /** The client has gone. */
  closed(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.closed();
  }
}

export class SocketChannel implements Channel {
  readonly #webSocket: WebSocket;
  readonly #socket: Socket;
  #events = NO_EVENTS;
  #sentBytes = 0;
  #ended = false;
  #heardAtMs = performance.now();

  constructor(webSocket: WebSocket, socket: Socket) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    // What breaks a rule of the protocol is closed by `ws` with the code that belongs to it.
    webSocket.on('error', () => undefined);
    webSocket.on('close', () => this.#closed());
    webSocket.on('pong', () => this.#heard());
    webSocket.on('message', (data: RawData, isBinary) => {
      this.#heard();
      if (!this.#ended) this.#events.message(data as Buffer, !isBinary);
    });
  }

  on(events: ChannelEvents): void {
    this.#events = events;
  }

  waitingBytes(): number {
    return this.#ended ? 0 : this.#webSocket.bufferedAmount;
  }

  takenBytes(): number {
    return this.#sentBytes - this.waitingBytes();
  }

  send(messages: readonly (string | Uint8Array)[]): void {
    if (this.#ended) return;
    this.#socket.cork();
    for (const message of messages) {
      this.#sentBytes += Buffer.byteLength(message);
      this.#webSocket.send(message, () => this.#events.drained());
    }
    this.#socket.uncork();
  }

  ping(): void {
    if (this.#ended) return;
    if (performance.now() - this.#heardAtMs > SILENT_MS_MAX) this.#webSocket.terminate();
    else this.#webSocket.ping();
  }

  #heard(): void {
    this.#heardAtMs = performance.now();
  }

  end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#webSocket.close(code, reason);
    setTimeout(() => this.#webSocket.terminate(), CLOSE_MS).unref();
    this.#closed();
  }

  #closed(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#events.closed();
  }
}
