/**
 * The same binding on node:http, for a Node or a platform without a native uWebSockets.js. The
 * package's own JavaScript stand-in lacks queries, HEAD, upgrades and a close that lets an answer
 * out, so this one speaks to node:http directly.
 *
 * There is no listener for `upgrade`, with which Node would hand over a bare socket: without one a
 * request to upgrade is answered like any other (RFC 9110 §7.8), as the native binding does.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Descriptors } from './descriptors.ts';
import {
  HeaderCollector,
  portTaken,
  type Binding,
  type Exchange,
  type Listener,
  type RawReply,
} from './exchange.ts';

/** The native binding closes connections that are silent for this long, too. */
const IDLE_MS = 10_000;
const HEADERS_MS = 10_000;
/** Requests of one connection whose answers are not out; with one more it is closed. */
const PIPELINED_MAX = 64;

export const fallback: Binding = { name: 'fallback', listen };

function listen(
  host: string,
  port: number,
  serve: (exchange: Exchange) => void,
  descriptors: Descriptors,
): Promise<Listener> {
  const server = createServer({
    keepAliveTimeout: IDLE_MS,
    headersTimeout: HEADERS_MS,
    // Bodies have their own deadline in body.ts.
    requestTimeout: 0,
    requireHostHeader: true,
  });
  server.on('connection', (socket) => {
    if (!descriptors.left()) socket.destroy();
  });
  const unanswered = new WeakMap<Socket, number>();
  const count = (socket: Socket, more: number): number => {
    const now = (unanswered.get(socket) ?? 0) + more;
    unanswered.set(socket, now);
    return now;
  };
  server.on('request', (request, response) => {
    const { socket } = request;
    const exchange = new NodeExchange(request, response);
    const open = count(socket, 1);
    response.on('close', () => void count(socket, -1));
    if (open <= PIPELINED_MAX) serve(exchange);
    // Answers of this turn go out first.
    else if (open === PIPELINED_MAX + 1) setImmediate(() => socket.destroy());
  });
  return new Promise((resolve, reject) => {
    // For good: without a listener a connection that cannot be accepted later ends the process.
    server.on('error', (error) => reject(portTaken(host, port, error.message)));
    server.listen({ host, port, exclusive: true }, () => resolve(listener(server)));
  });
}

function listener(server: Server): Listener {
  const { port } = server.address() as AddressInfo;
  return {
    port,
    stopListening: () => void server.close(),
    closeConnections: () => server.closeAllConnections(),
  };
}

class NodeExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly ambiguous: string | null;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #done = false;
  #aborted: (() => void) | null = null;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    // Without a listener an `error` of either would end the process; `close` follows both.
    request.on('error', () => this.#gone());
    response.on('error', () => this.#gone());
    response.on('close', () => this.#gone());
    const url = request.url ?? '/';
    const mark = url.indexOf('?');
    this.method = request.method ?? 'GET';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
    const collected = new HeaderCollector();
    const raw = request.rawHeaders;
    for (let i = 0; i + 1 < raw.length; i += 2) {
      collected.add((raw[i] ?? '').toLowerCase(), raw[i + 1] ?? '');
    }
    this.headers = collected.headers;
    this.ambiguous = collected.ambiguous;
  }

  #gone(): void {
    if (this.#done) return;
    this.#done = true;
    this.#aborted?.();
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
}
