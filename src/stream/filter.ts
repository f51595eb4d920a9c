/** What a subscriber wants of the stream. */
import { sha256 } from '@noble/hashes/sha2.js';
import { toHex } from '../../protocols/bytes.ts';

export interface Wanted {
  readonly blocks: boolean;
  readonly transactions: boolean;
  readonly events: boolean;
  /** Names of modules; empty for all. */
  readonly modules: readonly string[];
  /** Of events: `module.name`, or `module.*`; empty for all. */
  readonly topics: readonly string[];
  /** Of events: those whose data has one of the values under the name; without it all. */
  readonly only?: { readonly member: string; readonly values: readonly string[] };
}

export const EVERY_EVENT: Wanted = {
  blocks: false,
  transactions: false,
  events: true,
  modules: [],
  topics: [],
};

export class Filter {
  readonly blocks: boolean;
  readonly transactions: boolean;
  readonly events: boolean;
  /** Filters that let the same through have the same key. */
  readonly key: string;
  /**
   * What it lets through when nothing is asked of data: itself where nothing is. Many who want other
   * values of one member have this in common.
   */
  readonly wide: Filter;
  readonly #modules: ReadonlySet<string>;
  readonly #topics: ReadonlySet<string>;
  readonly #member: string;
  readonly #values: ReadonlySet<unknown>;

  constructor({ only, ...wanted }: Wanted) {
    const { blocks, transactions, events, modules, topics } = wanted;
    this.wide = only === undefined ? this : new Filter(wanted);
    this.blocks = blocks;
    this.transactions = transactions;
    this.events = events;
    this.#modules = new Set(modules);
    this.#topics = new Set(topics);
    const named = [[...this.#modules].sort(), [...this.#topics].sort()];
    this.#member = only?.member ?? '';
    const values = [...new Set(only?.values)].sort();
    this.#values = new Set(values);
    const narrowed = only === undefined ? [] : [only.member, values];
    const key = JSON.stringify([blocks, transactions, events, ...named, ...narrowed]);
    // Caches hold many of them: their size is not for clients to choose.
    this.key = toHex(sha256(new TextEncoder().encode(key)));
  }

  transaction(module: string): boolean {
    return this.transactions && (this.#modules.size === 0 || this.#modules.has(module));
  }

  event(module: string, name: string): boolean {
    if (!this.events) return false;
    if (this.#modules.size > 0 && !this.#modules.has(module)) return false;
    if (this.#topics.size === 0) return true;
    return this.#topics.has(`${module}.${name}`) || this.#topics.has(`${module}.*`);
  }

  /** Of what `wide` lets through: `data` of an event, undefined for other items. */
  data(data: unknown): boolean {
    if (this.wide === this || data === undefined) return true;
    return this.#values.has((data as { readonly [name: string]: unknown } | null)?.[this.#member]);
  }
}
