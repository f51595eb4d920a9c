/**
 * What a node has found out once and what can never change, kept where it comes back faster than from
 * its database: in memory, and behind that in Redis where the operator has one.
 *
 * Z1. A cache has no part in an answer but its speed. What is not there, or not there in time, is asked
 *     for where it stands; no request fails, waits for more than ANSWER_MS (redis-session.ts) or is
 *     refused because of a cache, and a node starts, is ready and stops without it.
 * Z2. Only what can never change is kept: there is nothing to be made invalid, so a cache that forgets,
 *     or comes back with what it held an hour ago, says nothing that is wrong.
 */
import type { Digest } from '../../protocols/types.ts';
import { LayeredCache } from './layered-cache.ts';
import { MemoryCache } from './memory-cache.ts';
import { RedisCache } from './redis-cache.ts';
import type { RedisPlace } from './redis-place.ts';
import type { CacheLogger } from './redis-session.ts';
import { Seal } from './seal.ts';

export interface StoreFigures {
  readonly store: 'memory' | 'redis';
  readonly isUp: boolean;
  /** Since the start; `errors` are questions that were not answered, or not with what was kept. */
  readonly hits: number;
  readonly misses: number;
  readonly errors: number;
}

export interface Cache {
  /** Null where it is not kept, or does not come in time. Never rejects. Not to be written to. */
  get(name: string): Promise<Uint8Array | null>;
  /** Takes the bytes over and returns at once. What cannot be kept is not, and nobody is told. */
  set(name: string, value: Uint8Array): void;
  /** The nearest store first. */
  figures(): readonly StoreFigures[];
  close(): void;
}

/** For how long something is kept that nobody pushes out: what a rebuild has left behind goes. */
export const KEEP_MS = 24 * 60 * 60 * 1000;
const MEMORY_BYTES = 32 * 1024 * 1024;

/** What of a node's configuration bears on its cache. */
export interface CacheConfig {
  readonly id: string;
  readonly cluster: { readonly id: Digest };
  readonly keyPath: string;
  /** Null: in memory alone. */
  readonly redis: RedisPlace | null;
}

export function openCache(
  { id, cluster, keyPath, redis }: CacheConfig,
  logger: CacheLogger,
): Cache {
  const memory = new MemoryCache(MEMORY_BYTES, KEEP_MS);
  if (redis === null) return memory;
  const seal = Seal.of(id, cluster.id, keyPath);
  return new LayeredCache(memory, new RedisCache({ place: redis, seal, logger, keepMs: KEEP_MS }));
}
