/**
 * The peer network of a node: one stream for each other validator and class, whoever dialled it.
 * Bytes in, bytes out; nothing here knows what a message means.
 *
 * W1. `onConnected(p)` and `onDisconnected(p)` alternate, starting with the former, and follow the
 *     control stream: between them, control frames flow both ways.
 * W2. Frames of one class from one peer arrive in the order in which they were sent; some may be
 *     missing (K1).
 * W3. What is sent to a peer within one tick leaves in one gRPC message, and a broadcast is packed
 *     once for all peers.
 */
import { readFileSync } from 'node:fs';
import type { Cluster } from '../../protocols/genesis.ts';
import type { PeerClass } from '../../protocols/messages.ts';
import type { ValidatorIndex } from '../../protocols/types.ts';
import { endSessionsInTurn } from '../http2-endings.ts';
import type { Logger } from '../logger.ts';
import { Acceptor } from './acceptor.ts';
import { ConnectionLines } from './connection-lines.ts';
import { Dialer } from './dialer.ts';
import { packFrames, type Frame } from './frames.ts';
import { tlsContext } from './identity.ts';
import { Link, type LinkStats, type PeerStream } from './link.ts';
import { Refusals } from './refusals.ts';
import { PEER_CLASSES } from './service.ts';

const QUEUE_BYTES_MAX = 32 * 1024 * 1024;
const TICK_MS = 500;
/** Ticks without a sign of life after which a stream is closed; a batch may take long to arrive. */
const SILENT_TICKS_MAX: Readonly<Record<PeerClass, number>> = { control: 4, data: 20 };
/** How long `close` waits for what was sent before. */
const LINGER_MS = 500;
const NOTHING: Buffer = Buffer.alloc(0);

export interface PeerNetworkOptions {
  readonly cluster: Cluster;
  /** This node's place in the validator set. */
  readonly index: ValidatorIndex;
  /** Paths of PEM files: the validator's private key, its certificate, the cluster's CA. */
  readonly signerPemPath: string;
  readonly tlsCrt: string;
  readonly caCrt: string;
  /** Port 0 takes any free one; `port` tells which. */
  readonly listen: { readonly host: string; readonly port: number };
  /** `host:port` of a peer, asked anew for every attempt to connect. */
  readonly addressOf: (peer: ValidatorIndex) => string | undefined;
  readonly logger: Logger;
  /** Bytes that may wait for one peer and class. Default 32 MiB. */
  readonly queueBytesMax?: number;
  /**
   * Frames are views into `message`, the packed bytes as they came (frames.ts). Messages over 4 KiB
   * own their ArrayBuffer; smaller ones may share a pool and must be copied before a transfer.
   */
  readonly onFrames: (
    from: ValidatorIndex,
    frames: readonly Frame[],
    message: Buffer,
    peerClass: PeerClass,
  ) => void;
  readonly onConnected: (peer: ValidatorIndex) => void;
  readonly onDisconnected: (peer: ValidatorIndex) => void;
  /** The peer broke the framing; its stream has been closed. */
  readonly onFault?: (peer: ValidatorIndex, detail: string) => void;
}

export interface PeerNetworkStats {
  readonly links: readonly (LinkStats & {
    readonly peer: ValidatorIndex;
    readonly peerClass: PeerClass;
  })[];
  /** Connections refused at the peer port. */
  readonly refused: number;
  /** Streams closed because a peer broke the framing. */
  readonly faults: number;
}

export interface PeerNetwork {
  /** The bound port; 0 before `start` has resolved. */
  readonly port: number;
  /** Binds the peer port, then starts to dial. Rejects when the port cannot be had. */
  start(): Promise<void>;
  send(to: ValidatorIndex, peerClass: PeerClass, envelope: Uint8Array, body?: Uint8Array): void;
  broadcast(peerClass: PeerClass, envelope: Uint8Array, body?: Uint8Array): void;
  /** Peers with an open control stream, ascending. */
  connected(): ValidatorIndex[];
  /** Stops reading what the peer sends in this class until `resume`; survives reconnecting. */
  pause(peer: ValidatorIndex, peerClass: PeerClass): void;
  resume(peer: ValidatorIndex, peerClass: PeerClass): void;
  /** Closes the peer's streams, and neither opens nor lets in another for `ms`. */
  keepApart(peer: ValidatorIndex, ms: number): void;
  stats(): PeerNetworkStats;
  /** Sends what waits (at most LINGER_MS), then closes every connection. */
  close(): Promise<void>;
}

/** Reads the key files. Throws what `fs` throws when one is missing. */
export function createPeerNetwork(options: PeerNetworkOptions): PeerNetwork {
  return new Network(options);
}

class Network implements PeerNetwork {
  readonly #options: PeerNetworkOptions;
  readonly #links = new Map<string, Link>();
  readonly #dialers: Dialer[] = [];
  readonly #acceptor: Acceptor;
  readonly #refusals: Refusals;
  readonly #lines: ConnectionLines;
  readonly #dirty = new Set<Link>();
  /** Until when nothing is had to do with a peer, on the monotonic clock. */
  readonly #apart = new Map<ValidatorIndex, number>();
  #flushing = false;
  #packedFrames: readonly Frame[] = [];
  #packed = NOTHING;
  #ticker: NodeJS.Timeout | null = null;
  #faults = 0;
  port = 0;

  constructor(options: PeerNetworkOptions) {
    this.#options = options;
    const { cluster, index, logger, listen } = options;
    this.#refusals = new Refusals(logger);
    this.#lines = new ConnectionLines(logger);
    const tls = tlsContext({
      key: readFileSync(options.signerPemPath, 'utf8'),
      cert: readFileSync(options.tlsCrt, 'utf8'),
      ca: readFileSync(options.caCrt, 'utf8'),
    });
    for (let peer = 0; peer < cluster.n; peer++) {
      if (peer === index) continue;
      for (const peerClass of PEER_CLASSES) this.#addLink(peer, peerClass, tls);
    }
    this.#acceptor = new Acceptor({
      cluster,
      self: index,
      tls,
      listen,
      refusals: this.#refusals,
      apartMs: (peer) => this.#apartMs(peer),
      onStream: (peer, peerClass, stream) => this.#link(peer, peerClass).attach(stream, false),
      onEnd: (peer, peerClass, stream) =>
        this.#link(peer, peerClass).detach(stream, 'closed by the peer'),
    });
  }

  async start(): Promise<void> {
    endSessionsInTurn();
    this.port = await this.#acceptor.listen();
    for (const dialer of this.#dialers) dialer.start();
    this.#ticker = setInterval(() => {
      for (const link of this.#links.values()) link.tick();
    }, TICK_MS);
  }

  send(to: ValidatorIndex, peerClass: PeerClass, envelope: Uint8Array, body?: Uint8Array): void {
    this.#link(to, peerClass).send(body === undefined ? { envelope } : { envelope, body });
  }

  broadcast(peerClass: PeerClass, envelope: Uint8Array, body?: Uint8Array): void {
    const frame = body === undefined ? { envelope } : { envelope, body };
    for (const link of this.#links.values()) if (link.peerClass === peerClass) link.send(frame);
  }

  connected(): ValidatorIndex[] {
    const links = [...this.#links.values()];
    return links.filter((link) => link.peerClass === 'control' && link.up).map(({ peer }) => peer);
  }

  pause(peer: ValidatorIndex, peerClass: PeerClass): void {
    this.#link(peer, peerClass).pause();
  }

  resume(peer: ValidatorIndex, peerClass: PeerClass): void {
    this.#link(peer, peerClass).resume();
  }

  keepApart(peer: ValidatorIndex, ms: number): void {
    this.#apart.set(peer, performance.now() + ms);
    const reason = `broke too many rules: not spoken with for ${ms} ms`;
    for (const link of this.#links.values()) if (link.peer === peer) link.close(reason);
  }

  #apartMs(peer: ValidatorIndex): number {
    return Math.max(0, (this.#apart.get(peer) ?? 0) - performance.now());
  }

  stats(): PeerNetworkStats {
    const links = [...this.#links.values()].map(({ peer, peerClass, stats }) => ({
      peer,
      peerClass,
      ...stats,
    }));
    return { links, refused: this.#refusals.total, faults: this.#faults };
  }

  async close(): Promise<void> {
    await this.#drained();
    if (this.#ticker !== null) clearInterval(this.#ticker);
    for (const dialer of this.#dialers) dialer.stop();
    for (const link of this.#links.values()) link.close('this node stops');
    await this.#acceptor.close();
  }

  #addLink(peer: ValidatorIndex, peerClass: PeerClass, tls: ReturnType<typeof tlsContext>): void {
    const { cluster, index: self, addressOf, logger, queueBytesMax } = this.#options;
    const link = new Link({
      peer,
      peerClass,
      queueBytesMax: queueBytesMax ?? QUEUE_BYTES_MAX,
      silentTicksMax: SILENT_TICKS_MAX[peerClass],
      pack: (frames) => this.#pack(frames),
      flushSoon: (dirty) => this.#flushSoon(dirty),
      onFrames: (from, frames, message) =>
        this.#options.onFrames(from.peer, frames, message, from.peerClass),
      onUp: (up) => this.#cameUp(up),
      onDown: (down, reason) => this.#wentDown(down, reason),
      onFault: (culprit, detail) => this.#fault(culprit, detail),
    });
    this.#links.set(`${peer}/${peerClass}`, link);
    if (peer < self) return;
    this.#dialers.push(
      new Dialer({
        cluster,
        self,
        peer,
        peerClass,
        address: () => addressOf(peer),
        apartMs: () => this.#apartMs(peer),
        tls,
        logger,
        onStream: (stream: PeerStream) => link.attach(stream, true),
        onEnd: (stream, reason) => link.detach(stream, reason),
      }),
    );
  }

  #link(peer: ValidatorIndex, peerClass: PeerClass): Link {
    const link = this.#links.get(`${peer}/${peerClass}`);
    if (link === undefined) throw new RangeError(`validator ${peer} is not a peer of this node`);
    return link;
  }

  #flushSoon(link: Link): void {
    this.#dirty.add(link);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => {
      this.#flushing = false;
      const links = [...this.#dirty];
      this.#dirty.clear();
      for (const each of links) each.flush();
      this.#packedFrames = [];
      this.#packed = NOTHING;
    });
  }

  /** Links that have the same frames to send, as after a broadcast, share the packed bytes. */
  #pack(frames: readonly Frame[]): Buffer {
    const last = this.#packedFrames;
    const same = frames.length === last.length && frames.every((frame, at) => frame === last[at]);
    if (!same) {
      this.#packed = packFrames(frames);
      this.#packedFrames = frames;
    }
    return this.#packed;
  }

  #cameUp(link: Link): void {
    this.#lines.say(this.#fieldsOf(link), 'peer connected');
    if (link.peerClass === 'control') this.#options.onConnected(link.peer);
  }

  #wentDown(link: Link, reason: string): void {
    this.#lines.say({ ...this.#fieldsOf(link), reason }, 'peer disconnected');
    if (link.peerClass === 'control') this.#options.onDisconnected(link.peer);
  }

  #fault(link: Link, detail: string): void {
    this.#faults++;
    this.#options.onFault?.(link.peer, detail);
  }

  #fieldsOf(link: Link) {
    const validator = this.#options.cluster.genesis.validators[link.peer];
    return { peer: validator?.id ?? link.peer, class: link.peerClass };
  }

  /** Resolves when nothing waits on an open stream any more, or after LINGER_MS. */
  async #drained(): Promise<void> {
    const until = performance.now() + LINGER_MS;
    const waits = (): boolean =>
      [...this.#links.values()].some((link) => link.up && link.stats.queuedFrames > 0);
    while (waits() && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
