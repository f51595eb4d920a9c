/**
 * Links between instances of nodes: delay, loss, duplicates, order and cuts in either direction. A
 * cut is noticed by both ends after a while, as a keep-alive would; what was on its way is lost.
 */
import { ROUTES, type PeerMessage } from '../../protocols/messages.ts';
import type { LinkProfile } from './profile.ts';
import type { Random } from '../../bench/random.ts';
import type { Scheduler } from './scheduler.ts';

export interface Endpoint {
  /** The validator that this instance speaks as. */
  readonly validator: number;
  readonly up: boolean;
  receive(from: number, message: PeerMessage, body: Uint8Array | undefined): void;
  linkChanged(peer: number, connected: boolean): void;
}

export interface Packet {
  readonly message: PeerMessage;
  readonly body: Uint8Array | undefined;
}

const NOTICE_MS = 150;

export class Network {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #link: LinkProfile;
  readonly #endpoints: Endpoint[] = [];
  /** `from * 1000 + to` of the directed links that carry nothing now. */
  readonly #cut = new Set<number>();
  readonly #lastArrival = new Map<number, number>();
  /** Per pair of instances: whether the ends believe the connection to be open. */
  readonly #connected = new Set<number>();
  #faulty = true;
  sent = 0;

  constructor(scheduler: Scheduler, random: Random, link: LinkProfile) {
    this.#scheduler = scheduler;
    this.#random = random;
    this.#link = link;
  }

  attach(endpoint: Endpoint): number {
    return this.#endpoints.push(endpoint) - 1;
  }

  send(from: number, to: number, packet: Packet): void {
    this.sent++;
    if (!this.#open(from, to)) return;
    if (this.#faulty && this.#random.chance(this.#link.loss)) return;
    this.#fly(from, to, packet);
    if (this.#faulty && this.#random.chance(this.#link.duplicate)) this.#fly(from, to, packet);
  }

  /** Cuts directed links. `cut` names them as `[from, to]`. */
  cut(links: readonly (readonly [number, number])[]): void {
    for (const [from, to] of links) {
      this.#cut.add(from * 1000 + to);
      this.#scheduler.after(this.#random.between(1, NOTICE_MS) * 1000, () =>
        this.refresh(from, to),
      );
    }
  }

  mend(links: readonly (readonly [number, number])[]): void {
    for (const [from, to] of links) {
      this.#cut.delete(from * 1000 + to);
      this.#scheduler.after(this.#random.between(1, 20) * 1000, () => this.refresh(from, to));
    }
  }

  /** From now on nothing is lost, repeated or cut. */
  heal(): void {
    this.#faulty = false;
    const links = [...this.#cut].map((key): [number, number] => [
      Math.floor(key / 1000),
      key % 1000,
    ]);
    this.mend(links);
  }

  /** Tells both ends when their connection has changed: after a cut, a mend, a crash, a start. */
  refresh(a: number, b: number): void {
    const key = Math.min(a, b) * 1000 + Math.max(a, b);
    const [left, right] = [this.#endpoints[a], this.#endpoints[b]];
    if (left === undefined || right === undefined || left.validator === right.validator) return;
    const open = this.#open(a, b) && this.#open(b, a) && left.up && right.up;
    if (open === this.#connected.has(key)) return;
    if (open) this.#connected.add(key);
    else this.#connected.delete(key);
    if (left.up) left.linkChanged(right.validator, open);
    if (right.up) right.linkChanged(left.validator, open);
  }

  /** The instance stopped or came up: its connections follow, each in its own time. */
  refreshAll(instance: number, withinMs: number): void {
    this.#endpoints.forEach((_, other) => {
      if (other === instance) return;
      const delay = this.#random.between(0, withinMs) * 1000;
      this.#scheduler.after(delay, () => this.refresh(instance, other));
    });
  }

  /** A stopped instance has no connections any more, whatever its peers still believe. */
  drop(instance: number): void {
    for (let other = 0; other < this.#endpoints.length; other++) {
      const key = Math.min(instance, other) * 1000 + Math.max(instance, other);
      if (!this.#connected.delete(key)) continue;
      const peer = this.#endpoints[other] as Endpoint;
      const gone = (this.#endpoints[instance] as Endpoint).validator;
      this.#scheduler.after(this.#random.between(0, NOTICE_MS) * 1000, () => {
        if (peer.up && !this.#connected.has(key)) peer.linkChanged(gone, false);
      });
    }
  }

  #open(from: number, to: number): boolean {
    return !this.#cut.has(from * 1000 + to);
  }

  #fly(from: number, to: number, packet: Packet): void {
    const key = (from * 1000 + to) * 2 + (ROUTES[packet.message.kind].class === 'data' ? 1 : 0);
    const { minUs, jitterUs, ordered } = this.#link;
    let arrival = this.#scheduler.now + minUs + this.#random.exponential(jitterUs);
    if (ordered || !this.#faulty) {
      arrival = Math.max(arrival, (this.#lastArrival.get(key) ?? 0) + 1);
      this.#lastArrival.set(key, arrival);
    }
    this.#scheduler.at(arrival, () => {
      const receiver = this.#endpoints[to];
      const sender = this.#endpoints[from];
      if (receiver === undefined || sender === undefined || !this.#open(from, to)) return;
      receiver.receive(sender.validator, packet.message, packet.body);
    });
  }
}
