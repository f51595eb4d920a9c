/**
 * uWebSockets.js as a binding. Its traps, and where they are met: a handler that returns without an
 * abort handler ends the process (set first, always); a response touched after its abort throws
 * (`#done`); chunks are neutered when the callback returns (exchange.ts says so); ports are shared
 * silently (exclusive listen); it advertises itself in a header (`silent`).
 *
 * What its parser takes for no request it closes without an answer, and there is no hook to give one:
 * at once where `Host` is missing, where a length stands beside chunks or is none, where a chunk is
 * broken or the head too long; after about ten seconds where it waits for more, as after a space
 * before a colon, a bare line feed, a folded header, an absolute or asterisk target, and HTTP/1.0.
 */
import { STATUS_CODES } from 'node:http';
import { createRequire } from 'node:module';
import type { HttpRequest, HttpResponse, us_listen_socket } from 'uWebSockets.js';
import {
  HeaderCollector,
  portTaken,
  type Binding,
  type Exchange,
  type Listener,
  type RawReply,
} from './exchange.ts';

/** The part of an app that is used here; the package's types lack two of these signatures. */
interface NativeApp {
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
  return { name: 'native', listen: (host, port, serve) => listen(native, host, port, serve) };
}

function listen(
  native: NativeModule,
  host: string,
  port: number,
  serve: (exchange: Exchange) => void,
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const app = native.App();
    app.any('/*', (res, req) => serve(new NativeExchange(res, req)));
    app.listen(host, port, native.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
      if (!socket) return reject(portTaken(host, port, 'taken, or not an address of this machine'));
      let listening = true;
      const stopListening = (): void => {
        if (listening) native.us_listen_socket_close(socket);
        listening = false;
      };
      resolve({
        port: native.us_socket_local_port(socket),
        stopListening,
        closeConnections() {
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

class NativeExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly ambiguous: string | null;
  readonly #response: HttpResponse;
  #done = false;
  #aborted: (() => void) | null = null;

  constructor(response: HttpResponse, request: HttpRequest) {
    this.#response = response;
    response.onAborted(() => {
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
  }

  onBody(take: (chunk: Uint8Array, last: boolean) => void): void {
    if (this.#done) return;
    this.#response.onData((chunk, last) => take(new Uint8Array(chunk), last));
  }

  onAborted(told: () => void): void {
    this.#aborted = told;
  }

  reply({ status, headers, body, close }: RawReply): void {
    if (this.#done) return;
    this.#done = true;
    const response = this.#response;
    response.cork(() => {
      response.writeStatus(STATUS_LINES.get(status) ?? String(status));
      for (const [name, value] of headers) response.writeHeader(name, value);
      if (this.method === 'HEAD') response.endWithoutBody(Buffer.byteLength(body), close);
      else response.end(body, close);
    });
  }
}
