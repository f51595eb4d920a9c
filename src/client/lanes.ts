/**
 * Proved events from one node at a time. What the node says is a hint that a submission did something;
 * which events, where and with what data comes from the receipts that it proves.
 *
 * X8. Every event is certified, and each is told once, in the order in which they happened, whatever nodes
 *     say and however often another one goes on: their order and what was told already follow from
 *     places that are certified. A node that invents, or does not prove what it says, is left, and the
 *     next one is asked for what comes after all that was told (X9), whatever the other said.
 */
import { isHex } from '../../protocols/bytes.ts';
import type { Value } from '../../protocols/transaction/values.ts';
import type { Digest } from '../../protocols/types.ts';
import type { Filter } from '../stream/filter.ts';
import { ahead } from './ahead.ts';
import { Refusals } from './asking.ts';
import { AlthingError } from './errors.ts';
import type { Nodes } from './nodes.ts';
import { comparePlaces, placeText, type Place } from './places.ts';
import type { ProvedReads, ProvedReceipts } from './proved-reads.ts';
import type { Parameters } from './reads.ts';
import { StreamRefused, streamOf, type Said } from './streaming.ts';
import { pause } from './waiting.ts';

export interface ProvedEvent {
  readonly kind: 'event';
  /** Where it stands, for `after`. */
  readonly id: string;
  readonly height: number;
  readonly module: string;
  readonly name: string;
  readonly data: Value;
  /** `<submission id>-<index>` */
  readonly transaction: string;
}

/** An event at its place; or that a node says that it told all up to a height, which may be anything. */
export type Entry =
  | { readonly kind: 'event'; readonly place: Place; readonly event: ProvedEvent }
  | { readonly kind: 'progress'; readonly height: number };

export interface LaneOptions {
  readonly nodes: Nodes;
  readonly reads: ProvedReads;
  readonly filter: Filter;
  readonly parameters: Parameters;
  readonly stallMs: number;
  /** Up to where all was told: what comes after it is wanted. */
  readonly told: () => Place;
  /** Nodes that lanes are at: each is at another one. */
  readonly taken: Set<number>;
  /** What lanes have had proved lately. */
  readonly known: Map<Digest, ProvedReceipts>;
  readonly signal: AbortSignal;
}

/** Submissions that are proved at the same time. */
const AHEAD_MAX = 8;
const KNOWN_MAX = 64;
const TRIES = 3;
const RETRY_MS = 100;
const PAUSE_MS_MAX = 1_000;
const SUBMISSION = /^([0-9a-f]{64})-(0|[1-9][0-9]{0,9})$/;

const NOTHING_TO_PROVE = new AlthingError('not_proved', 'it tells nothing that can be proved');

type Proved =
  | { readonly kind: 'receipts'; readonly receipts: ProvedReceipts | AlthingError }
  | { readonly kind: 'progress'; readonly height: number };

export class Lane {
  readonly #options: LaneOptions;
  /** Those that failed lately come last. */
  readonly #order: readonly number[];
  #at = -1;
  #connection = new AbortController();

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#order = options.nodes.order();
  }

  get #node(): number {
    return this.#order[this.#at]!;
  }

  /** The node is left for another one, if there is one. */
  leave(): void {
    this.#connection.abort();
  }

  /** As the nodes have them, some again, until the signal. Throws the AlthingError with which f + 1 nodes refuse. */
  async *entries(): AsyncGenerator<Entry, void, undefined> {
    const { nodes, reads, signal, told } = this.#options;
    const refused = new Refusals(nodes, reads.trust.facts.faultyMax + 1);
    for (let failures = 0; !signal.aborted;) {
      this.#moveOn();
      const before = told();
      try {
        yield* this.#fromNode();
      } catch (error) {
        if (!(error instanceof StreamRefused)) throw error;
        if (refused.areEnough(this.#node, error.problem)) throw error.problem;
      } finally {
        this.#options.taken.delete(this.#node);
      }
      failures = comparePlaces(told(), before) > 0 ? 0 : failures + 1;
      await pause(Math.min(PAUSE_MS_MAX, RETRY_MS * failures), signal);
    }
  }

  /** To the next node that no other lane is at. */
  #moveOn(): void {
    const { nodes, taken } = this.#options;
    for (let step = 1; step <= nodes.count; step++) {
      const at = (this.#at + step) % nodes.count;
      if (taken.has(this.#order[at]!)) continue;
      this.#at = at;
      taken.add(this.#node);
      return;
    }
    throw new Error('there are more lanes than nodes');
  }

  async *#fromNode(): AsyncGenerator<Entry, void, undefined> {
    const { nodes, signal, stallMs, parameters } = this.#options;
    this.#connection = new AbortController();
    const connection = this.#connection;
    const end = (): void => connection.abort();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    const asked = { ...parameters, after: this.#resumeHeight() };
    let progress = 0;
    const said = streamOf(nodes, this.#node, {
      parameters: asked,
      stallMs,
      signal: connection.signal,
    });
    try {
      const prove = (each: Said): Promise<Proved> => this.#prove(each, connection.signal);
      for await (const proved of ahead(withoutRepeats(said), prove, AHEAD_MAX)) {
        if (connection.signal.aborted) return;
        if (proved.kind === 'progress') {
          if (proved.height <= progress) continue;
          progress = proved.height;
          yield proved;
        } else if (proved.receipts instanceof AlthingError) {
          // Not this node alone: what nodes of another cluster tell is never proved.
          if (proved.receipts.code === 'other_cluster') throw new StreamRefused(proved.receipts);
          return;
        } else yield* this.#eventsOf(proved.receipts);
      }
    } finally {
      signal.removeEventListener('abort', end);
      end();
    }
  }

  /** Heights are taken up from their beginning, for what nodes say of the place within one is not certified. */
  #resumeHeight(): number {
    const { height, transaction } = this.#options.told();
    return transaction === Infinity ? height : height - 1;
  }

  async #prove(said: Said, signal: AbortSignal): Promise<Proved> {
    if (said.kind === 'progress') return { kind: 'progress', height: said.height };
    const id = submissionOf(said);
    const receipts = id === null ? NOTHING_TO_PROVE : await this.#receipts(id, signal);
    return { kind: 'receipts', receipts };
  }

  async #receipts(id: Digest, signal: AbortSignal): Promise<ProvedReceipts | AlthingError> {
    const { reads, known } = this.#options;
    let reason = NOTHING_TO_PROVE;
    for (let left = TRIES; left > 0 && !signal.aborted; left--) {
      const receipts = known.get(id) ?? (await reads.receiptsFrom(this.#node, id, signal));
      if (!(receipts instanceof AlthingError)) {
        known.set(id, receipts);
        if (known.size > KNOWN_MAX) known.delete(known.keys().next().value!);
        return receipts;
      }
      reason = receipts;
      await pause(RETRY_MS, signal);
    }
    return reason;
  }

  /** Those of its events that are wanted. */
  *#eventsOf({ height, receipts }: ProvedReceipts): Generator<Entry> {
    for (const receipt of receipts) {
      for (const [at, { module, name, data }] of receipt.events.entries()) {
        const place = { height, transaction: receipt.index, event: at };
        if (!this.#options.filter.event(module, name)) continue;
        const id = placeText(place);
        const transaction = receipt.id;
        const event = { kind: 'event', id, height, module, name, data, transaction } as const;
        yield { kind: 'event', place, event };
      }
    }
  }
}

/** Of the items of one submission the first: its receipts have them all. */
async function* withoutRepeats(source: AsyncIterable<Said>): AsyncGenerator<Said, void, undefined> {
  let last: Digest | null = null;
  for await (const said of source) {
    const id = said.kind === 'event' ? submissionOf(said) : null;
    if (id !== null && id === last) continue;
    last = id ?? last;
    if (said.kind === 'event' || said.kind === 'progress') yield said;
  }
}

function submissionOf({ transaction }: Said): Digest | null {
  const [, id = ''] = SUBMISSION.exec(typeof transaction === 'string' ? transaction : '') ?? [];
  return isHex(id, 32) ? (id as Digest) : null;
}
