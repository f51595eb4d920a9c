/**
 * Final blocks for the edges: the newest from memory, older ones from the stream `chain`, each with
 * the commit certificate that covers it. What is stored was counted by authenticated channels (B6), so
 * votes are checked here, where the certificate is handed on.
 */
import { withValidVotes, type Verifier } from '../../protocols/certificates.ts';
import { CHAIN_STREAM, chainEntry, type ChainEntry } from '../../protocols/chain.ts';
import type { Cluster } from '../../protocols/genesis.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import type { EdgeMessage } from '../../protocols/messages.ts';
import { blockDigest } from '../../protocols/structures.ts';
import {
  readReceiptsHeader,
  RECEIPTS_STREAM,
  type ReceiptsHeader,
} from '../../protocols/transaction/receipt-log.ts';
import type { Certificate } from '../../protocols/types.ts';
import { unpackStructure } from '../../protocols/wire.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { FinalBlock } from '../edge/port.ts';
import type { ActorLog } from '../log/actor-log.ts';

/** Blocks above one without a certificate of its own in which its certificate is looked for. */
const LOOK_AHEAD = 64;
const RECENT_MAX = 256;
const READ_BYTES_MAX = 8 * 1024 * 1024;

type BlockLog = Pick<ActorLog, 'read' | 'readLast'>;
type Executed = Extract<EdgeMessage, { kind: 'blockExecuted' }>;

export class Blocks {
  readonly #log: BlockLog;
  readonly #verifier: Verifier;
  readonly #recent = new Map<number, Executed>();
  readonly #executedHeight: () => number;
  #newest = 0;

  /** @param executedHeight of this node, as of its last status: what it executed before it started */
  constructor(log: BlockLog, cluster: Cluster, executedHeight: () => number) {
    this.#log = log;
    this.#verifier = { cluster, crypto: nodeCrypto };
    this.#executedHeight = executedHeight;
  }

  executed(message: Executed): void {
    this.#newest = message.block.height;
    this.#recent.set(this.#newest, message);
    this.#recent.delete(this.#newest - RECENT_MAX);
  }

  /** Null when the block is not final and executed here yet. */
  async at(height: number | 'latest'): Promise<FinalBlock | null> {
    const latest = Math.max(this.#newest, this.#executedHeight());
    const wanted = height === 'latest' ? latest : height;
    if (wanted < 1 || wanted > latest) return null;
    const events = await this.#read(CHAIN_STREAM, wanted - 1, wanted - 1 + LOOK_AHEAD);
    const entries = events.map(entryOf);
    const certificate = this.#certificateOf(entries);
    const recent = this.#recent.get(wanted);
    if (recent !== undefined) {
      const { block, digest, txCount } = recent;
      return { block, digest, txCount, certificate };
    }
    const [entry] = entries;
    return entry === undefined ? null : this.#stored(entry, certificate);
  }

  /** The first whose valid votes are a quorum. */
  #certificateOf(entries: readonly ChainEntry[]): Certificate | null {
    for (const { certificate } of entries) {
      const valid = certificate === null ? null : withValidVotes(this.#verifier, certificate);
      if (valid !== null) return valid;
    }
    return null;
  }

  async #stored({ block }: ChainEntry, certificate: Certificate | null): Promise<FinalBlock> {
    const digest = blockDigest(nodeCrypto, this.#verifier.cluster.id, block);
    return { block, digest, txCount: await this.#executedIn(block.height), certificate };
  }

  /**
   * Transactions executed in a block. Only blocks that executed any have receipts, in height order, so
   * those of height h stand at position h − 1 at most: they are searched for by halves.
   */
  async #executedIn(height: number): Promise<number> {
    let from = 0;
    let to = Math.min(height, await this.#receiptsEnd());
    while (from < to) {
      const middle = (from + to) >> 1;
      const header = await this.#receiptsAt(middle);
      if (header.height === height) return header.transactions;
      if (header.height < height) from = middle + 1;
      else to = middle;
    }
    return 0;
  }

  #receiptsEnd(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#log.readLast(RECEIPTS_STREAM, (error, event) => {
        if (error === null) resolve(event === null ? 0 : event.seq + 1);
        else reject(error);
      });
    });
  }

  async #receiptsAt(position: number): Promise<ReceiptsHeader> {
    const [event] = await this.#read(RECEIPTS_STREAM, position, position + 1);
    if (event === undefined) throw new Error(`the log lacks ${RECEIPTS_STREAM}/${position}`);
    return readReceiptsHeader(event);
  }

  #read(stream: string, from: number, to: number): Promise<readonly LogEvent[]> {
    return new Promise((resolve, reject) => {
      this.#log.read(
        { stream, from, to, bytesMax: READ_BYTES_MAX, bodies: false },
        (error, events) => {
          if (error === null) resolve(events);
          else reject(error);
        },
      );
    });
  }
}

function entryOf(event: LogEvent): ChainEntry {
  const entry = unpackStructure(chainEntry, event.header);
  if (!entry.ok) throw new Error(`chain ${event.seq} in the log is malformed: ${entry.error}`);
  return entry.value;
}
