/**
 * The blocks of an exploration, by number, and what they are made of.
 *
 * A block's digest covers the votes in its `justify`, so the same block justified by other voters would
 * be another one, and nothing would come of it but names. `hash` leaves those votes out: the digest
 * stands for term, height, parent, what justifies it, and content. The signature covers them all.
 */
import { utf8 } from '../../protocols/bytes.ts';
import { decodeCanonical } from '../../protocols/codec.ts';
import type { Crypto } from '../../protocols/crypto.ts';
import { InvariantViolation } from '../../protocols/machine.ts';
import { blockContent } from '../../protocols/structures.ts';
import type { Block, Digest, Justify } from '../../protocols/types.ts';
import { fastCrypto } from '../sim/fast-crypto.ts';

/** How the votes or timeouts that justify a block are proved. */
export type Proof = 'valid' | 'forged' | 'repeated' | 'few';

export type Reason =
  | { readonly kind: 'epoch' }
  | { readonly kind: 'certificate'; readonly of: number; readonly proof: Proof }
  | {
      readonly kind: 'timeouts';
      readonly term: number;
      readonly highest: number;
      readonly proof: Proof;
    };

export interface Shape {
  readonly term: number;
  readonly height: number;
  readonly parent: number;
  readonly reason: Reason;
  /** Which of several contents for one place. */
  readonly variant: number;
  readonly signer: number;
}

/** Variants from here on are blocks that no honest validator may vote for. */
export const LAWLESS = 10;
/** The root of the chain; as a certificate: none. */
export const ROOT = 0;
/** Time stands still: whether something is late is decided by the explorer, not by a clock. */
export const NOW = 1_700_000_001_000;
/** The prefix of what is signed of a block: its kind's name and the cluster id. */
const PREFIX = 'althing/v1/block';

export class Blocks {
  readonly #shapes: (Shape | null)[] = [null];
  readonly #digests: Digest[];
  readonly #ids = new Map<Digest, number>();
  readonly #byName = new Map<string, number>();

  constructor(root: Digest) {
    this.#digests = [root];
    this.#ids.set(root, ROOT);
  }

  shape(id: number): Shape {
    return this.#shapes[id]!;
  }

  digest(id: number): Digest {
    return this.#digests[id]!;
  }

  heightOf(id: number): number {
    return this.#shapes[id]?.height ?? 0;
  }

  termOf(id: number): number {
    return this.#shapes[id]?.term ?? -1;
  }

  /** The block of that digest, if there is one within the bounds. */
  find(digest: Digest): number | undefined {
    return this.#ids.get(digest);
  }

  /** The number of a block of this shape; `digest` makes it when it is new. */
  number(shape: Shape, digest: () => Digest): number {
    const { term, height, parent, reason, variant, signer } = shape;
    const of = reason.kind === 'certificate' ? reason.of : 0;
    const entry = reason.kind === 'timeouts' ? `${reason.term}.${reason.highest}` : '';
    const proof = reason.kind === 'epoch' ? '' : reason.proof;
    const name = `${term}/${height}/${parent}/${reason.kind}/${of}/${entry}/${proof}/${variant}/${signer}`;
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const id = this.#shapes.push(shape) - 1;
    const named = digest();
    if (this.#ids.has(named)) throw new Error(`two shapes of one digest: ${name}`);
    this.#digests.push(named);
    this.#ids.set(named, id);
    this.#byName.set(name, id);
    return id;
  }

  /** The time of a block, and the earliest of one that follows: variants differ by it. */
  timeOf(id: number): number {
    const shape = this.#shapes[id];
    return shape ? this.timeAfter(shape.parent) + shape.variant : NOW - 1000;
  }

  timeAfter(parent: number): number {
    return Math.max(NOW, this.timeOf(parent) + 1);
  }

  /** Whether one of the two is the other or an ancestor of it. */
  onOneChain(a: number, b: number): boolean {
    const [low, high] = this.heightOf(a) <= this.heightOf(b) ? [a, b] : [b, a];
    return low === ROOT || this.chain(high).includes(low);
  }

  /** The block and its ancestors above the root, from the top down. */
  chain(id: number): readonly number[] {
    const ids: number[] = [];
    for (let at = id; at !== ROOT; at = this.shape(at).parent) ids.push(at);
    return ids;
  }
}

function nameOf(justify: Justify): string {
  if (justify.kind === 'epoch') return 'epoch';
  if (justify.kind === 'certificate') return `certificate ${justify.certificate.block}`;
  const { term, highest } = justify.certificate;
  return `timeouts ${term} ${highest?.block ?? 'none'}`;
}

/** Of everything but a block's votes it is the simulator's hash. */
export function modelCrypto(): Crypto {
  const known = new Map<string, Digest>();
  const hash = (bytes: Uint8Array): Digest => {
    const name = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const digest = known.get(name) ?? fastCrypto.hash(withoutVotes(bytes));
    known.set(name, digest);
    return digest;
  };
  return { ...fastCrypto, hash };
}

function withoutVotes(bytes: Uint8Array): Uint8Array {
  const prefix = 4 + PREFIX.length + 32;
  const decoded = decodeCanonical(blockContent, bytes.subarray(prefix));
  if (!decoded.ok) return bytes;
  const { justify, ...rest } = decoded.value;
  return utf8(`${nameOf(justify)} ${JSON.stringify(rest)}`);
}

/** What an honest leader proposed, as a shape. */
export function shapeOf(blocks: Blocks, block: Block): Shape {
  const at = (digest: Digest): number => {
    const id = blocks.find(digest);
    if (id === undefined) throw new InvariantViolation('unknown_block', digest);
    return id;
  };
  const { term, height, justify } = block;
  const reasonOf = (): Reason => {
    if (justify.kind === 'epoch') return { kind: 'epoch' };
    if (justify.kind === 'certificate') {
      return { kind: 'certificate', of: at(justify.certificate.block), proof: 'valid' };
    }
    const { highest, term: closed } = justify.certificate;
    const id = highest === null ? ROOT : at(highest.block);
    return { kind: 'timeouts', term: closed, highest: id, proof: 'valid' };
  };
  const parent = at(block.parent);
  const variant = block.timestamp - blocks.timeAfter(parent);
  return { term, height, parent, reason: reasonOf(), variant, signer: term };
}
