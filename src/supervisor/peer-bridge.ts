/**
 * Between the peer network and the actors: frames go to the thread of the actor that they are for,
 * undecoded; what actors say goes out as it was packed. While a thread is behind, or a peer fills its
 * share of the way there, that peer is not read from, so that TCP pushes back to it.
 */
import type { Item } from '../../actors/traffic.ts';
import { ROUTES, type PeerClass, type ProtocolActor } from '../../protocols/messages.ts';
import type { ValidatorIndex } from '../../protocols/types.ts';
import { peekKind } from '../../protocols/wire.ts';
import type { Frame } from '../peers/frames.ts';
import type { PeerNetwork } from '../peers/network.ts';
import type { ActorSystem } from './actor-system.ts';

const CLASS_OF = { control: 'peerControl', data: 'peerData' } as const;

export class PeerBridge {
  readonly #system: ActorSystem;
  #network: PeerNetwork | null = null;
  readonly #paused = new Map<
    string,
    { readonly peer: ValidatorIndex; readonly peerClass: PeerClass }
  >();

  constructor(system: ActorSystem) {
    this.#system = system;
  }

  attach(network: PeerNetwork): void {
    this.#network = network;
  }

  /** From the network: all frames of one gRPC message. */
  received(from: ValidatorIndex, frames: readonly Frame[], peerClass: PeerClass): void {
    for (const { envelope, body } of frames) {
      const to = this.#receiverOf(envelope);
      const item: Item = { kind: 'peerIn', from, to, envelope };
      this.#system.send(to, body === undefined ? item : { ...item, body });
      if (this.#system.isFullFor(from, to, CLASS_OF[peerClass])) this.#pause(from, peerClass);
    }
  }

  /** What cannot be an envelope goes to consensus, whose decoder says what is wrong with it. */
  #receiverOf(envelope: Uint8Array): ProtocolActor {
    const kind = peekKind(envelope);
    return kind === null ? 'consensus' : ROUTES[kind].actor;
  }

  #pause(peer: ValidatorIndex, peerClass: PeerClass): void {
    this.#paused.set(`${peer}/${peerClass}`, { peer, peerClass });
    this.#network?.pause(peer, peerClass);
  }

  /** A thread has room again. */
  resume(): void {
    for (const { peer, peerClass } of this.#paused.values()) this.#network?.resume(peer, peerClass);
    this.#paused.clear();
  }

  /** From an actor. */
  send(item: Extract<Item, { kind: 'peerOut' }>): void {
    const { to, peerClass, envelope, body } = item;
    if (to === null) this.#network?.broadcast(peerClass, envelope, body);
    else this.#network?.send(to, peerClass, envelope, body);
  }

  linked(peer: ValidatorIndex, up: boolean): void {
    this.#system.sendToAll({ kind: 'peerLink', peer, up });
  }

  /** Actors that start again know nobody yet. */
  announceAll(): void {
    for (const peer of this.#network?.connected() ?? []) this.linked(peer, true);
  }
}
