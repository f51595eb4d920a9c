/**
 * The listening side of the peer port. Three gates, each with its own deadline and its own log line:
 * TCP (how many strangers may knock at once), TLS 1.3 with a validator's key (N1), and the opening
 * of one stream for this cluster. Only then does anything reach a link.
 *
 * A1. The validator with the lower index dials: a call from a higher one is refused.
 * A2. What a stranger can hold is bounded: HANDSHAKES_MAX connections, for OPEN_TIMEOUT_MS each.
 */
import { Server as GrpcServer, ServerCredentials, status } from '@grpc/grpc-js';
import type { ConnectionInjector, ServerDuplexStream } from '@grpc/grpc-js';
import type { ServerHttp2Session } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { PeerClass } from '../../protocols/messages.ts';
import type { Cluster } from '../../protocols/genesis.ts';
import type { ValidatorIndex } from '../../protocols/types.ts';
import { identify, keyOfCertificate } from './identity.ts';
import type { PeerStream } from './link.ts';
import type { Refusals } from './refusals.ts';
import { opening, openingFault, PEER_SERVICE, RECEIVE_BYTES_MAX, WINDOW_BYTES } from './service.ts';

/** Connections that have not opened a stream yet. */
const HANDSHAKES_MAX = 256;
const HANDSHAKES_PER_ADDRESS_MAX = 32;
/** From TCP connect to the TLS identity, and from there to the stream. */
const OPEN_TIMEOUT_MS = 3_000;
/** How long a refused caller gets to read why, before its connection is cut. */
const LAST_WORDS_MS = 200;

export interface AcceptorOptions {
  readonly cluster: Cluster;
  readonly self: ValidatorIndex;
  readonly tls: TlsOptions;
  readonly listen: { readonly host: string; readonly port: number };
  readonly refusals: Refusals;
  /** How long a peer is still not to be let in, in milliseconds. */
  readonly apartMs: (peer: ValidatorIndex) => number;
  readonly onStream: (peer: ValidatorIndex, peerClass: PeerClass, stream: PeerStream) => void;
  /** An accepted stream has ended. */
  readonly onEnd: (peer: ValidatorIndex, peerClass: PeerClass, stream: PeerStream) => void;
}

type Call = ServerDuplexStream<Buffer, Buffer>;

export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #tcp: Server;
  readonly #tls;
  readonly #grpc: GrpcServer;
  readonly #injector: ConnectionInjector;
  /** Connections that have opened no stream yet, by `address:port`. */
  readonly #waiting = new Map<string, Socket>();
  /** Authenticated connections by `address:port`, as gRPC names them. */
  readonly #connections = new Map<string, TLSSocket>();
  readonly #sockets = new Set<Socket>();

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#grpc = new GrpcServer({
      'grpc.max_receive_message_length': RECEIVE_BYTES_MAX,
      'grpc.max_send_message_length': -1,
      'grpc.max_concurrent_streams': 1,
      'grpc.enable_channelz': 0,
    });
    this.#grpc.addService(PEER_SERVICE, {
      control: (call: Call) => this.#accept('control', call),
      data: (call: Call) => this.#accept('data', call),
    });
    this.#injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#widenWindows();
    this.#tls = createTlsServer({
      ...options.tls,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: ['h2'],
      handshakeTimeout: OPEN_TIMEOUT_MS,
    });
    this.#tls.on('secureConnection', (socket) => this.#identify(socket));
    this.#tls.on('tlsClientError', (error, socket) => {
      this.#refuse(socket, handshakeFault(error), null);
    });
    this.#tcp = createServer({ noDelay: true }, (socket) => this.#knock(socket));
  }

  /** Binds; resolves to the port. Rejects with what to do when the address cannot be had. */
  listen(): Promise<number> {
    const { host, port } = this.#options.listen;
    return new Promise((resolve, reject) => {
      // For good: without a listener a connection that cannot be accepted later ends the process.
      this.#tcp.on('error', (error) => {
        if (!this.#tcp.listening) return reject(bindError(error, host, port));
        const reason = `it could not be accepted: ${error.message}`;
        this.#options.refusals.note({ address: 'unknown', fingerprint: null, reason });
      });
      this.#tcp.listen({ host, port, exclusive: true }, () => {
        resolve((this.#tcp.address() as AddressInfo).port);
      });
    });
  }

  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#tcp.close(() => resolve()));
    this.#injector.destroy();
    this.#grpc.forceShutdown();
    for (const socket of this.#sockets) socket.destroy();
    return closed;
  }

  /**
   * grpc-js has an option for the client's flow-control window and none for the server's, where the
   * default of 64 KiB costs half again as much CPU for each MiB. Without its inner map, should a later
   * version lack it, everything works and costs that.
   */
  #widenWindows(): void {
    for (const server of this.#grpc['http2Servers'].keys()) {
      server.on('session', (session: ServerHttp2Session) => {
        session.settings({ initialWindowSize: WINDOW_BYTES });
        session.setLocalWindowSize(WINDOW_BYTES);
      });
    }
  }

  #knock(socket: Socket): void {
    const name = nameOf(socket);
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      this.#sockets.delete(socket);
      if (this.#waiting.get(name) === socket) this.#waiting.delete(name);
    });
    if (this.#isCrowded(socket.remoteAddress)) {
      return this.#refuse(socket, 'too many connections that wait to be let in', null);
    }
    this.#waiting.set(name, socket);
    this.#tls.emit('connection', socket);
  }

  #isCrowded(address: string | undefined): boolean {
    if (this.#waiting.size >= HANDSHAKES_MAX) return true;
    let fromThere = 0;
    for (const other of this.#waiting.values()) if (other.remoteAddress === address) fromThere++;
    return fromThere >= HANDSHAKES_PER_ADDRESS_MAX;
  }

  #identify(socket: TLSSocket): void {
    const { cluster, self } = this.#options;
    const identified = identify(socket, cluster.genesis.validators, self);
    if (!identified.ok) {
      return this.#refuse(socket, identified.reason, identified.fingerprint);
    }
    const name = nameOf(socket);
    this.#connections.set(name, socket);
    const deadline = setTimeout(() => {
      if (this.#waiting.has(name)) this.#refuse(socket, 'opened no stream in time', null);
    }, OPEN_TIMEOUT_MS);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      clearTimeout(deadline);
      if (this.#connections.get(name) === socket) this.#connections.delete(name);
    });
    this.#injector.injectConnection(socket);
  }

  #accept(peerClass: PeerClass, call: Call): void {
    call.on('error', () => {});
    const name = call.getPeer();
    const peer = this.#callerOf(call);
    const fault = peer === -1 ? 'unknown caller' : this.#fault(call, peer);
    const close = (reason: string, code = status.CANCELLED): void => {
      call.emit('error', { code, details: reason });
      setTimeout(() => this.#connections.get(name)?.destroy(), LAST_WORDS_MS);
    };
    if (fault !== null) {
      const fingerprint = call.getAuthContext().sslPeerCertificate?.fingerprint256 ?? null;
      this.#options.refusals.note({ address: name, fingerprint, reason: fault });
      return close(fault, status.FAILED_PRECONDITION);
    }
    this.#waiting.delete(name);
    call.sendMetadata(opening(this.#options.cluster.id, this.#options.self));
    const stream: PeerStream = { duplex: call, close };
    const ended = (): void => this.#options.onEnd(peer, peerClass, stream);
    call.once('cancelled', ended);
    call.once('close', ended);
    call.once('end', () => call.end());
    this.#options.onStream(peer, peerClass, stream);
  }

  #callerOf(call: Call): ValidatorIndex {
    const der = call.getAuthContext().sslPeerCertificate?.raw;
    const key = der === undefined ? null : keyOfCertificate(der);
    return this.#options.cluster.genesis.validators.findIndex((v) => v.publicKey === key);
  }

  #fault(call: Call, peer: ValidatorIndex): string | null {
    const { cluster, self } = this.#options;
    if (peer > self) return `validator ${peer} called: the one with the lower index calls`;
    const apartMs = this.#options.apartMs(peer);
    if (apartMs > 0) return `broke too many rules: let in again in ${Math.ceil(apartMs)} ms`;
    return openingFault(call.metadata, cluster.id, peer);
  }

  #refuse(socket: Socket, reason: string, fingerprint: string | null): void {
    this.#options.refusals.note({ address: nameOf(socket), fingerprint, reason });
    socket.destroy();
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
}

const HANDSHAKE_FAULTS: Readonly<Record<string, string>> = {
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'older than TLS 1.3',
  ERR_SSL_HTTP_REQUEST: 'plain HTTP, not TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not TLS',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'handshake not finished in time',
  ECONNRESET: 'closed before the handshake was done',
};

function handshakeFault(error: Error): string {
  const code = 'code' in error ? String(error.code) : error.message;
  return `TLS handshake failed: ${HANDSHAKE_FAULTS[code] ?? code}`;
}

function bindError(error: Error, host: string, port: number): Error {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    return new Error(`peer port ${port} on ${host} is in use: free it or choose another by --peer`);
  }
  return new Error(`cannot listen for peers on ${host}:${port} (--host, --peer): ${error.message}`);
}
