import test from 'ava';
import { redisPlaceOf } from '../../src/cache/redis-place.ts';

test('a URL says where Redis is, and as whom it is asked', (t) => {
  const plain = { port: 6379, tls: false, username: null, password: null, database: 0 };
  t.deepEqual(redisPlaceOf('redis://redis'), { ...plain, host: 'redis' });
  t.deepEqual(redisPlaceOf('redis://10.0.0.1:7000/3'), {
    ...plain,
    host: '10.0.0.1',
    port: 7000,
    database: 3,
  });
  t.deepEqual(redisPlaceOf('rediss://althing:sword%40fish@[::1]:6380/'), {
    ...plain,
    host: '::1',
    port: 6380,
    tls: true,
    username: 'althing',
    password: 'sword@fish',
  });
  t.like(redisPlaceOf('redis://:swordfish@redis'), { username: null, password: 'swordfish' });
});

test('what is no such URL is none', (t) => {
  for (const text of [
    '',
    'redis',
    'http://redis',
    'redis://',
    'redis:///1',
    'redis://redis/x',
    'redis://redis/1/2',
    'redis://redis:99999',
    'redis://redis?family=6',
    'redis://redis#1',
    'redis://u:%ff@redis',
  ]) {
    t.is(redisPlaceOf(text), null, text);
  }
});
