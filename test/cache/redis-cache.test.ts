/** The cache before a Redis that misbehaves in every way that a test can think of. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { generateKey } from '../../src/crypto/keys.ts';
import { createAuthority, issueLeaf } from '../../src/init/certificates.ts';
import { newFolder } from '../folder.ts';
import { freePort } from '../../bench/free-port.ts';
import { bulk, FakeRedis, type Answer } from './fake-redis.ts';
import {
  bytes,
  figuresOf,
  isDown,
  isUp,
  kept,
  read,
  redisCache,
  testSeal,
  until,
} from './fixture.ts';

const SECRET = 'swordfish';
const MANY = 1_000;

/** None of so many questions is answered, and none is refused. */
async function askMany(cache: { get(name: string): Promise<unknown> }): Promise<void> {
  const answers = await Promise.all(Array.from({ length: MANY }, (_, at) => cache.get(`${at}`)));
  if (answers.some((answer) => answer !== null)) throw new Error('something was answered');
}

test.serial(
  'what was kept comes back, under a key and in a form that only the node can make',
  async (t) => {
    const redis = await FakeRedis.start(t);
    const { cache } = redisCache(t, redis);
    await kept(cache, 'block/7', 'content');
    t.is(await read(cache, 'block/7'), 'content');
    await until(async () => {
      t.is(await cache.get('block/8'), null);
      return figuresOf(cache).misses > 0;
    });
    const key = testSeal().keyOf('block/7');
    t.deepEqual([...redis.store.keys()].toSorted(), [key, 'althing:probe'].toSorted());
    t.false(redis.store.get(key)!.equals(bytes('content')));
    t.true(figuresOf(cache).hits >= 2);
  },
);

test.serial('it goes under a time to live, and what is large not at all', async (t) => {
  const redis = await FakeRedis.start(t);
  const lives: string[] = [];
  redis.answer = (name, args) => {
    if (name === 'SET') lives.push(args.slice(2).join(' '));
    return redis.obey(name, args);
  };
  const { cache } = redisCache(t, redis);
  await kept(cache, 'a', 'content');
  t.is(lives.at(-1), 'PX 60000');
  const sets = lives.length;
  cache.set('large', new Uint8Array(1024 * 1024));
  t.is(await cache.get('large'), null);
  t.is(lives.length, sets);
});

test.serial('Z3: what others have put there is an error, and no answer', async (t) => {
  const redis = await FakeRedis.start(t);
  const { cache } = redisCache(t, redis);
  await kept(cache, 'a', 'content');
  await kept(cache, 'b', 'other');
  const [a, b] = ['a', 'b'].map((name) => testSeal().keyOf(name)) as [string, string];
  redis.store.set(a, redis.store.get(b)!);
  t.is(await cache.get('a'), null);
  redis.store.set(a, Buffer.from('garbage'));
  t.is(await cache.get('a'), null);
  t.is(figuresOf(cache).errors, 2);
  t.true(figuresOf(cache).isUp);
});

test.serial('Z1: a Redis that does not answer is asked by few, and then by none', async (t) => {
  const redis = await FakeRedis.start(t);
  const { cache, lines } = redisCache(t, redis);
  await kept(cache, 'a', 'content');
  redis.answer = () => null;
  redis.seen.length = 0;
  await askMany(cache);
  t.true(isDown(cache)());
  for (let round = 0; round < 10; round++) await askMany(cache);
  const gets = redis.seen.filter((name) => name === 'GET').length;
  t.true(gets > 0 && gets <= 256, `${gets}`);
  const { connected } = redis;
  await until(() => redis.connected > connected + 4);
  t.is(lines.all.length, 1);
  t.regex(lines.all[0]!, /^Redis does not serve as a cache: going on without/);
  redis.answer = (name, args) => redis.obey(name, args);
  await until(isUp(cache));
  t.is(await read(cache, 'a'), 'content');
});

test.serial('Z1: one that is not there, goes and comes is told of once each time', async (t) => {
  const port = await freePort();
  const { cache, lines } = redisCache(t, { port });
  await until(() => lines.all.length > 0);
  await askMany(cache);
  t.regex(lines.all[0]!, /going on without.*ECONNREFUSED/);
  const redis = await FakeRedis.start(t);
  await redis.stop();
  await redis.listen(port);
  await kept(cache, 'a', 'content');
  await until(() => lines.all.length > 1);
  t.regex(lines.all[1]!, /^Redis is used again as a cache/);
  const before = redis.connected;
  await redis.stop();
  await until(isDown(cache));
  await askMany(cache);
  await until(() => lines.all.length > 2);
  await redis.listen(port);
  await until(isUp(cache));
  t.is(await read(cache, 'a'), 'content');
  t.true(redis.connected > before);
  t.is(lines.all.length, 3);
});

for (const [what, error] of [
  ['full', 'OOM command not allowed when used memory > maxmemory'],
  ['read-only', "READONLY You can't write against a read only replica."],
  ['loading', 'LOADING Redis is loading the dataset in memory'],
  ['locked', 'NOAUTH Authentication required.'],
  ['unable to save', 'MISCONF Redis is configured to save RDB snapshots'],
] as const) {
  test.serial(`Z1: a Redis that is ${what} is left alone until it is not`, async (t) => {
    const redis = await FakeRedis.start(t);
    const refuse = (name: string, args: readonly Buffer[]): Answer =>
      name === 'SET' ? `-${error}\r\n` : redis.obey(name, args);
    const { cache, lines } = redisCache(t, redis);
    await kept(cache, 'a', 'content');
    redis.answer = refuse;
    cache.set('b', bytes('content'));
    await until(isDown(cache));
    redis.seen.length = 0;
    await askMany(cache);
    t.false(redis.seen.includes('GET'));
    await until(() => lines.all.length > 0);
    t.true(lines.all[0]!.includes(`it answers SET with ${error.split(' ')[0]}`), lines.all[0]);
    redis.answer = (name, args) => redis.obey(name, args);
    await until(isUp(cache));
    t.is(await read(cache, 'a'), 'content');
    // Once it has lasted, which a slow machine may come to see, there is a line that it is used again.
    t.is(lines.all.filter((line) => line.includes('going on without')).length, 1);
  });
}

for (const [what, answer] of [
  ['no protocol', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ['a number', ':7\r\n'],
  ['a list', '*1\r\n$1\r\nx\r\n'],
  ['what no node has written', bulk(bytes('garbage'))],
  ['nothing', bulk(bytes(''))],
  ['an answer that is not over', Buffer.concat([Buffer.from('$500000000\r\n'), Buffer.alloc(9e6)])],
] as const) {
  test.serial(`Z1: an answer that is ${what} is none`, async (t) => {
    const redis = await FakeRedis.start(t);
    redis.answer = (name, args) => (name === 'GET' ? answer : redis.obey(name, args));
    const { cache } = redisCache(t, redis);
    await until(isUp(cache));
    t.is(await cache.get('a'), null);
    t.true(figuresOf(cache).errors > 0);
    redis.answer = (name, args) => redis.obey(name, args);
    await kept(cache, 'a', 'content');
    t.is(await read(cache, 'a'), 'content');
  });
}

test.serial('it is asked as the user and in the database of the URL', async (t) => {
  const redis = await FakeRedis.start(t);
  const asked: string[] = [];
  redis.answer = (name, args) => {
    asked.push([name, ...args].join(' '));
    return redis.obey(name, args);
  };
  const { cache } = redisCache(t, { port: redis.port, password: SECRET, database: 3 });
  await until(isUp(cache));
  t.deepEqual(asked.slice(0, 2), [`AUTH default ${SECRET}`, 'SELECT 3']);
});

test.serial('the password is in no line, also where Redis repeats it', async (t) => {
  const redis = await FakeRedis.start(t);
  redis.answer = (name, args) =>
    `-ERR unknown command '${name}', with args beginning with: ${args.join(' ')}\r\n`;
  const { cache, lines } = redisCache(t, { port: redis.port, username: 'u', password: SECRET });
  await until(() => lines.all.length > 0);
  t.true(isDown(cache)());
  t.regex(lines.all[0]!, /it answers AUTH with ERR/);
  t.false(lines.all.join().includes(SECRET));
});

test.serial('after close nothing is asked, and no connection stays', async (t) => {
  const redis = await FakeRedis.start(t);
  const { cache } = redisCache(t, redis);
  await kept(cache, 'a', 'content');
  const { connected } = redis;
  cache.close();
  await until(() => redis.open.size === 0);
  t.is(await cache.get('a'), null);
  t.is(redis.connected, connected);
});

test.serial(
  'TLS is spoken to who has a certificate that is trusted, and to nobody else',
  async (t) => {
    const folder = newFolder('redis-tls');
    const nowMs = Date.now();
    const authority = await createAuthority('test', generateKey().pem, nowMs);
    const { pem: key } = generateKey();
    const cert = await issueLeaf(
      authority,
      { id: 'redis', keyPem: key, hosts: ['127.0.0.1'] },
      nowMs,
    );
    const redis = await FakeRedis.start(t, { key, cert });
    const { cache, lines } = redisCache(t, { port: redis.port, tls: true });
    await until(() => lines.all.length > 0);
    t.true(isDown(cache)());
    t.deepEqual(redis.seen, []);

    const ca = join(folder, 'ca.crt');
    writeFileSync(ca, authority.certificatePem);
    const child = spawn(process.execPath, [TLS_CLIENT, String(redis.port)], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: ca },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [code] = (await once(child, 'exit')) as [number | null];
    t.is(code, 0);
    t.true(redis.seen.includes('GET'));
  },
);

const TLS_CLIENT = fileURLToPath(new URL('tls-client.js', import.meta.url));
