/** What a subscriber wants of the stream. */

export interface Wanted {
  readonly blocks: boolean;
  readonly transactions: boolean;
  readonly events: boolean;
  /** Names of modules; empty for all. */
  readonly modules: readonly string[];
  /** Of events: `module.name`, or `module.*`; empty for all. */
  readonly topics: readonly string[];
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
  readonly #modules: ReadonlySet<string>;
  readonly #topics: ReadonlySet<string>;

  constructor({ blocks, transactions, events, modules, topics }: Wanted) {
    this.blocks = blocks;
    this.transactions = transactions;
    this.events = events;
    this.#modules = new Set(modules);
    this.#topics = new Set(topics);
    const named = [[...this.#modules].sort(), [...this.#topics].sort()];
    this.key = JSON.stringify([blocks, transactions, events, ...named]);
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
}
