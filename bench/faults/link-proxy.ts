/**
 * A TCP proxy on loopback for the connections that one node makes to another, and what it does to
 * them. The two directions of a connection are disturbed apart, so that a node may be heard and not
 * hear.
 *
 * L1. Bytes arrive in their order, or not at all: what a hole swallows waits in the kernel's buffers,
 *     as unacknowledged segments wait for their retransmission, and comes when the hole is mended.
 */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** What one direction of a link is like. */
export interface Weather {
  /** `hole`: nothing arrives, and nobody is told. `cut`: connections are reset and refused. */
  readonly passage: 'open' | 'hole' | 'cut';
  /** How long each piece of data takes at least. */
  readonly delayMs: number;
}

export const FAIR: Weather = { passage: 'open', delayMs: 0 };

export type Direction = 'towards' | 'back';

export class LinkProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  readonly #weather: Record<Direction, Weather> = { towards: FAIR, back: FAIR };
  /** Those who wait for the end of a hole. */
  #waiting: (() => void)[] = [];

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (dialer) => this.#join(dialer));
  }

  /** @param target the port on loopback to which it leads */
  static async open(target: number): Promise<LinkProxy> {
    const server = createServer({ allowHalfOpen: true });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LinkProxy(server, target);
  }

  set(direction: Direction, weather: Weather): void {
    this.#weather[direction] = weather;
    if (weather.passage === 'cut') for (const socket of this.#sockets) socket.resetAndDestroy();
    for (const go of this.#waiting.splice(0)) go();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const go of this.#waiting.splice(0)) go();
    await new Promise((closed) => this.#server.close(closed));
  }

  #join(dialer: Socket): void {
    const isCut = Object.values(this.#weather).some(({ passage }) => passage === 'cut');
    const acceptor = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true });
    for (const [socket, other] of [
      [dialer, acceptor],
      [acceptor, dialer],
    ] as const) {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => {});
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.destroy();
      });
    }
    if (isCut) return void dialer.resetAndDestroy();
    void this.#carry('towards', dialer, acceptor).catch(() => {});
    void this.#carry('back', acceptor, dialer).catch(() => {});
  }

  /** Reads no more than it can hand on: TCP's own flow control holds the sender back. */
  async #carry(direction: Direction, from: Socket, to: Socket): Promise<void> {
    for await (const data of from) {
      const { delayMs } = this.#weather[direction];
      if (delayMs > 0) await pause(delayMs);
      while (this.#weather[direction].passage === 'hole' && !from.destroyed) {
        await new Promise<void>((go) => this.#waiting.push(go));
      }
      if (!to.write(data as Buffer)) await once(to, 'drain');
    }
    to.end();
  }
}
