import test from 'ava';
import { LayeredCache } from '../../src/cache/layered-cache.ts';
import { MemoryCache } from '../../src/cache/memory-cache.ts';
import { bytes, figuresOf } from './fixture.ts';

const KEEP_MS = 60_000;

test('memory gives back what was set, and counts', async (t) => {
  const cache = new MemoryCache(10_000, KEEP_MS);
  t.is(await cache.get('a'), null);
  cache.set('a', bytes('one'));
  t.deepEqual(await cache.get('a'), bytes('one'));
  t.like(figuresOf(cache, 'memory'), { isUp: true, hits: 1, misses: 1, errors: 0 });
});

test('memory is bounded in bytes, and what was not asked for goes first', async (t) => {
  const cache = new MemoryCache(10_000, KEEP_MS);
  for (let at = 0; at < 8; at++) {
    cache.set(`a${at}`, new Uint8Array(2_000));
    await cache.get('a0');
  }
  t.truthy(await cache.get('a0'));
  t.is(await cache.get('a1'), null);
  t.truthy(await cache.get('a7'));
  cache.set('large', new Uint8Array(20_000));
  t.is(await cache.get('large'), null);
});

test('many small entries count with what they cost besides their bytes', async (t) => {
  const cache = new MemoryCache(10_000, KEEP_MS);
  for (let at = 0; at < 100; at++) cache.set(`a${at}`, new Uint8Array(1));
  t.is(await cache.get('a0'), null);
  t.truthy(await cache.get('a99'));
});

test('what memory forgets comes from behind it, and is near again', async (t) => {
  const [near, far] = [new MemoryCache(1_000, KEEP_MS), new MemoryCache(100_000, KEEP_MS)];
  const cache = new LayeredCache(near, far);
  cache.set('a', new Uint8Array(500));
  cache.set('b', new Uint8Array(500));
  t.is(await near.get('a'), null);
  t.truthy(await cache.get('a'));
  t.truthy(await near.get('a'));
  t.is(await cache.get('c'), null);
});
