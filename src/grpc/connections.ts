/**
 * The connections of the client's gRPC port. grpc-js would listen by itself, but without bounds.
 *
 * G6. A connection that has not opened HTTP/2 within `prefaceMsMax` is closed: silence holds no place.
 */
import { createServer, type Server as TcpServer, type Socket } from 'node:net';
import type { ServerHttp2Session } from 'node:http2';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import type { Descriptors } from '../edge/descriptors.ts';
import { Places, type Origin } from './places.ts';

export class Connections {
  readonly tcp: TcpServer;
  readonly #prefaceMsMax: number;
  readonly #places: Places;
  readonly #descriptors: Descriptors;
  /** By `address:port`, as gRPC names them. */
  readonly #sockets = new Map<string, Socket>();
  /** When to close those that have not opened HTTP/2, by the same name. */
  readonly #deadlines = new Map<string, NodeJS.Timeout>();

  constructor(
    server: Server,
    limits: { connectionsMax: number; prefaceMsMax: number },
    descriptors: Descriptors,
  ) {
    this.#descriptors = descriptors;
    this.#prefaceMsMax = limits.prefaceMsMax;
    this.#places = new Places(limits.connectionsMax);
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    // grpc-js tells nobody of its sessions.
    for (const http2 of server['http2Servers'].keys()) {
      http2.on('session', (session: ServerHttp2Session) => this.#watch(session));
    }
    this.tcp = createServer({ noDelay: true }, (socket) => {
      if (this.#admit(socket)) injector.injectConnection(socket);
      else socket.destroy();
    });
  }

  /** Ends a connection whose client does not read. */
  readonly cut = (connection: string): void => {
    this.#sockets.get(connection)?.destroy();
  };

  #admit(socket: Socket): boolean {
    const origin = originOf(socket);
    const { connection } = origin;
    if (!this.#descriptors.left() || !this.#places.take(origin)) return false;
    const silent = setTimeout(() => socket.destroy(), this.#prefaceMsMax);
    this.#sockets.set(connection, socket);
    this.#deadlines.set(connection, silent);
    socket.once('close', () => {
      this.#places.give(origin);
      this.#sockets.delete(connection);
      this.#isOpen(connection);
    });
    return true;
  }

  /** The client's first frame after its preface is its settings. */
  #watch(session: ServerHttp2Session): void {
    const { connection } = originOf(session.socket);
    session.once('remoteSettings', () => this.#isOpen(connection));
  }

  #isOpen(connection: string): void {
    clearTimeout(this.#deadlines.get(connection));
    this.#deadlines.delete(connection);
  }
}

function originOf({
  remoteAddress,
  remotePort,
}: Pick<Socket, 'remoteAddress' | 'remotePort'>): Origin {
  const address = remoteAddress ?? 'unknown';
  return { address, connection: `${address}:${remotePort ?? 0}` };
}
