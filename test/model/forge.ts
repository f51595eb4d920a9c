/**
 * Makes the real messages of an exploration, signed by whom they name. The checker holds all keys, and
 * decides (facts.ts) which statements exist; what is forged carries a signature that is none.
 *
 * Votes in what a validator receives are those of the others: which of them voted makes no difference
 * to it (a certificate counts alike whoever is in it), but it would accuse itself of a vote it never cast.
 */
import { isCertificateValid, isTimeoutCertificateValid } from '../../protocols/certificates.ts';
import { emptyCut, EXECUTED_NOTHING } from '../../protocols/chain.ts';
import type { Crypto, Signer } from '../../protocols/crypto.ts';
import { clusterOf, DEFAULT_LIMITS, type Cluster } from '../../protocols/genesis.ts';
import {
  ZERO_DIGEST,
  type Block,
  type Certificate,
  type Justify,
  type Timeout,
  type TimeoutCertificate,
  type Vote,
  type VoteKind,
} from '../../protocols/types.ts';
import { fastSigner } from '../sim/fast-crypto.ts';
import { Blocks, modelCrypto, NOW, ROOT, shapeOf, type Proof, type Shape } from './blocks.ts';
import { EVERYONE, NODES, type Bounds } from './bounds.ts';
import type { Engine } from './engine.ts';

const NO_SIGNATURE = new Uint8Array(64);

/** Whose votes or timeouts prove something, and whose of these are signed. */
interface Signed {
  readonly voters: readonly number[];
  readonly isSigned: (voter: number) => boolean;
}

export class Forge {
  readonly crypto: Crypto = modelCrypto();
  readonly signers: readonly Signer[] = EVERYONE.map((index) => fastSigner(`validator-${index}`));
  readonly cluster: Cluster;
  readonly blocks: Blocks;
  /** What all machines hold in common. */
  readonly shared: ReadonlySet<unknown>;
  readonly bounds: Bounds;
  readonly #messages = new Map<string, unknown>();
  readonly #structures: Engine['structures'];

  constructor(engine: Engine, bounds: Bounds) {
    this.bounds = bounds;
    this.#structures = engine.structures;
    this.cluster = clusterOf(
      {
        version: 1,
        name: 'model',
        createdAtMs: NOW - 1000,
        validators: this.signers.map(({ publicKey }, at) => ({ id: `validator-${at}`, publicKey })),
        limits: DEFAULT_LIMITS,
        modules: {},
      },
      this.crypto,
    );
    this.blocks = new Blocks(this.cluster.id);
    this.shared = new Set<unknown>([this.cluster, this.crypto, ...this.signers]);
  }

  /** Every message is made once. */
  #made<T>(name: string, make: () => T): T {
    const known = this.#messages.get(name) as T | undefined;
    if (known !== undefined) return known;
    const made = make();
    this.#messages.set(name, made);
    return made;
  }

  /** The number of a block of this shape. */
  number(shape: Shape): number {
    return this.blocks.number(shape, () =>
      this.#structures.blockDigest(this.crypto, this.cluster.id, this.#content(shape, NODES)),
    );
  }

  /** The number of a block that a machine proposed, or null beyond the bounds. */
  proposed(block: Block): number | null {
    if (block.height > this.bounds.heights || block.term >= this.bounds.terms) return null;
    return this.number(shapeOf(this.blocks, block));
  }

  block(id: number, receiver: number): Block {
    return this.#made(`b${id}.${receiver}`, () => this.#block(id, receiver));
  }

  #block(id: number, receiver: number): Block {
    const shape = this.blocks.shape(id);
    const content = this.#content(shape, receiver);
    const signer = this.signers[shape.signer]!;
    return freeze({
      ...content,
      signature: signer.sign(this.#structures.blockBytes(this.cluster.id, content)),
    });
  }

  #content({ term, height, parent, reason, variant }: Shape, receiver: number) {
    return {
      epoch: 0,
      term,
      height,
      parent: this.blocks.digest(parent),
      justify: this.#justify(reason, receiver),
      cut: emptyCut(NODES),
      timestamp: this.blocks.timeAfter(parent) + variant,
      executed: EXECUTED_NOTHING,
      endsEpoch: null,
    };
  }

  #justify(reason: Shape['reason'], receiver: number): Justify {
    if (reason.kind === 'epoch') return reason;
    if (reason.kind === 'certificate') {
      const certificate = this.certificate('prepare', reason.of, receiver, reason.proof);
      return { kind: 'certificate', certificate };
    }
    const { term, highest, proof } = reason;
    const claims = [highest, ROOT, ROOT];
    return {
      kind: 'timeouts',
      certificate: this.timeoutCertificate(term, claims, receiver, proof),
    };
  }

  vote(kind: VoteKind, id: number, voter: number, isSigned = true): Vote {
    return this.#made(`${kind}${id}.${voter}.${isSigned}`, () =>
      this.#vote(kind, id, voter, isSigned),
    );
  }

  #vote(kind: VoteKind, id: number, voter: number, isSigned: boolean): Vote {
    const { term, reason } = this.blocks.shape(id);
    const height = this.blocks.heightOf(id);
    const first = reason.kind !== 'certificate';
    const content = { kind, epoch: 0, term, height, block: this.blocks.digest(id), first };
    const bytes = this.#structures.voteBytes(this.cluster.id, content);
    const signature = isSigned ? this.signers[voter]!.sign(bytes) : NO_SIGNATURE;
    return freeze({ ...content, voter, signature });
  }

  certificate(kind: VoteKind, id: number, receiver: number, proof: Proof = 'valid'): Certificate {
    const { voters, isSigned } = this.#signed(receiver, proof);
    const votes = voters.map((voter) => this.vote(kind, id, voter, isSigned(voter)));
    const { epoch, term, height, block, first } = votes[0]!;
    const shared = { kind, epoch, term, height, block, first };
    return freeze({
      ...shared,
      votes: votes.map(({ voter, signature }) => ({ voter, signature })),
    });
  }

  /** The certificate that a timeout with this claim carries. */
  highest(claim: number, receiver: number): Certificate | null {
    return claim === ROOT ? null : this.certificate('prepare', claim, receiver);
  }

  timeout(term: number, voter: number, claim: number, isSigned = true): Timeout {
    return this.#made(`t${term}.${voter}.${claim}.${isSigned}`, () =>
      this.#timeout(term, voter, claim, isSigned),
    );
  }

  #timeout(term: number, voter: number, claim: number, isSigned: boolean): Timeout {
    const content = {
      epoch: 0,
      term,
      highTerm: claim === ROOT ? -1 : this.blocks.termOf(claim),
      highHeight: claim === ROOT ? -1 : this.blocks.heightOf(claim),
      highBlock: claim === ROOT ? ZERO_DIGEST : this.blocks.digest(claim),
    };
    const bytes = this.#structures.timeoutBytes(this.cluster.id, content);
    const signature = isSigned ? this.signers[voter]!.sign(bytes) : NO_SIGNATURE;
    return freeze({ ...content, voter, signature });
  }

  /** Its certificate is that of `carried`, by default the highest claim. */
  timeoutCertificate(
    term: number,
    claims: readonly number[],
    receiver: number,
    proof: Proof = 'valid',
    carried = claims.reduce((a, b) => (this.rank(a) >= this.rank(b) ? a : b)),
  ): TimeoutCertificate {
    const { voters, isSigned } = this.#signed(receiver, proof);
    const timeouts = voters.map((voter, at) => {
      const made = this.timeout(term, voter, claims[at % claims.length]!, isSigned(voter));
      const { highTerm, highHeight, highBlock, signature } = made;
      return { voter, highTerm, highHeight, highBlock, signature };
    });
    return freeze({ epoch: 0, term, timeouts, highest: this.highest(carried, receiver) });
  }

  /** By the rules as they are, whatever the machines under test hold to be valid. */
  isCertified(certificate: Certificate): boolean {
    return isCertificateValid({ cluster: this.cluster, crypto: this.crypto }, certificate);
  }

  isClosed(certificate: TimeoutCertificate): boolean {
    const verifier = { cluster: this.cluster, crypto: this.crypto };
    return isTimeoutCertificateValid(verifier, certificate);
  }

  /** Whether the votes or timeouts that a block carries are what they must be. */
  isJustified({ justify }: Block): boolean {
    if (justify.kind === 'certificate') return this.isCertified(justify.certificate);
    return justify.kind === 'epoch' || this.isClosed(justify.certificate);
  }

  /** Orders certificates as B5 does. */
  rank(id: number): number {
    return id === ROOT ? -1 : this.blocks.termOf(id) * 1000 + this.blocks.heightOf(id);
  }

  others(receiver: number): readonly number[] {
    const { byzantine } = this.bounds;
    const others = EVERYONE.filter((index) => index !== receiver && index !== byzantine);
    if (byzantine !== null && byzantine !== receiver) others.unshift(byzantine);
    return others;
  }

  /** A certificate that nobody receives yet (NODES) has the votes of the first three. */
  #signed(receiver: number, proof: Proof): Signed {
    const voters = this.others(receiver).slice(0, NODES - 1);
    const own = this.bounds.byzantine ?? voters[0]!;
    const isOwn = (voter: number): boolean => voter === own;
    switch (proof) {
      case 'valid':
        return { voters, isSigned: () => true };
      case 'forged':
        return { voters, isSigned: isOwn };
      case 'repeated':
        return { voters: [own, own, own], isSigned: isOwn };
      case 'few':
        return { voters: [own], isSigned: isOwn };
    }
  }
}

/** What is shared between copies of machines must not change: then it would throw. */
export function freeze<T extends object>(value: T): T {
  if (Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  for (const each of Object.values(value)) if (each instanceof Object) freeze(each);
  return value;
}
