/** Second versions of the batches of an adversary's own lane, made as they leave and kept to serve. */
import type { Digest, Tip } from '../../../protocols/types.ts';
import type { Packet } from '../network.ts';
import type { Adversary } from './adversary.ts';

export interface SecondVersion {
  readonly tip: Tip;
  readonly packet: Packet;
}

export class SecondVersions {
  readonly #adversary: Adversary;
  readonly #bySeq = new Map<number, SecondVersion>();
  readonly #byDigest = new Map<Digest, SecondVersion>();

  constructor(adversary: Adversary) {
    this.#adversary = adversary;
  }

  at(seq: number): SecondVersion | undefined {
    return this.#bySeq.get(seq);
  }

  /** Whether the packet is a batch of the own lane; it gets a second version with the same parent. */
  note({ message, body }: Packet): boolean {
    const { setup, self } = this.#adversary;
    if (message.kind !== 'batch' || message.header.lane !== self || body === undefined)
      return false;
    const { seq } = message.header;
    if (this.#bySeq.has(seq)) return true;
    const other = body.slice();
    other[other.length - 1] = (other[other.length - 1] as number) ^ 1;
    const draft = { ...message.header, payloadDigest: setup.crypto.hash(other) };
    const header = this.#adversary.signHeader(draft);
    const digest = setup.engine.structures.batchDigest(setup.crypto, setup.cluster.id, header);
    const packet: Packet = { message: { kind: 'batch', header }, body: other };
    const version = { tip: { seq, digest }, packet };
    this.#bySeq.set(seq, version);
    this.#byDigest.set(digest, version);
    return true;
  }

  /** Answers whoever asks for one of them. */
  serve(from: number, { message }: Packet): void {
    const version = message.kind === 'fetchBatch' ? this.#byDigest.get(message.digest) : undefined;
    if (version === undefined) return;
    this.#adversary.say(version.packet.message, version.packet.body, from);
  }
}
