/**
 * What is read before the first step: the ends of the own streams, how far the chain certifies, and the
 * newest snapshot that fits all of them. With none execution begins at height 1.
 *
 * I139. A snapshot is used only if a final block in the log certifies its checkpoint or a later one, and the
 *       log has the receipts up to it: then every checkpoint that a later block may name is executed anew,
 *       and what is recorded follows on what stands in the log. One that cannot be read, or is not what it
 *       says, is passed over for the next older one.
 */
import { CHAIN_STREAM, readChainEntry } from '../chain.ts';
import type { Crypto } from '../crypto.ts';
import type { Cluster } from '../genesis.ts';
import type { LogEvent, RecoveryRead, SnapshotFound } from '../machine.ts';
import { unpackStructure } from '../wire.ts';
import { CHUNKS_STREAM } from './chunk-log.ts';
import { RECEIPTS_STREAM } from './receipt-log.ts';
import { snapshotHead, SnapshotLoader, type LoadedSnapshot } from './snapshot.ts';

export class Recovery {
  readonly #crypto: Crypto;
  readonly #cluster: Cluster;
  readonly #streams = [RECEIPTS_STREAM, CHUNKS_STREAM, CHAIN_STREAM];
  #loader: SnapshotLoader | null = null;
  /** Snapshots of greater heights are of no use; 0 when none is. */
  #upTo = 0;
  /** The last of its stream. */
  receipts: LogEvent | null = null;
  chunk: LogEvent | null = null;
  snapshot: LoadedSnapshot | null = null;

  constructor(crypto: Crypto, cluster: Cluster) {
    this.#crypto = crypto;
    this.#cluster = cluster;
  }

  next(): RecoveryRead | null {
    const stream = this.#streams.shift();
    if (stream !== undefined) return { stream, from: 'last', bodies: false };
    if (this.snapshot !== null || this.#upTo <= 0) return null;
    this.#loader = new SnapshotLoader(this.#crypto, this.#cluster.genesis.limits);
    return { snapshotUpTo: this.#upTo };
  }

  /** Throws InvariantViolation. */
  read(event: LogEvent): void {
    if (event.stream === RECEIPTS_STREAM) this.receipts = event;
    else if (event.stream === CHUNKS_STREAM) this.chunk = event;
    else this.#upTo = readChainEntry(event).block.executed.height;
  }

  found(found: SnapshotFound): void {
    if (found.kind === 'part') {
      if (this.#loader?.add(found.bytes) === false) this.#loader = null;
      return;
    }
    if (found.kind === 'none') {
      this.#upTo = 0;
      return;
    }
    this.#upTo = found.height - 1;
    const head = unpackStructure(snapshotHead, found.head);
    if (!head.ok || head.value.clusterId !== this.#cluster.id) return;
    if (head.value.executed.height !== found.height) return;
    const loaded = this.#loader?.finish(head.value) ?? null;
    if (loaded !== null && this.#isLogged(loaded)) this.snapshot = loaded;
  }

  /** What is recorded follows on what stands in the log. */
  #isLogged({ head, heights }: LoadedSnapshot): boolean {
    const receipts = (this.receipts?.seq ?? -1) + 1;
    const chunks = (this.chunk?.seq ?? -1) + 1;
    return head.busyBlocks <= receipts && heights.fullChunks <= chunks;
  }
}
