/** The cache in a real Redis, which is killed, stopped, filled and locked under it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { parse } from 'yaml';
import type { RedisCache } from '../../src/cache/redis-cache.ts';
import { bytes, figuresOf, isDown, isUp, kept, read, redisCache, until } from './fixture.ts';
import { ANSWER_MS } from '../../src/cache/redis-session.ts';
import { redisTest, RedisServer } from './redis-server.ts';

const ASKERS = 8;
const NAMES = 64;
const COMPOSE = fileURLToPath(new URL('../../../compose/compose.yaml', import.meta.url));

/** Askers that read, and keep what they did not find, one after the other, until told to end. */
class Load {
  asked = 0;
  readonly #cache: RedisCache;
  #isOver = false;
  readonly #askers: Promise<void>[];

  constructor(cache: RedisCache) {
    this.#cache = cache;
    this.#askers = Array.from({ length: ASKERS }, (_, at) => this.#run(at));
  }

  async #run(first: number): Promise<void> {
    for (let at = first; !this.#isOver; at++) {
      const name = `${at % NAMES}`;
      const value = await this.#cache.get(name);
      if (value === null) this.#cache.set(name, bytes(`value of ${name}`));
      else if (Buffer.from(value).toString() !== `value of ${name}`) throw new Error(name);
      this.asked++;
      // As between requests: others have their turn.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** So many more are answered. */
  more(count: number): Promise<void> {
    const wanted = this.asked + count;
    return until(() => this.asked >= wanted);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#askers);
  }
}

/** A cache that is asked all the time, and hits. */
async function loaded(t: ExecutionContext) {
  const redis = await RedisServer.start(t);
  const { cache, lines } = redisCache(t, redis);
  await until(isUp(cache));
  const load = new Load(cache);
  await hitsAgain(cache);
  return { redis, cache, lines, load };
}

async function hitsAgain(cache: RedisCache): Promise<void> {
  const { hits } = figuresOf(cache);
  await until(() => figuresOf(cache).hits > hits + NAMES);
}

redisTest(
  'Z1: it is killed and started again under load: nothing fails, and it hits again',
  async (t) => {
    const { redis, cache, lines, load } = await loaded(t);
    for (let times = 0; times < 3; times++) {
      await redis.end('SIGKILL');
      await until(isDown(cache));
      await load.more(5_000);
      await redis.start();
      await hitsAgain(cache);
    }
    await load.end();
    // One for each loss and one for its end, of which a busy machine makes some more.
    t.true(lines.all.length <= 20, lines.all.join('\n'));
  },
);

redisTest(
  'Z1: it is stopped and goes on under load: nothing fails, and it hits again',
  async (t) => {
    const { redis, cache, lines, load } = await loaded(t);
    redis.signal('SIGSTOP');
    await until(isDown(cache));
    await load.more(5_000);
    await until(() => lines.all.length > 0);
    redis.signal('SIGCONT');
    await hitsAgain(cache);
    await load.end();
    t.regex(lines.all[0]!, /going on without/);
  },
);

redisTest(
  'an answer that came while the thread was busy with something else is in time',
  async (t) => {
    const redis = await RedisServer.start(t);
    const { cache } = redisCache(t, redis);
    await kept(cache, 'a', 'content');
    let inTime = 0;
    // Redis itself may be late now and then.
    for (let times = 0; times < 50 && inTime < 5; times++) {
      const asked = cache.get('a');
      const free = performance.now() + 3 * ANSWER_MS;
      while (performance.now() < free);
      const value = await asked;
      if (value === null) await kept(cache, 'a', 'content');
      else if (Buffer.from(value).toString() === 'content') inTime++;
    }
    t.is(inTime, 5);
  },
);

redisTest('a full one that pushes nothing out is not used, and one that does, is', async (t) => {
  const redis = await RedisServer.start(t);
  const { cache } = redisCache(t, redis);
  await kept(cache, 'a', 'content');
  await redis.say('CONFIG SET maxmemory 1');
  cache.set('b', bytes('content'));
  await until(isDown(cache));
  t.is(await cache.get('a'), null);
  await redis.say('CONFIG SET maxmemory 10mb');
  await redis.say('CONFIG SET maxmemory-policy allkeys-lru');
  t.is(await read(cache, 'a'), 'content');
});

redisTest('it is asked as a user who may do this and no more', async (t) => {
  const redis = await RedisServer.start(t);
  const rules = 'on >sword@fish ~althing:* -@all +get +set +select';
  t.is(await redis.say(`ACL SETUSER node ${rules}`), '+OK\r\n');
  await redis.say('ACL SETUSER default off');
  const user = { port: redis.port, username: 'node', password: 'sword@fish', database: 1 };
  const { cache } = redisCache(t, user);
  await kept(cache, 'a', 'content');
  const wrong = redisCache(t, { ...user, password: 'hammerhead' });
  await until(() => wrong.lines.all.length > 0);
  t.regex(wrong.lines.all[0]!, /it answers AUTH with WRONGPASS/);
  t.is(await wrong.cache.get('a'), null);
});

redisTest('the Redis of the Compose project is the cache that it is said to be', async (t) => {
  const { services } = parse(readFileSync(COMPOSE, 'utf8')) as {
    services: { redis: { command: readonly string[] } };
  };
  const redis = await RedisServer.start(t, ...services.redis.command.slice(1));
  t.true((await redis.say('CONFIG GET maxmemory')).includes(String(1024 ** 3)));
  t.true((await redis.say('CONFIG GET maxmemory-policy')).includes('allkeys-lru'));
  t.false((await redis.say('CONFIG GET appendonly')).includes('yes'));
  await kept(redisCache(t, redis).cache, 'a', 'content');
});
