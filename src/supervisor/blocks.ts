/**
 * Final blocks for the edges: the newest from memory, older ones from the stream `chain`, each with
 * the commit certificate that covers it.
 */
import { CHAIN_STREAM, chainEntry, type ChainEntry } from '../../protocols/chain.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import type { EdgeMessage } from '../../protocols/messages.ts';
import { batchHeader, blockDigest } from '../../protocols/structures.ts';
import type { Certificate, Digest, Tip } from '../../protocols/types.ts';
import { EMPTY_TIP } from '../../protocols/types.ts';
import { unpackStructure } from '../../protocols/wire.ts';
import { nodeCrypto } from '../crypto/node-crypto.ts';
import type { FinalBlock } from '../edge/port.ts';
import type { ActorLog } from '../log/actor-log.ts';

/** Blocks above one without a certificate of its own in which its certificate is looked for. */
const LOOK_AHEAD = 64;
const RECENT_MAX = 256;
const READ_BYTES_MAX = 8 * 1024 * 1024;

type Executed = Extract<EdgeMessage, { kind: 'blockExecuted' }>;

export class Blocks {
  readonly #log: ActorLog;
  readonly #clusterId: Digest;
  readonly #recent = new Map<number, Executed>();
  readonly #executedHeight: () => number;
  #newest = 0;

  /** @param executedHeight of this node, as of its last status: what it executed before it started */
  constructor(log: ActorLog, clusterId: Digest, executedHeight: () => number) {
    this.#log = log;
    this.#clusterId = clusterId;
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
    const events = await this.#read(CHAIN_STREAM, wanted - 1, wanted - 1 + LOOK_AHEAD, false);
    const entries = events.map(entryOf);
    const certificate = entries.find((entry) => entry.certificate !== null)?.certificate ?? null;
    const recent = this.#recent.get(wanted);
    if (recent !== undefined) {
      const { block, digest, txCount } = recent;
      return { block, digest, txCount, certificate };
    }
    const [entry] = entries;
    return entry === undefined ? null : this.#stored(entry, certificate);
  }

  async #stored({ block }: ChainEntry, certificate: Certificate | null): Promise<FinalBlock> {
    const digest = blockDigest(nodeCrypto, this.#clusterId, block);
    const before =
      block.height === 1
        ? null
        : await this.#read(CHAIN_STREAM, block.height - 2, block.height - 1, false);
    const parent = before?.[0] === undefined ? null : entryOf(before[0]).block;
    const txCount = await this.#ordered(block.cut, parent?.cut ?? []);
    return { block, digest, txCount, certificate };
  }

  /** Transactions in the batches that the cut added. */
  async #ordered(cut: readonly Tip[], before: readonly Tip[]): Promise<number> {
    const counts = cut.map(async ({ seq }, lane) => {
      const from = (before[lane] ?? EMPTY_TIP).seq + 1;
      if (seq < from) return 0;
      const headers = await this.#read(`lane-${lane}`, from, seq + 1, false);
      return headers.reduce((sum, event) => sum + txCountOf(event), 0);
    });
    return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
  }

  #read(stream: string, from: number, to: number, bodies: boolean): Promise<readonly LogEvent[]> {
    return new Promise((resolve, reject) => {
      this.#log.read({ stream, from, to, bytesMax: READ_BYTES_MAX, bodies }, (error, events) => {
        if (error === null) resolve(events);
        else reject(error);
      });
    });
  }
}

function entryOf(event: LogEvent): ChainEntry {
  const entry = unpackStructure(chainEntry, event.header);
  if (!entry.ok) throw new Error(`chain ${event.seq} in the log is malformed: ${entry.error}`);
  return entry.value;
}

function txCountOf(event: LogEvent): number {
  const header = unpackStructure(batchHeader, event.header);
  return header.ok ? header.value.txCount : 0;
}
