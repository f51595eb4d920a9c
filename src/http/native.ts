/**
 * uWebSockets.js as a binding. Its traps, and where they are met: a handler that returns without an
 * abort handler ends the process (set first, always); a response touched after its abort throws
 * (`#done`); chunks are neutered when the callback returns (exchange.ts says so); ports are shared
 * silently (exclusive listen); it advertises itself in a header (`silent`).
 *
 * A connection carries one request at a time: its parser closes a connection on which a request arrives
 * while the one before is not answered, without a byte, and goes through all that was received in one
 * go. So no request is read from a connection while one is under way (`Unanswered`): requests that come
 * apart are answered in turn. Those that came together cannot be held back. Of these, what is answered
 * at once is answered; behind the first that takes time, or that writes, the connection is closed, and
 * the latter has not run (H7). An answer that the client does not read counts as one that takes time,
 * so that never more than one waits in memory for a connection.
 *
 * What its parser takes for no request it closes without an answer, and there is no hook to give one:
 * at once where `Host` is missing, where a length stands beside chunks or is none, where a chunk is
 * broken or the head too long; after about ten seconds where it waits for more, as after a space
 * before a colon, a bare line feed, a folded header, an absolute or asterisk target, and HTTP/1.0.
 * README.md says so, and how proxies are made to speak 1.1.
 */
import { STATUS_CODES } from 'node:http';
import { createRequire } from 'node:module';
import type {
  HttpRequest,
  HttpResponse,
  us_listen_socket,
  us_socket_context_t,
  WebSocketBehavior,
} from 'uWebSockets.js';
import type { Descriptors } from '../edge/descriptors.ts';
import type { Channel } from './channel.ts';
import {
  HeaderCollector,
  isHandshake,
  portTaken,
  type Binding,
  type Exchange,
  type Listener,
  type RawHandshake,
  type RawHead,
  type RawReply,
} from './exchange.ts';
import { BodyChannel, SOCKET_BEHAVIOR, type SocketData } from './native-channels.ts';

/** Connections that come within this time take from the descriptors that are kept. */
const WATCH_MS = 10;

/** The part of an app that is used here; the package's types lack two of these signatures. */
interface NativeApp {
  ws(pattern: string, behavior: WebSocketBehavior<SocketData>): void;
  any(pattern: string, handler: (response: HttpResponse, request: HttpRequest) => void): void;
  listen(
    host: string,
    port: number,
    options: number,
    bound: (socket: us_listen_socket | false) => void,
  ): void;
  close(): void;
}

interface NativeModule {
  App(): NativeApp;
  _cfg(setting: string): void;
  us_listen_socket_close(socket: us_listen_socket): void;
  us_socket_local_port(socket: us_listen_socket): number;
  readonly LIBUS_LISTEN_EXCLUSIVE_PORT: number;
}

/** The native binding for this Node and platform; null where there is none. */
export function loadNative(): Binding | null {
  const file = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  let native: NativeModule;
  try {
    // The package's own entry would print a banner and fall back by itself.
    native = createRequire(import.meta.url)(`uWebSockets.js/binaries/${file}`) as NativeModule;
  } catch {
    // No binary for this Node, or one that this C library cannot load: the caller takes the fallback.
    return null;
  }
  native._cfg('silent');
  return { name: 'native', listen: (...wanted) => listen(native, ...wanted) };
}

function listen(
  native: NativeModule,
  host: string,
  port: number,
  serve: (exchange: Exchange) => void,
  descriptors: Descriptors,
): Promise<Listener> {
  const app = native.App();
  const unanswered = new Unanswered();
  const take = (res: HttpResponse, req: HttpRequest, context: us_socket_context_t | null): void => {
    const exchange = new NativeExchange(res, req, unanswered, context);
    serve(exchange);
    exchange.served();
  };
  app.ws('/*', { ...SOCKET_BEHAVIOR, upgrade: take });
  app.any('/*', (res, req) => take(res, req, null));
  const options = native.LIBUS_LISTEN_EXCLUSIVE_PORT;
  return new Promise((resolve, reject) => {
    app.listen(host, port, options, (socket) => {
      if (!socket) return reject(portTaken(host, port, 'taken, or not an address of this machine'));
      const bound = native.us_socket_local_port(socket);
      let listening: us_listen_socket | false = socket;
      const stop = (): void => {
        if (listening) native.us_listen_socket_close(listening);
        listening = false;
      };
      // Nothing tells of connections: while descriptors are short there is no port to connect to.
      // (A port that the system chose can be bound again only when its last connection has closed.)
      const watch = setInterval(() => {
        if (!descriptors.left()) stop();
        else if (!listening) app.listen(host, bound, options, (again) => void (listening = again));
      }, WATCH_MS);
      resolve({
        port: bound,
        stopListening() {
          clearInterval(watch);
          stop();
        },
        closeConnections() {
          clearInterval(watch);
          listening = false;
          app.close();
        },
      });
    });
  });
}

const STATUS_LINES = new Map(
  Object.entries(STATUS_CODES).map(([code, text]) => [Number(code), `${code} ${text}`]),
);

/** Stops reading from connections whose request has arrived and is not answered when the turn ends. */
class Unanswered {
  #arrived: NativeExchange[] = [];

  add(exchange: NativeExchange): void {
    if (this.#arrived.push(exchange) > 1) return;
    setImmediate(() => {
      const arrived = this.#arrived;
      this.#arrived = [];
      for (const each of arrived) each.pause();
    });
  }
}

class NativeExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly ambiguous: string | null;
  readonly isHandshake: boolean;
  #address: string | null = null;
  readonly #response: HttpResponse;
  readonly #unanswered: Unanswered;
  /** Of a request that uWebSockets.js takes for a handshake. */
  readonly #context: us_socket_context_t | null;
  #body: BodyChannel | null = null;
  #done = false;
  #paused = false;
  #readsBody = false;
  #aborted: (() => void) | null = null;

  constructor(
    response: HttpResponse,
    request: HttpRequest,
    unanswered: Unanswered,
    context: us_socket_context_t | null,
  ) {
    this.#response = response;
    this.#unanswered = unanswered;
    this.#context = context;
    response.onAborted(() => {
      this.#body?.aborted();
      if (this.#done) return;
      this.#done = true;
      this.#aborted?.();
    });
    this.method = request.getCaseSensitiveMethod().toUpperCase();
    this.path = request.getUrl();
    this.query = request.getQuery() ?? '';
    const collected = new HeaderCollector();
    request.forEach((name, value) => collected.add(name, value));
    this.headers = collected.headers;
    this.ambiguous = collected.ambiguous;
    this.isHandshake = context !== null && isHandshake(this.method, this.headers);
  }

  /** Read when it is first asked for, which few requests do; empty when the client has gone by then. */
  get address(): string {
    if (this.#address === null && this.#done) return '';
    return (this.#address ??= Buffer.from(this.#response.getRemoteAddressAsText()).toString());
  }

  onBody(take: (chunk: Uint8Array, last: boolean) => void): void {
    if (this.#done) return;
    this.#readsBody = true;
    this.#response.onData((chunk, last) => {
      take(new Uint8Array(chunk), last);
      if (last) this.#arrived();
    });
  }

  /** The server has what it wants of the request, but for its body. */
  served(): void {
    if (!this.#readsBody) this.#arrived();
  }

  #arrived(): void {
    if (!this.#done) this.#unanswered.add(this);
  }

  pause(): void {
    if (this.#done) return;
    this.#paused = true;
    this.#response.pause();
  }

  onAborted(told: () => void): void {
    this.#aborted = told;
  }

  reply({ status, headers, body, close }: RawReply): void {
    if (!this.#begin()) return;
    const response = this.#response;
    response.cork(() => {
      response.writeStatus(STATUS_LINES.get(status) ?? String(status));
      for (const [name, value] of headers) response.writeHeader(name, value);
      if (this.method === 'HEAD') this.#sendHead(body, close);
      else if (close) response.end(body, true);
      else this.#send(body);
    });
  }

  replyOpen(head: RawHead): Channel | null {
    if (!this.#begin()) return null;
    this.#body = new BodyChannel(this.#response, STATUS_LINES.get(head.status) ?? '200 OK', head);
    return this.#body;
  }

  upgrade({ headers, protocol }: RawHandshake): Channel | null {
    if (this.#context === null || !this.#begin()) return null;
    const data: SocketData = { holder: { channel: null } };
    const response = this.#response;
    const key = this.headers.get('sec-websocket-key') ?? '';
    response.cork(() => {
      response.writeStatus('101 Switching Protocols');
      for (const [name, value] of headers) response.writeHeader(name, value);
      // Opens it, so that its holder has the channel.
      response.upgrade(data, key, protocol ?? '', '', this.#context!);
    });
    return data.holder.channel;
  }

  /** False when nothing may be written any more. */
  #begin(): boolean {
    if (this.#done) return false;
    this.#done = true;
    // Before anything is written: later it would restore the wrong events.
    if (this.#paused) this.#response.resume();
    return true;
  }

  /** Told a length, uWebSockets.js would wait for so many bytes, and close on the next request. */
  #sendHead(body: string | Uint8Array, close: boolean): void {
    if (close) return void this.#response.endWithoutBody(0, true);
    this.#response.writeHeader('content-length', String(Buffer.byteLength(body)));
    this.#response.endWithoutBody();
  }

  /** As much as the client takes; the rest waits here and not in a buffer that nothing bounds. */
  #send(body: string | Uint8Array): void {
    const response = this.#response;
    const length = Buffer.byteLength(body);
    if (response.tryEnd(body, length)[1]) return;
    const bytes = Buffer.from(body);
    response.onWritable((offset) => response.tryEnd(bytes.subarray(offset), length)[0]);
  }
}
