/** Blocks and batch headers that honest nodes wrote down or said: what the checkers reason about. */
import type { LogEvent } from '../../../protocols/machine.ts';
import { batchDigest, batchHeader, blockDigest } from '../../../protocols/structures.ts';
import type { BatchHeader, Block, Digest, Tip } from '../../../protocols/types.ts';
import { unpackStructure } from '../../../protocols/wire.ts';
import type { World } from '../world.ts';

export interface Prepared {
  readonly header: BatchHeader;
  readonly digest: Digest;
}

export class Registry {
  readonly blocks = new Map<Digest, Block>();
  readonly headers = new Map<Digest, BatchHeader>();
  readonly #world: World;
  readonly #digests = new WeakMap<Block, Digest>();
  readonly #batches = new WeakMap<LogEvent, Prepared>();

  constructor(world: World) {
    this.#world = world;
  }

  digestOf(block: Block): Digest {
    let digest = this.#digests.get(block);
    if (digest === undefined) {
      digest = blockDigest(this.#world.crypto, this.#world.cluster.id, block);
      this.#digests.set(block, digest);
    }
    return digest;
  }

  learn(block: Block): Digest {
    const digest = this.digestOf(block);
    this.blocks.set(digest, block);
    return digest;
  }

  /** The header in a stored batch event, by its digest. */
  batch(event: LogEvent): Prepared {
    const known = this.#batches.get(event);
    if (known !== undefined) return known;
    const decoded = unpackStructure(batchHeader, event.header);
    if (!decoded.ok) throw new Error(`${event.stream}/${event.seq}: ${decoded.error}`);
    const header = decoded.value;
    const digest = this.headerDigest(header);
    this.headers.set(digest, header);
    const prepared = { header, digest };
    this.#batches.set(event, prepared);
    return prepared;
  }

  headerDigest(header: BatchHeader): Digest {
    return batchDigest(this.#world.crypto, this.#world.cluster.id, header);
  }

  /** Whether the lane's chain leads from `to` down to `from`. */
  leadsTo(from: Tip, to: Tip): boolean {
    let at = to;
    while (at.seq > from.seq) {
      const header = this.headers.get(at.digest);
      if (header === undefined || header.seq !== at.seq) return false;
      at = { seq: at.seq - 1, digest: header.parentDigest };
    }
    return at.seq === from.seq && at.digest === from.digest;
  }

  /** Whether `digest` is `ancestor` or one of its descendants, as far as blocks are known. */
  descends(digest: Digest, ancestor: Digest, ancestorHeight: number): boolean {
    let at = digest;
    for (;;) {
      if (at === ancestor) return true;
      const block = this.blocks.get(at);
      if (block === undefined || block.height <= ancestorHeight) return false;
      at = block.parent;
    }
  }
}
