/**
 * The same binding on node:http, for a Node or a platform without a native uWebSockets.js. The
 * package's own JavaScript stand-in lacks queries, HEAD, upgrades and a close that lets an answer
 * out, so this one speaks to node:http directly.
 *
 * Node hands over a bare socket for every request to upgrade once there is a listener for it. Only a
 * WebSocket's handshake is to be one (`Incoming`): others are answered as if they did not ask (RFC 9110
 * §7.8), as the native binding does.
 */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { malformed, Problem } from '../edge/problem.ts';
import type { Descriptors } from '../edge/descriptors.ts';
import { MESSAGE_BYTES_MAX } from './channel.ts';
import { portTaken, type Binding, type Exchange, type Listener } from './exchange.ts';
import { HandshakeExchange, Incoming, NodeExchange, refusal, wire } from './fallback-exchanges.ts';

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
    IncomingMessage: Incoming,
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
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
    handleProtocols: ([first]) => first ?? false,
  });
  server.on('upgrade', (request, socket: Socket, head) => {
    // Whatever answers are not out would get mixed up with what a WebSocket sends.
    if (conversations.get(socket)?.isIdle === false) socket.destroySoon();
    else serve(new HandshakeExchange(request, socket, head, sockets));
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

  get isIdle(): boolean {
    return this.#open === 0;
  }

  /** True when a request is under way: then what cannot be read is the rest of it, or comes after it. */
  refuse(problem: Problem): boolean {
    if (this.#open === 0) return false;
    if (this.#last?.isWhole === false) this.#last.refuse(problem);
    else this.#socket.destroySoon();
    return true;
  }
}

function listener(server: Server): Listener {
  const { port } = server.address() as AddressInfo;
  return {
    port,
    stopListening: () => void server.close(),
    closeConnections: () => server.closeAllConnections(),
  };
}
