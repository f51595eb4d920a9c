/**
 * Following what becomes final: over Server-Sent Events, at one node after the other, from where the last
 * one ended. Nothing is read before it is asked for: who is slow falls behind, and holds no memory.
 */
import { Filter } from '../stream/filter.ts';
import { AlthingError } from './errors.ts';
import { askAll } from './hedging.ts';
import { Lane, type ProvedEvent } from './lanes.ts';
import { Merge } from './merging.ts';
import type { Nodes } from './nodes.ts';
import { badOption } from './options.ts';
import { endOf, placeText, readPlace, type Place } from './places.ts';
import type { ProvedReads, ProvedReceipts } from './proved-reads.ts';
import type { Digest } from '../../protocols/types.ts';
import { pathWith, type Parameters, type Trust } from './reads.ts';
import { follow, type Said } from './streaming.ts';
import { within } from './waiting.ts';

export interface SubscribeOptions {
  /** A height, from 1; without it and `after`, what becomes final from now on. */
  readonly from?: number;
  /** The `id` that was seen last, or `resume` of a subscription: what follows it is told. */
  readonly after?: string;
  /** Only events of these modules. */
  readonly modules?: readonly string[];
  /** Only these events: `module.name`, or `module.*`. */
  readonly topics?: readonly string[];
  /** Blocks and transactions, too: with `trust: 'node'`, for they are not proved. */
  readonly blocks?: boolean;
  readonly transactions?: boolean;
  /** `proof` where the client knows the validators. */
  readonly trust?: Trust;
  /** With proof: at how many nodes; with f + 1, each of another validator, none can leave anything out. */
  readonly nodes?: number;
  /** How long a node may say nothing, in milliseconds, before another one is asked: 10,000 without it. */
  readonly stallMs?: number;
  /** Ends the loop. */
  readonly signal?: AbortSignal;
}

/** As a node says it (docs/http.md). */
export type SaidItem = Said & { readonly kind: 'event' | 'transaction' | 'block' };

/** With proof every item is a ProvedEvent. */
export type StreamItem = ProvedEvent | SaidItem;

export interface Subscription extends AsyncIterable<StreamItem> {
  /** Up to where everything was handed out, for `after`; empty before anything was. */
  readonly resume: string;
}

const STALL_MS = 10_000;
const START_MS = 10_000;
const START_BYTES_MAX = 256 * 1024;

/** Throws AlthingError `bad_option` for options that do not go together. */
export function subscribe(
  nodes: Nodes,
  reads: ProvedReads | null,
  options: SubscribeOptions,
): Subscription {
  const { after = '', nodes: lanes = 1, blocks, transactions } = options;
  if (reads === null) {
    if (lanes > 1) throw badOption('nodes', 'several nodes are compared by what they prove');
    return new SaidSubscription(nodes, options);
  }
  for (const [name, isAsked] of Object.entries({ blocks, transactions })) {
    if (isAsked !== true) continue;
    throw badOption(name, "only events are proved: ask for others with trust: 'node'");
  }
  if (!Number.isSafeInteger(lanes) || lanes < 1 || lanes > nodes.count) {
    throw badOption('nodes', `the client knows ${nodes.count} nodes`);
  }
  const place = after === '' ? null : readPlace(after);
  if (after !== '' && place === null) throw badOption('after', 'not the id of a proved event');
  return new ProvedSubscription(nodes, reads, options, place);
}

function wishOf(options: SubscribeOptions): Parameters {
  const { modules = [], topics = [], blocks, transactions } = options;
  return {
    modules: modules.length > 0 ? modules.join(',') : undefined,
    topics: topics.length > 0 ? topics.join(',') : undefined,
    blocks: blocks === true ? 1 : undefined,
    transactions: transactions === true ? 1 : undefined,
  };
}

/** `run` with a signal that ends with `signal`, or when whoever reads stops. */
async function* untilEnd<T>(
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const ends = new AbortController();
  const end = (): void => ends.abort();
  signal?.addEventListener('abort', end);
  if (signal?.aborted === true) end();
  try {
    yield* run(ends.signal);
  } finally {
    signal?.removeEventListener('abort', end);
    end();
  }
}

/** A node's word. */
class SaidSubscription implements Subscription {
  readonly #nodes: Nodes;
  readonly #options: SubscribeOptions;
  resume: string;

  constructor(nodes: Nodes, options: SubscribeOptions) {
    this.#nodes = nodes;
    this.#options = options;
    this.resume = options.after ?? '';
  }

  [Symbol.asyncIterator](): AsyncGenerator<StreamItem, void, undefined> {
    return untilEnd(this.#options.signal, (signal) => this.#items(signal));
  }

  async *#items(signal: AbortSignal): AsyncGenerator<StreamItem, void, undefined> {
    const { from, stallMs = STALL_MS } = this.#options;
    const wish = wishOf(this.#options);
    const parameters = (): Parameters =>
      this.resume === '' ? { ...wish, from } : { ...wish, after: this.resume };
    for await (const said of follow(this.#nodes, { parameters, stallMs, refusals: 1, signal })) {
      if (!follows(said.id, this.resume)) continue;
      this.resume = said.id;
      if (said.kind !== 'progress') yield said as SaidItem;
    }
  }
}

/** Whether the item `id` of a node stands after `last`; both `H.I`, or `H` for the end of a height. */
function follows(id: string, last: string): boolean {
  const [height = 0, index = Infinity] = id.split('.').map(Number);
  const [lastHeight = 0, lastIndex = Infinity] = last.split('.').map(Number);
  return last === '' || height > lastHeight || (height === lastHeight && index > lastIndex);
}

class ProvedSubscription implements Subscription {
  readonly #nodes: Nodes;
  readonly #reads: ProvedReads;
  readonly #options: SubscribeOptions;
  #told: Place | null;

  constructor(nodes: Nodes, reads: ProvedReads, options: SubscribeOptions, after: Place | null) {
    this.#nodes = nodes;
    this.#reads = reads;
    this.#options = options;
    const { from } = options;
    const start = from === undefined ? null : readPlace(String(from - 1));
    if (from !== undefined && start === null) throw badOption('from', 'heights begin with 1');
    this.#told = after ?? start;
  }

  get resume(): string {
    return this.#told === null ? '' : placeText(this.#told);
  }

  [Symbol.asyncIterator](): AsyncGenerator<StreamItem, void, undefined> {
    return untilEnd(this.#options.signal, (signal) => this.#items(signal));
  }

  async *#items(signal: AbortSignal): AsyncGenerator<StreamItem, void, undefined> {
    const { nodes: count = 1, stallMs = STALL_MS, modules = [], topics = [] } = this.#options;
    const after = (this.#told ??= await this.#now(count, signal));
    const filter = new Filter({
      blocks: false,
      transactions: false,
      events: true,
      modules,
      topics,
    });
    const shared = {
      nodes: this.#nodes,
      reads: this.#reads,
      filter,
      parameters: wishOf(this.#options),
      stallMs,
      told: (): Place => merge.told,
      taken: new Set<number>(),
      known: new Map<Digest, ProvedReceipts>(),
      signal,
    };
    const lanes = Array.from({ length: count }, () => new Lane(shared));
    const certifiedHeight = (): number => this.#reads.trust.height;
    const merge = new Merge({ lanes, stallMs, certifiedHeight, after });
    for await (const merged of merge.merged()) {
      this.#told = merged.place;
      if (merged.event !== null) yield merged.event;
    }
  }

  /**
   * The end of a height that is not above what each of f + 1 nodes has, as far as there are so many: one of
   * them is honest, and none can have the beginning lie where nothing will come for long.
   */
  #now(lanes: number, signal: AbortSignal): Promise<Place> {
    const { trust } = this.#reads;
    const enough = Math.max(lanes, Math.min(this.#nodes.count, trust.facts.faultyMax + 1));
    return within(START_MS, signal, async (patience) => {
      const heights = await askAll(
        this.#nodes,
        patience,
        (node, end) => this.#heightAt(node, end),
        (told) => told.size >= enough,
      );
      if (heights.size >= lanes) {
        return endOf(Math.max(trust.height, Math.min(...heights.values())));
      }
      throw new AlthingError('no_answer', `${heights.size} of ${lanes} nodes said where they are`);
    });
  }

  async #heightAt(node: number, signal: AbortSignal): Promise<number | undefined> {
    const path = pathWith('/api/v11/consensus/status', {});
    const request = { method: 'GET', path, bytesMax: START_BYTES_MAX } as const;
    const answer = await this.#nodes.ask(node, request, signal);
    if (answer?.status !== 200) return undefined;
    try {
      const status = JSON.parse(new TextDecoder().decode(answer.body)) as {
        executedHeight?: unknown;
      };
      return Number.isSafeInteger(status.executedHeight)
        ? Number(status.executedHeight)
        : undefined;
    } catch {
      return undefined;
    }
  }
}
