/** What the Byzantine validators have seen, together: they share everything with each other. */
import type { PeerMessage } from '../../../protocols/messages.ts';
import type {
  BatchHeader,
  Block,
  Certificate,
  Digest,
  Marks,
  Timeout,
  TimeoutCertificate,
} from '../../../protocols/types.ts';

const KEPT_MAX = 256;

export interface Heard {
  readonly from: number;
  readonly message: PeerMessage;
  readonly body: Uint8Array | undefined;
}

export class Knowledge {
  readonly blocks = new Map<Digest, Block>();
  readonly prepared = new Map<Digest, Certificate>();
  readonly committed: Certificate[] = [];
  readonly timeoutCertificates: TimeoutCertificate[] = [];
  /** Per term and voter, with the certificate behind the claim. */
  readonly timeouts = new Map<
    number,
    Map<number, { readonly timeout: Timeout; readonly highest: Certificate | null }>
  >();
  readonly headers = new Map<number, BatchHeader[]>();
  readonly marks = new Map<number, Marks>();
  readonly heard: Heard[] = [];
  readonly #digestOf: (block: Block) => Digest;

  constructor(digestOf: (block: Block) => Digest) {
    this.#digestOf = digestOf;
  }

  learn(from: number, message: PeerMessage, body: Uint8Array | undefined): void {
    this.heard.push({ from, message, body });
    if (this.heard.length > KEPT_MAX) this.heard.shift();
    switch (message.kind) {
      case 'proposal':
        this.#block(message.block);
        return;
      case 'blocks':
        for (const block of message.blocks) this.#block(block);
        this.#certificate(message.certificate);
        return;
      case 'certificate':
        this.#certificate(message.certificate);
        return;
      case 'timeout':
        this.#timeout(message.timeout, message.highest);
        return;
      case 'timeoutCertificate':
        this.timeoutCertificates.push(message.certificate);
        return;
      case 'marks':
        this.marks.set(message.marks.validator, message.marks);
        return;
      case 'batch':
        this.#header(message.header);
        return;
      default:
    }
  }

  #block(block: Block): void {
    this.blocks.set(this.#digestOf(block), block);
    if (block.justify.kind === 'certificate') this.#certificate(block.justify.certificate);
    if (block.justify.kind === 'timeouts') {
      this.timeoutCertificates.push(block.justify.certificate);
      if (block.justify.certificate.highest) this.#certificate(block.justify.certificate.highest);
    }
  }

  #certificate(certificate: Certificate): void {
    if (certificate.kind === 'prepare') this.prepared.set(certificate.block, certificate);
    else this.committed.push(certificate);
  }

  #timeout(timeout: Timeout, highest: Certificate | null): void {
    let voters = this.timeouts.get(timeout.term);
    if (voters === undefined) this.timeouts.set(timeout.term, (voters = new Map()));
    voters.set(timeout.voter, { timeout, highest });
    if (highest !== null) this.#certificate(highest);
  }

  #header(header: BatchHeader): void {
    const lane = this.headers.get(header.lane);
    if (lane === undefined) this.headers.set(header.lane, [header]);
    else lane.push(header);
  }
}
