/** Caches of a test, what they log, and what they come to. */
import { setTimeout as pause } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import type { Digest } from '../../protocols/types.ts';
import type { Cache, StoreFigures } from '../../src/cache/cache.ts';
import { RedisCache } from '../../src/cache/redis-cache.ts';
import type { RedisPlace } from '../../src/cache/redis-place.ts';
import { Seal } from '../../src/cache/seal.ts';

const CLUSTER = '11'.repeat(32) as Digest;
const SEED = Buffer.alloc(32, 7);

export const testSeal = (nodeId = 'validator-1', clusterId = CLUSTER, seed = SEED): Seal =>
  new Seal(nodeId, clusterId, seed);

export const bytes = (text: string): Uint8Array => Buffer.from(text);

export class Lines {
  readonly all: string[] = [];
  readonly info = (fields: object, message: string): void => this.#add(fields, message);
  readonly warn = (fields: object, message: string): void => this.#add(fields, message);

  #add(fields: object, message: string): void {
    this.all.push(`${message} ${JSON.stringify(fields)}`);
  }
}

export function redisCache(
  t: ExecutionContext,
  place: Partial<RedisPlace> & { readonly port: number },
): { cache: RedisCache; lines: Lines } {
  const lines = new Lines();
  const nobody = { username: null, password: null, database: 0 };
  const cache = new RedisCache({
    place: { host: '127.0.0.1', tls: false, ...nobody, ...place, port: place.port },
    seal: testSeal(),
    logger: lines,
    keepMs: 60_000,
  });
  t.teardown(() => cache.close());
  return { cache, lines };
}

export function figuresOf(cache: Cache, store: StoreFigures['store'] = 'redis'): StoreFigures {
  return cache.figures().find((each) => each.store === store)!;
}

export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(5);
}

export const isUp = (cache: Cache) => (): boolean => figuresOf(cache).isUp;
export const isDown = (cache: Cache) => (): boolean => !figuresOf(cache).isUp;

/** Asks until it is answered: an answer may always be late. */
export async function read(cache: Cache, name: string): Promise<string> {
  for (;;) {
    const value = await cache.get(name);
    if (value !== null) return Buffer.from(value).toString();
    await pause(5);
  }
}

/** Sets it until it is there to be read. */
export async function kept(cache: Cache, name: string, text: string): Promise<void> {
  await until(async () => {
    cache.set(name, bytes(text));
    return (await cache.get(name)) !== null;
  });
}
