/**
 * Answers of the past that cost the database much, from the cache where it has them (Z1): a block with
 * the votes that made it final, which are found by several reads of the log, and receipts that
 * are no longer in memory, for which all receipts of their block are read.
 */
import { binary, nullable, struct, u53, type Schema } from '../../protocols/codec.ts';
import type { SubmissionReceipts } from '../../protocols/messages.ts';
import { block, certificate, digest } from '../../protocols/structures.ts';
import { packReceipts, readReceipts } from '../../protocols/transaction/receipt-records.ts';
import type { Digest } from '../../protocols/types.ts';
import { packStructure, unpackStructure } from '../../protocols/wire.ts';
import type { Cache } from '../cache/cache.ts';
import type { Answered, EdgePort, FinalBlock } from '../edge/port.ts';

/** Blocks since then are mostly in memory, with their receipts. */
const RECENT_BLOCKS = 256;
const RECEIPTS_BYTES_MAX = 16 * 1024 * 1024;

const keptBlock: Schema<FinalBlock> = struct({
  block,
  digest,
  certificate: nullable(certificate),
  txCount: u53,
});

interface KeptReceipts {
  readonly height: number;
  readonly record: Uint8Array;
}
const keptReceipts: Schema<KeptReceipts> = struct({
  height: u53,
  record: binary(RECEIPTS_BYTES_MAX),
});

export class KeptAnswers {
  readonly #cache: Cache;
  readonly #executedHeight: () => number;

  constructor(cache: Cache, executedHeight: () => number) {
    this.#cache = cache;
    this.#executedHeight = executedHeight;
  }

  /** A block that has its certificate never changes: of those above it none comes between (I81). */
  async block(height: number | 'latest', ask: EdgePort['block']): ReturnType<EdgePort['block']> {
    if (height === 'latest' || height > this.#executedHeight()) return ask(height);
    const name = `block/${height}`;
    const kept = await this.#read(name, keptBlock);
    if (kept !== null) return kept;
    const found = await ask(height);
    const isWhole = found !== null && found !== 'unavailable' && found.certificate !== null;
    if (isWhole) this.#cache.set(name, packStructure(keptBlock, found));
    return found;
  }

  /** A submission executes once: what became of it then is what became of it. */
  async receipts(id: Digest, ask: EdgePort['findSubmission']): Promise<Answered> {
    const name = `receipts/${id}`;
    const kept = await this.#read(name, keptReceipts);
    const read = kept === null ? null : readReceipts(kept.record, 0, kept.height);
    if (read !== null) {
      return { height: this.#executedHeight(), result: { ok: true, value: read.receipts } };
    }
    const answered = await ask(id);
    if (!answered.result.ok) return answered;
    const receipts = answered.result.value as SubmissionReceipts;
    const { height } = receipts;
    if (answered.height - height > RECENT_BLOCKS) {
      const record = packReceipts([receipts]);
      this.#cache.set(name, packStructure(keptReceipts, { height, record }));
    }
    return answered;
  }

  async #read<T>(name: string, form: Schema<T>): Promise<T | null> {
    const bytes = await this.#cache.get(name);
    const read = bytes === null ? null : unpackStructure(form, bytes);
    return read?.ok === true ? read.value : null;
  }
}
