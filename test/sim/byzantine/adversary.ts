/**
 * One instance of a Byzantine validator. A real node runs behind it, so that it takes part in
 * everything; its behaviours may change, drop, delay and add whatever leaves. It owns its key and may
 * sign anything with it; it cannot sign for others.
 */
import type { Crypto, Signer } from '../../../protocols/crypto.ts';
import type { Cluster } from '../../../protocols/genesis.ts';
import type { LocalMessage, PeerMessage, ProtocolActor } from '../../../protocols/messages.ts';
import type {
  BatchHeader,
  Block,
  Digest,
  HandOver,
  Marks,
  Timeout,
  Vote,
} from '../../../protocols/types.ts';
import type { Engine } from '../engine.ts';
import type { Packet } from '../network.ts';
import type { Random } from '../../../bench/random.ts';
import type { Knowledge } from './knowledge.ts';

export interface Behaviour {
  /** What really leaves towards `to` in place of `packet`. */
  outgoing?(to: number, packet: Packet): readonly Packet[];
  incoming?(from: number, packet: Packet): void;
  /** What its own actors are told in place of what they tell each other. */
  local?(message: LocalMessage): LocalMessage;
  /** Every few milliseconds. */
  tick?(): void;
}

export interface AdversarySetup {
  readonly engine: Engine;
  readonly cluster: Cluster;
  readonly validator: number;
  /** 0, or 1 for the second node that runs under the same key. */
  readonly twin: number;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly random: Random;
  readonly knowledge: Knowledge;
  readonly nowMs: () => number;
  /** Leaves as it is, past all behaviours, after a delay. */
  readonly send: (to: number, packet: Packet, delayMs: number) => void;
  /** Tells one of its own actors something that none of them said. */
  readonly toOwn: (actor: ProtocolActor, message: LocalMessage) => void;
  /**
   * What validator `v` signed when it also was a member of another cluster: its signature over these
   * bytes, which must begin with that other cluster's id.
   */
  readonly signedElsewhere: (validator: number, bytes: Uint8Array) => Uint8Array;
  readonly otherCluster: Digest;
}

export class Adversary {
  readonly setup: AdversarySetup;
  readonly #behaviours: Behaviour[] = [];

  constructor(setup: AdversarySetup) {
    this.setup = setup;
  }

  add(behaviour: Behaviour): void {
    this.#behaviours.push(behaviour);
  }

  get self(): number {
    return this.setup.validator;
  }

  get random(): Random {
    return this.setup.random;
  }

  get others(): number[] {
    const { cluster, validator } = this.setup;
    return Array.from({ length: cluster.n }, (_, v) => v).filter((v) => v !== validator);
  }

  transmit(to: number, packet: Packet): void {
    this.setup.knowledge.learn(this.self, packet.message, packet.body);
    let packets: readonly Packet[] = [packet];
    for (const { outgoing } of this.#behaviours) {
      if (outgoing) packets = packets.flatMap((each) => outgoing(to, each));
    }
    for (const each of packets) this.setup.send(to, each, 0);
  }

  heard(from: number, packet: Packet): void {
    this.setup.knowledge.learn(from, packet.message, packet.body);
    for (const behaviour of this.#behaviours) behaviour.incoming?.(from, packet);
  }

  local(message: LocalMessage): LocalMessage {
    return this.#behaviours.reduce((said, { local }) => (local ? local(said) : said), message);
  }

  tick(): void {
    for (const behaviour of this.#behaviours) behaviour.tick?.();
  }

  /** Sends to one or all, past all behaviours. */
  say(message: PeerMessage, body?: Uint8Array, to?: number): void {
    for (const peer of to === undefined ? this.others : [to]) {
      this.setup.send(peer, { message, body }, 0);
    }
  }

  digestOf(block: Omit<Block, 'signature'>): Digest {
    const { engine, crypto, cluster } = this.setup;
    return engine.structures.blockDigest(crypto, cluster.id, block);
  }

  signBlock(block: Omit<Block, 'signature'>): Block {
    const bytes = this.setup.engine.structures.blockBytes(this.setup.cluster.id, block);
    return { ...block, signature: this.setup.signer.sign(bytes) };
  }

  signVote(vote: Omit<Vote, 'signature' | 'voter'>): Vote {
    const bytes = this.setup.engine.structures.voteBytes(this.setup.cluster.id, vote);
    return { ...vote, voter: this.self, signature: this.setup.signer.sign(bytes) };
  }

  signTimeout(timeout: Omit<Timeout, 'signature' | 'voter'>): Timeout {
    const bytes = this.setup.engine.structures.timeoutBytes(this.setup.cluster.id, timeout);
    return { ...timeout, voter: this.self, signature: this.setup.signer.sign(bytes) };
  }

  signHeader(header: Omit<BatchHeader, 'signature'>): BatchHeader {
    const bytes = this.setup.engine.structures.batchBytes(this.setup.cluster.id, header);
    return { ...header, signature: this.setup.signer.sign(bytes) };
  }

  signMarks(marks: Omit<Marks, 'signature'>): Marks {
    const bytes = this.setup.engine.structures.marksBytes(this.setup.cluster.id, marks);
    return { ...marks, signature: this.setup.signer.sign(bytes) };
  }

  signHandOver(handOver: Omit<HandOver, 'signature'>): HandOver {
    const bytes = this.setup.engine.structures.handOverBytes(this.setup.cluster.id, handOver);
    return { ...handOver, signature: this.setup.signer.sign(bytes) };
  }

  /** The prepare vote for a block, whatever the rules say about it. */
  voteFor(block: Block, kind: Vote['kind'] = 'prepare'): Vote {
    const { epoch, term, height } = block;
    const first = block.justify.kind !== 'certificate';
    return this.signVote({ kind, epoch, term, height, block: this.digestOf(block), first });
  }

  randomDigest(): Digest {
    return this.setup.crypto.hash(this.random.bytes(8));
  }
}
