/** A cache in Redis, of which nothing is believed that this node has not written itself (seal.ts). */
import type { Cache, StoreFigures } from './cache.ts';
import type { RedisPlace } from './redis-place.ts';
import { inTime, RedisSession, type CacheLogger } from './redis-session.ts';
import type { Seal } from './seal.ts';

/** What is larger is seldom, and holds up what comes behind it. */
const VALUE_BYTES_MAX = 256 * 1024;
/** Questions under way, none for longer than ANSWER_MS; beyond it Redis is not asked. */
const ASKED_MAX = 256;

type Client = NonNullable<RedisSession['client']>;

export interface RedisCacheOptions {
  readonly place: RedisPlace;
  readonly seal: Seal;
  readonly logger: CacheLogger;
  readonly keepMs: number;
}

export class RedisCache implements Cache {
  readonly #seal: Seal;
  readonly #keepMs: number;
  readonly #session: RedisSession;
  #asked = 0;
  #hits = 0;
  #misses = 0;
  #errors = 0;

  constructor({ place, seal, logger, keepMs }: RedisCacheOptions) {
    this.#seal = seal;
    this.#keepMs = keepMs;
    this.#session = new RedisSession(place, logger);
  }

  async get(name: string): Promise<Uint8Array | null> {
    return (await this.#ask((client) => this.#read(client, this.#seal.keyOf(name)))) ?? null;
  }

  async #read(client: Client, key: string): Promise<Uint8Array | null> {
    const closed: unknown = await client.getBuffer(key);
    const value = closed instanceof Uint8Array ? this.#seal.open(key, closed) : null;
    if (value !== null) this.#hits++;
    else if (closed === null) this.#misses++;
    else this.#errors++;
    return value;
  }

  set(name: string, value: Uint8Array): void {
    if (value.length > VALUE_BYTES_MAX) return;
    void this.#ask((client) => {
      const key = this.#seal.keyOf(name);
      return client.set(key, this.#seal.close(key, value), 'PX', this.#keepMs);
    });
  }

  /** Undefined where Redis is not asked, or does not answer. */
  async #ask<T>(question: (client: Client) => Promise<T>): Promise<T | undefined> {
    const { client } = this.#session;
    if (client === null || this.#asked >= ASKED_MAX) return undefined;
    this.#asked++;
    try {
      return await inTime(question(client));
    } catch (error) {
      this.#errors++;
      this.#session.failed(client, error);
      return undefined;
    } finally {
      this.#asked--;
    }
  }

  figures(): readonly StoreFigures[] {
    const isUp = this.#session.client !== null;
    const [hits, misses, errors] = [this.#hits, this.#misses, this.#errors];
    return [{ store: 'redis', isUp, hits, misses, errors }];
  }

  close(): void {
    this.#session.close();
  }
}
