/**
 * The stream's heights from the node's own log: blocks from `chain`, what they executed from
 * `transaction`. Receipts reach the log some milliseconds after their block was executed, and blocks
 * without transactions have none, so what is missing may be nothing, or not there yet.
 *
 * S4. A height is read only when it is whole: its block stands in the log, and so do its receipts, or
 *     those of a later block, or every block from there up to the newest executed one has none.
 */
import { CHAIN_STREAM, chainEntry, type ChainEntry } from '../../protocols/chain.ts';
import type { LogEvent } from '../../protocols/machine.ts';
import { readReceiptsHeader, RECEIPTS_STREAM } from '../../protocols/transaction/receipt-log.ts';
import type { Block, Digest } from '../../protocols/types.ts';
import { unpackStructure } from '../../protocols/wire.ts';
import type { ActorLog } from '../log/actor-log.ts';
import { heightOf, type Height } from './parts.ts';
import type { StreamSource } from './source.ts';

type StreamLog = Pick<ActorLog, 'read' | 'readLast'>;

export interface PageBounds {
  readonly heightsMax: number;
  /** Of receipts; one block's are read in any case. */
  readonly bytesMax: number;
}

const PAGE: PageBounds = { heightsMax: 256, bytesMax: 256 * 1024 };
/** Ends of pages whose place in `transaction` is remembered; others are searched for. */
const PLACES_MAX = 2_048;

export class LogSource implements StreamSource {
  readonly #log: () => StreamLog;
  readonly #digestOf: (block: Block) => Digest;
  readonly #bounds: PageBounds;
  /**
   * By height, a position in `transaction` before which receipts are of lower heights only. There may be
   * more of them from there on: those that were not in the log yet.
   */
  readonly #places = new Map<number, number>();
  /** Newest height executed, as was told or stands in the log. */
  #executed = 0;
  /** Newest height that is known to have receipts. */
  #busy = 0;
  #start: Promise<void> | null = null;
  #isStartKnown = false;

  /** @param log of the node, once it is open */
  constructor(log: () => StreamLog, digestOf: (block: Block) => Digest, bounds = PAGE) {
    this.#log = log;
    this.#digestOf = digestOf;
    this.#bounds = bounds;
  }

  executed(height: number, txCount: number): void {
    this.#executed = Math.max(this.#executed, height);
    if (txCount > 0) this.#busy = Math.max(this.#busy, height);
  }

  known(): number | null {
    return this.#isStartKnown ? this.#executed : null;
  }

  async newest(): Promise<number> {
    await this.#knowStart();
    return this.#executed;
  }

  async read(from: number): Promise<readonly Height[]> {
    await this.#knowStart();
    if (from > this.#executed) return [];
    // Before the log is read: what is told meanwhile may not be in what was read.
    const executed = this.#executed;
    const busy = this.#busy;
    const entries = await this.#entries(
      from,
      Math.min(executed, from + this.#bounds.heightsMax - 1),
    );
    if (entries.length === 0) return [];
    const place = await this.#placeOf(from);
    const bytesMax = this.#bounds.bytesMax;
    const range = { stream: RECEIPTS_STREAM, from: place, to: place + entries.length, bytesMax };
    const events = await this.#read({ ...range, bodies: true });
    const byHeight = new Map(events.map((event) => [readReceiptsHeader(event).height, event]));
    const stored = [...byHeight.keys()].at(-1) ?? from - 1;
    const isEnd = events.length < entries.length && sizeOf(events) < bytesMax;
    const whole = isEnd && stored >= busy ? executed : stored;
    const heights: Height[] = [];
    for (const entry of entries) {
      if (entry.block.height > whole) break;
      const event = byHeight.get(entry.block.height) ?? null;
      heights.push(heightOf(entry, event, this.#digestOf));
    }
    const next = from + heights.length;
    const before = [...byHeight.keys()].filter((height) => height < next).length;
    this.#remember(next, place + before);
    return heights;
  }

  #remember(height: number, place: number): void {
    this.#places.delete(height);
    this.#places.set(height, place);
    if (this.#places.size <= PLACES_MAX) return;
    for (const oldest of this.#places.keys()) {
      this.#places.delete(oldest);
      return;
    }
  }

  /** Receipts stand in height order, those of height h at position h − 1 at most: searched by halves. */
  async #placeOf(height: number): Promise<number> {
    const known = this.#places.get(height);
    if (known !== undefined) return known;
    const last = await this.#last();
    let from = 0;
    let to = Math.min(height - 1, last === null ? 0 : last.seq + 1);
    while (from < to) {
      const middle = (from + to) >> 1;
      const range = { stream: RECEIPTS_STREAM, from: middle, to: middle + 1, bytesMax: 1 };
      const [event] = await this.#read({ ...range, bodies: false });
      if (event === undefined) throw new Error(`the log lacks ${RECEIPTS_STREAM}/${middle}`);
      if (readReceiptsHeader(event).height < height) from = middle + 1;
      else to = middle;
    }
    this.#remember(height, from);
    return from;
  }

  /** What was executed before this node started is told by the log alone. */
  #knowStart(): Promise<void> {
    this.#start ??= this.#last().then(
      (event) => {
        this.#isStartKnown = true;
        if (event === null) return;
        const { height, transactions } = readReceiptsHeader(event);
        this.executed(height, transactions);
      },
      (error: unknown) => {
        this.#start = null;
        throw error;
      },
    );
    return this.#start;
  }

  async #entries(from: number, to: number): Promise<ChainEntry[]> {
    const range = { stream: CHAIN_STREAM, from: from - 1, to, bytesMax: this.#bounds.bytesMax };
    return (await this.#read({ ...range, bodies: false })).map(entryOf);
  }

  #last(): Promise<LogEvent | null> {
    return new Promise((resolve, reject) => {
      this.#log().readLast(RECEIPTS_STREAM, (error, event) => {
        if (error === null) resolve(event);
        else reject(error);
      });
    });
  }

  #read(range: Parameters<StreamLog['read']>[0]): Promise<readonly LogEvent[]> {
    return new Promise((resolve, reject) => {
      this.#log().read(range, (error, events) => {
        if (error === null) resolve(events);
        else reject(error);
      });
    });
  }
}

function sizeOf(events: readonly LogEvent[]): number {
  return events.reduce((sum, { header, body }) => sum + header.length + (body?.length ?? 0), 0);
}

function entryOf(event: LogEvent): ChainEntry {
  const entry = unpackStructure(chainEntry, event.header);
  if (!entry.ok) throw new Error(`chain ${event.seq} in the log is malformed: ${entry.error}`);
  return entry.value;
}
