/** A process of its own, for what Node.js trusts is fixed when it starts: keeps and reads over TLS. */
import { RedisCache } from '../../src/cache/redis-cache.ts';
import { kept, Lines, testSeal } from './fixture.ts';

const nobody = { username: null, password: null, database: 0 };
const cache = new RedisCache({
  place: { host: '127.0.0.1', port: Number(process.argv[2]), tls: true, ...nobody },
  seal: testSeal(),
  logger: new Lines(),
  keepMs: 60_000,
});
await kept(cache, 'a', 'content');
cache.close();
