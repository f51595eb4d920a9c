/** A cache in the node's own memory, bounded in bytes; the longest unused goes first. */
import { LRUCache } from 'lru-cache';
import type { Cache, StoreFigures } from './cache.ts';

/** What an entry costs besides its bytes, roughly. */
const ENTRY_BYTES = 200;

export class MemoryCache implements Cache {
  readonly #entries: LRUCache<string, Uint8Array>;
  #hits = 0;
  #misses = 0;

  constructor(bytesMax: number, keepMs: number) {
    this.#entries = new LRUCache({
      maxSize: bytesMax,
      ttl: keepMs,
      sizeCalculation: (value, name) => value.length + name.length + ENTRY_BYTES,
    });
  }

  get(name: string): Promise<Uint8Array | null> {
    const value = this.#entries.get(name);
    if (value === undefined) this.#misses++;
    else this.#hits++;
    return Promise.resolve(value ?? null);
  }

  set(name: string, value: Uint8Array): void {
    this.#entries.set(name, value);
  }

  figures(): readonly StoreFigures[] {
    return [{ store: 'memory', isUp: true, hits: this.#hits, misses: this.#misses, errors: 0 }];
  }

  close(): void {
    this.#entries.clear();
  }
}
