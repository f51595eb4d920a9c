/** Exchanges of node:http: a request with its response, and the handshake of a WebSocket. */
import { IncomingMessage, STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { WebSocketServer } from 'ws';
import type { Problem } from '../edge/problem.ts';
import type { Channel } from './channel.ts';
import {
  HeaderCollector,
  isHandshake,
  type Exchange,
  type Header,
  type RawHandshake,
  type RawHead,
  type RawReply,
} from './exchange.ts';
import { BodyChannel, SocketChannel } from './fallback-channels.ts';
import { PROBLEM_TYPE } from './request.ts';

export function refusal(problem: Problem): RawReply {
  return {
    status: problem.status,
    headers: [['content-type', PROBLEM_TYPE]],
    body: problem.toJson(STATUS_CODES[problem.status] ?? 'Error'),
    close: true,
  };
}

/** An answer where node:http has no response to write it to. */
export function wire({ status, headers, body }: RawReply): Uint8Array {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...lines,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '\r\n',
  ].join('\r\n');
  return Buffer.concat([Buffer.from(head), Buffer.from(body)]);
}

/** What both kinds of exchanges read from a request. */
class NodeRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly ambiguous: string | null;
  readonly address: string;

  constructor(request: IncomingMessage) {
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.method = request.method ?? 'GET';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
    const { headers, ambiguous } = collect(request.rawHeaders);
    this.headers = headers;
    this.ambiguous = ambiguous;
    this.address = request.socket.remoteAddress ?? '';
  }
}

function collect(raw: readonly string[]): HeaderCollector {
  const collected = new HeaderCollector();
  for (let i = 0; i + 1 < raw.length; i += 2) {
    collected.add((raw[i] ?? '').toLowerCase(), raw[i + 1] ?? '');
  }
  return collected;
}

export class NodeExchange extends NodeRequest implements Exchange {
  readonly isHandshake = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #body: BodyChannel | null = null;
  #done = false;
  #aborted: (() => void) | null = null;

  constructor(request: IncomingMessage, response: ServerResponse) {
    super(request);
    this.#request = request;
    this.#response = response;
    // Without a listener an `error` of either would end the process; `close` follows both.
    request.on('error', () => this.#gone());
    response.on('error', () => this.#gone());
    response.on('close', () => this.#gone());
  }

  #gone(): void {
    this.#body?.closed();
    if (this.#done) return;
    this.#done = true;
    this.#aborted?.();
  }

  /** Whether its body has come. */
  get isWhole(): boolean {
    return this.#request.complete;
  }

  /** Answers in the server's stead, which takes the client for gone. */
  refuse(problem: Problem): void {
    if (this.#done) return;
    this.#aborted?.();
    this.reply(refusal(problem));
  }

  onBody(take: (chunk: Uint8Array, last: boolean) => void): void {
    this.#request.on('data', (chunk: Buffer) => take(chunk, false));
    this.#request.on('end', () => take(new Uint8Array(0), true));
  }

  onAborted(told: () => void): void {
    this.#aborted = told;
  }

  reply({ status, headers, body, close }: RawReply): void {
    if (this.#done) return;
    this.#done = true;
    const response = this.#response;
    response.statusCode = status;
    for (const [name, value] of headers) response.setHeader(name, value);
    response.setHeader('content-length', Buffer.byteLength(body));
    if (close) response.setHeader('connection', 'close');
    response.end(body);
  }
  replyOpen(head: RawHead): Channel | null {
    if (this.#done) return null;
    this.#done = true;
    this.#body = new BodyChannel(this.#response, head);
    return this.#body;
  }

  upgrade(): null {
    return null;
  }
}

/** Asks for an upgrade only where it is the handshake of a WebSocket. */
export class Incoming extends IncomingMessage {
  declare isAsked: boolean | null;

  get upgrade(): boolean {
    if (this.isAsked !== true) return false;
    return isHandshake(this.method ?? '', collect(this.rawHeaders).headers);
  }

  set upgrade(isAsked: boolean | null) {
    this.isAsked = isAsked;
  }
}

/** A handshake: there is no response for it, only the socket. */
export class HandshakeExchange extends NodeRequest implements Exchange {
  readonly isHandshake = true;
  readonly #request: IncomingMessage;
  readonly #socket: Socket;
  readonly #head: Buffer;
  readonly #sockets: WebSocketServer;
  #done = false;
  #aborted: (() => void) | null = null;

  constructor(request: IncomingMessage, socket: Socket, head: Buffer, sockets: WebSocketServer) {
    super(request);
    this.#request = request;
    this.#socket = socket;
    this.#head = head;
    this.#sockets = sockets;
    // Without a listener an `error` would end the process; `close` follows.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#done) return;
      this.#done = true;
      this.#aborted?.();
    });
  }

  onBody(take: (chunk: Uint8Array, last: boolean) => void): void {
    take(new Uint8Array(0), true);
  }

  onAborted(told: () => void): void {
    this.#aborted = told;
  }

  reply(reply: RawReply): void {
    if (this.#done) return;
    this.#done = true;
    this.#socket.end(wire(reply));
  }

  replyOpen(): null {
    return null;
  }

  upgrade({ headers, protocol }: RawHandshake): Channel | null {
    if (this.#done) return null;
    this.#done = true;
    const lines = headers.map(([name, value]: Header) => `${name}: ${value}`);
    this.#sockets.once('headers', (all: string[]) => void all.push(...lines));
    let channel: Channel | null = null;
    this.#request.headers['sec-websocket-protocol'] = protocol ?? undefined;
    this.#sockets.handleUpgrade(this.#request, this.#socket, this.#head, (webSocket) => {
      channel = new SocketChannel(webSocket, this.#socket);
    });
    return channel;
  }
}
