/**
 * Final blocks for the edges: the newest from memory, older ones from the stream `chain`, each with
 * the commit certificate that covers it: its own, or that of the next block that has one. The votes of
 * what is stored there were checked before it was (I81).
 */
import { CHAIN_STREAM, chainEntry, type ChainEntry } from '../../protocols/chain.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import type { EdgeMessage } from '../../protocols/messages.ts';
import { blockDigest } from '../../protocols/structures.ts';
import {
  readReceiptsHeader,
  RECEIPTS_STREAM,
  type ReceiptsHeader,
} from '../../protocols/transaction/receipt-log.ts';
import type { Certificate, Digest } from '../../protocols/types.ts';
import { unpackStructure } from '../../protocols/wire.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { FinalBlock } from '../edge/port.ts';
import type { ActorLog, ReadBounds } from '../log/actor-log.ts';
import { isTransient } from '../log/connection.ts';

/** Blocks read at a time while the certificate above one without its own is looked for. */
const LOOK_AHEAD = 64;
const RECENT_MAX = 256;
const READ_BYTES_MAX = 8 * 1024 * 1024;
/** Of the log that blocks are read from: a client who waited longer would have asked another node. */
export const BLOCK_READS: ReadBounds = { readMs: 3_000, readsMax: 1_024 };

type BlockLog = Pick<ActorLog, 'read' | 'readLast'>;
type Executed = Extract<EdgeMessage, { kind: 'blockExecuted' }>;

export class Blocks {
  readonly #log: BlockLog;
  readonly #clusterId: Digest;
  readonly #recent = new Map<number, Executed>();
  readonly #executedHeight: () => number;
  #newest = 0;

  /** @param executedHeight of this node, as of its last status: what it executed before it started */
  constructor(log: BlockLog, clusterId: Digest, executedHeight: () => number) {
    this.#log = log;
    this.#clusterId = clusterId;
    this.#executedHeight = executedHeight;
  }

  executed(message: Executed): void {
    this.#newest = message.block.height;
    this.#recent.set(this.#newest, message);
    this.#recent.delete(this.#newest - RECENT_MAX);
  }

  /** Of one that was executed of late; null for others. */
  timeOf(height: number): number | null {
    return this.#recent.get(height)?.block.timestamp ?? null;
  }

  /** Height of the newest block that is final and executed here. */
  get newest(): number {
    return Math.max(this.#newest, this.#executedHeight());
  }

  /** Null when the block is not final and executed here yet, `unavailable` while the log does not answer. */
  async at(height: number | 'latest'): Promise<FinalBlock | null | 'unavailable'> {
    try {
      return await this.#find(height);
    } catch (error) {
      if (isTransient(error)) return 'unavailable';
      throw error;
    }
  }

  async #find(height: number | 'latest'): Promise<FinalBlock | null> {
    const latest = this.newest;
    const wanted = height === 'latest' ? latest : height;
    if (wanted < 1 || wanted > latest) return null;
    const [entry] = await this.entries(wanted - 1, wanted);
    if (entry === undefined) return null;
    const certificate = entry.certificate ?? (await this.#certificateFrom(wanted));
    const recent = this.#recent.get(wanted);
    const { block } = entry;
    const digest = recent?.digest ?? blockDigest(nodeCrypto, this.#clusterId, block);
    const txCount = recent?.txCount ?? (await this.#executedIn(wanted));
    return { block, digest, txCount, certificate };
  }

  async #certificateFrom(position: number): Promise<Certificate | null> {
    const entries = await this.entries(position, position + LOOK_AHEAD);
    if (entries.length === 0) return null;
    const found = entries.find(({ certificate }) => certificate !== null);
    return found?.certificate ?? this.#certificateFrom(position + entries.length);
  }

  /** Final blocks from position `from` up to `to` that are stored. Rejects as the log does. */
  async entries(from: number, to: number): Promise<readonly ChainEntry[]> {
    return (await this.#read(CHAIN_STREAM, from, to)).map(entryOf);
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
