/**
 * A height of the stream as the log holds it, cut into parts that are read one at a time: the block,
 * then each submission that it executed. A block may hold many thousand transactions: nobody wants all
 * of them decoded at once, and few subscribers want them at all.
 *
 * S3. The items of a height have one order, and numbers from 0 without gaps: the block, then each
 *     transaction in its place, followed by its events.
 *
 * This file is the one place that knows what the log's receipts look like.
 */
import type { ChainEntry } from '../../protocols/chain.ts';
import { InvariantViolation, type LogEvent } from '../../protocols/machine.ts';
import type { SubmissionReceipts } from '../../protocols/messages.ts';
import { decodeCalls, type CallRun } from '../../protocols/transaction/calls.ts';
import { readReceiptsHeader, receiptsIn } from '../../protocols/transaction/receipt-log.ts';
import { decodeReceipts, type Receipt } from '../../protocols/transaction/receipts.ts';
import type { Digest } from '../../protocols/types.ts';
import type { Filter } from './filter.ts';
import { Item } from './item.ts';

/** What one item takes in memory, roughly, in bytes. */
const ITEM_BYTES = 512;
/** Decoded and encoded again, a byte of the log takes so many. */
const GROWTH = 4;
/** Of so many filters a part keeps what passes: few differ where many subscribe. */
const FILTERS_KEPT = 4;
/** What that takes for each of them, and for each item in it, in bytes. */
const KEPT_BYTES = 128;
const KEPT_ITEM_BYTES = 8;

export interface Part {
  /** How many items it has, where that is known without decoding; null elsewhere. */
  readonly count: number | null;
  /** What its items take in memory, roughly, in bytes. */
  readonly weight: number;
  /** False where no item of it passes the filter, as far as is known without decoding. */
  mayPass(filter: Filter): boolean;
  /** @param base number of its first item within the height */
  decode(base: number): DecodedPart;
}

export interface DecodedPart {
  readonly count: number;
  /** The items that pass, in order; `at` of an item counts all of the part. */
  passing(filter: Filter): readonly Item[];
}

export interface Height {
  readonly height: number;
  /** Of the log, in bytes. */
  readonly bytes: number;
  readonly parts: readonly Part[];
}

/**
 * @param event the receipts of the block; null where it executed nothing
 * @param digestOf computes a block's digest, which the log does not hold
 */
export function heightOf(
  { block }: ChainEntry,
  event: LogEvent | null,
  digestOf: (block: ChainEntry['block']) => Digest,
): Height {
  const { height, timestamp } = block;
  const time = new Date(timestamp).toISOString();
  const txCount = event === null ? 0 : readReceiptsHeader(event).transactions;
  const view = (): object => ({
    digest: digestOf(block),
    parent: block.parent,
    epoch: block.epoch,
    term: block.term,
    txCount,
  });
  const parts: Part[] = [new BlockPart(height, time, view)];
  if (event !== null) {
    for (const each of receiptsIn(event)) parts.push(new SubmissionPart(each, time));
  }
  const bytes = (event?.header.length ?? 0) + (event?.body?.length ?? 0);
  return { height, bytes, parts };
}

class BlockPart implements Part, DecodedPart {
  readonly count = 1;
  readonly weight = ITEM_BYTES;
  readonly #height: number;
  readonly #time: string;
  readonly #view: () => object;
  #items: readonly Item[] | null = null;

  constructor(height: number, time: string, view: () => object) {
    this.#height = height;
    this.#time = time;
    this.#view = view;
  }

  mayPass(filter: Filter): boolean {
    return filter.blocks;
  }

  decode(): DecodedPart {
    return this;
  }

  passing(filter: Filter): readonly Item[] {
    if (!filter.blocks) return NOTHING;
    if (this.#items === null) {
      const id = `${this.#height}.0`;
      const head = { id, kind: 'block', height: this.#height, time: this.#time };
      this.#items = [new Item(id, { ...head, ...this.#view() })];
    }
    return this.#items;
  }
}

const NOTHING: readonly Item[] = [];

class SubmissionPart implements Part {
  readonly count: number | null;
  readonly weight: number;
  readonly #receipts: SubmissionReceipts;
  readonly #time: string;

  constructor(receipts: SubmissionReceipts, time: string) {
    const { encoded, txCount } = receipts;
    this.#receipts = receipts;
    this.#time = time;
    // One run of transactions that succeeded and said nothing.
    this.count = encoded.length === 3 && encoded[0] === 0 ? txCount : null;
    this.weight =
      GROWTH * encoded.length +
      FILTERS_KEPT * KEPT_BYTES +
      (ITEM_BYTES + FILTERS_KEPT * KEPT_ITEM_BYTES) * txCount;
  }

  mayPass(filter: Filter): boolean {
    return filter.transactions || (filter.events && this.count === null);
  }

  decode(base: number): DecodedPart {
    const { id, height, calls, txCount } = this.#receipts;
    const outcomes = decodeReceipts(this.#receipts);
    const runs = decodeCalls(calls, txCount);
    if (outcomes === null || runs === null) {
      throw new InvariantViolation('log_unreadable', `receipts of ${id} at height ${height}`);
    }
    return new DecodedSubmission(this.#receipts, outcomes, runs, { time: this.#time, base });
  }
}

class DecodedSubmission implements DecodedPart {
  readonly count: number;
  readonly #receipts: SubmissionReceipts;
  readonly #outcomes: readonly Receipt[];
  readonly #calls: readonly CallRun[];
  readonly #place: { readonly time: string; readonly base: number };
  readonly #items = new Map<number, Item>();
  /** By the key of the filter, those first that nobody used for longest. */
  readonly #passing = new Map<string, readonly Item[]>();

  constructor(
    receipts: SubmissionReceipts,
    outcomes: readonly Receipt[],
    calls: readonly CallRun[],
    place: { readonly time: string; readonly base: number },
  ) {
    this.#receipts = receipts;
    this.#outcomes = outcomes;
    this.#calls = calls;
    this.#place = place;
    this.count = outcomes.reduce((sum, { events }) => sum + 1 + events.length, 0);
  }

  passing(filter: Filter): readonly Item[] {
    const passing =
      this.#passing.get(filter.key) ??
      (filter.wide === filter ? this.#select(filter) : this.#narrowed(filter));
    this.#passing.delete(filter.key);
    for (const first of this.#passing.keys()) {
      if (this.#passing.size < FILTERS_KEPT) break;
      this.#passing.delete(first);
    }
    this.#passing.set(filter.key, passing);
    return passing;
  }

  /** A look at the few that pass what many have in common, and not at all there are. */
  #narrowed(filter: Filter): readonly Item[] {
    const passing = this.passing(filter.wide).filter(({ value }) =>
      filter.data((value as { readonly data?: unknown }).data),
    );
    return passing.length === 0 ? NOTHING : passing;
  }

  #select(filter: Filter): readonly Item[] {
    const passing: Item[] = [];
    let at = 0;
    let transaction = 0;
    for (const call of this.#calls) {
      for (const end = transaction + call.count; transaction < end; transaction++) {
        const outcome = this.#outcomes[transaction]!;
        if (filter.transaction(call.module)) {
          passing.push(this.#item(at, 'transaction', () => this.#transaction(outcome, call)));
        }
        at++;
        for (const event of outcome.events) {
          if (filter.event(event.module, event.name)) {
            const said = (): object => ({ ...event, transaction: outcome.id });
            passing.push(this.#item(at, 'event', said));
          }
          at++;
        }
      }
    }
    return passing.length === 0 ? NOTHING : passing;
  }

  /** The same for all filters that let it through. */
  #item(at: number, kind: string, said: () => object): Item {
    let item = this.#items.get(at);
    if (item === undefined) {
      const { height } = this.#receipts;
      const { time, base } = this.#place;
      const id = `${height}.${base + at}`;
      this.#items.set(at, (item = new Item(id, { id, kind, height, time, ...said() }, at)));
    }
    return item;
  }

  #transaction({ id, status, result, error }: Receipt, { module, command }: CallRun): object {
    return {
      module,
      command,
      sender: this.#receipts.sender,
      transaction: id,
      status,
      ...(result === undefined ? {} : { result }),
      ...(error === undefined ? {} : { error }),
    };
  }
}
