/**
 * The same binding on node:http, for a Node or a platform without a native uWebSockets.js. The
 * package's own JavaScript stand-in lacks queries, HEAD, upgrades and a close that lets an answer
 * out, so this one speaks to node:http directly.
 *
 * There is no listener for `upgrade`, with which Node would hand over a bare socket: without one a
 * request to upgrade is answered like any other (RFC 9110 §7.8), as the native binding does.
 */
import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { malformed, Problem } from '../edge/problem.ts';
import type { Descriptors } from '../edge/descriptors.ts';
import {
  HeaderCollector,
  portTaken,
  type Binding,
  type Exchange,
  type Listener,
  type RawReply,
} from './exchange.ts';
import { PROBLEM_TYPE } from './request.ts';

/** The native binding closes connections that are silent for this long, too. */
const IDLE_MS = 10_000;
const HEADERS_MS = 10_000;
/** What node:http takes for no request, by the code of its error; 400 is all else. */
const MALFORMED = new Map([
  ['HPE_HEADER_OVERFLOW', new Problem(431, 'head_too_large', 'send fewer or shorter headers')],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    new Problem(408, 'head_too_slow', `the head did not arrive in ${HEADERS_MS} ms`),
  ],
]);
const NO_REQUEST = malformed('not an HTTP/1.1 request');
const NO_HOST = malformed('HTTP/1.1 requires the header', 'Host');

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
    // Refused below, with a reason.
    requireHostHeader: false,
  });
  server.on('connection', (socket) => {
    if (!descriptors.left()) socket.destroy();
  });
  const conversations = new WeakMap<Duplex, Conversation>();
  server.on('request', (request, response) => {
    const conversation = conversations.get(request.socket) ?? new Conversation(request.socket);
    conversations.set(request.socket, conversation);
    const exchange = new NodeExchange(request, response);
    if (!conversation.begin(exchange, response)) return;
    if (request.httpVersion === '1.1' && !exchange.headers.has('host')) exchange.refuse(NO_HOST);
    else serve(exchange);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const problem = MALFORMED.get(error.code ?? '') ?? NO_REQUEST;
    const conversation = conversations.get(socket);
    if (conversation?.refuse(problem) === true) return;
    if (socket.writable) socket.end(wire(refusal(problem)));
    else socket.destroy();
  });
  return new Promise((resolve, reject) => {
    // For good: without a listener a connection that cannot be accepted later ends the process.
    server.on('error', (error) => reject(portTaken(host, port, error.message)));
    server.listen({ host, port, exclusive: true }, () => resolve(listener(server)));
  });
}

/** What goes over one connection. */
class Conversation {
  readonly #socket: Socket;
  #open = 0;
  #last: NodeExchange | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** False when the connection has too many requests open, and is to be closed. */
  begin(exchange: NodeExchange, response: ServerResponse): boolean {
    this.#open++;
    this.#last = exchange;
    response.on('close', () => void this.#open--);
    // Answers of this turn go out first.
    if (this.#open === PIPELINED_MAX + 1) setImmediate(() => this.#socket.destroy());
    return this.#open <= PIPELINED_MAX;
  }

  /** True when a request is under way: then what cannot be read is the rest of it, or comes after it. */
  refuse(problem: Problem): boolean {
    if (this.#open === 0) return false;
    if (this.#last?.isWhole === false) this.#last.refuse(problem);
    else this.#socket.destroySoon();
    return true;
  }
}

function refusal(problem: Problem): RawReply {
  return {
    status: problem.status,
    headers: [['content-type', PROBLEM_TYPE]],
    body: problem.toJson(STATUS_CODES[problem.status] ?? 'Error'),
    close: true,
  };
}

/** An answer where node:http has no response to write it to. */
function wire({ status, headers, body }: RawReply): string {
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    ...lines,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
    '',
    String(body),
  ].join('\r\n');
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
}
