/** A node that serves its past under load, while its Redis is killed, stopped and started again. */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Cluster, getJson } from '../../bench/cluster.ts';
import { redisTest, RedisServer } from '../cache/redis-server.ts';
import { newFolder } from '../folder.ts';

const READERS = 4;
const BLOCKS = 40;

/** What is asked for: of the past, each costing the database something. */
const pathsOf = (limit: number): readonly string[] =>
  Array.from({ length: BLOCKS }, (_, at) => at + 1).flatMap((height) => [
    `/api/v11/blocks/${height}`,
    `/api/v11/history/blocks?cursor=${height + 1}&limit=${limit}`,
  ]);
const ALL = 2 * BLOCKS;

/** Readers that ask for one thing after the other, and remember every answer that is not 200. */
class Readers {
  readonly failures: string[] = [];
  answered = 0;
  readonly #url: string;
  readonly #paths: readonly string[];
  #asked = 0;
  #isOver = false;
  readonly #readers: Promise<void>[];

  constructor(url: string, limit: number) {
    this.#url = url;
    this.#paths = pathsOf(limit);
    this.#readers = Array.from({ length: READERS }, () => this.#run());
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const path = this.#paths[this.#asked++ % this.#paths.length]!;
      const answer = await fetch(this.#url + path).catch((error: Error) => error);
      if (answer instanceof Error) this.failures.push(`${path}: ${answer.message}`);
      else if (answer.status !== 200) this.failures.push(`${path}: ${answer.status}`);
      if (!(answer instanceof Error)) await answer.arrayBuffer();
      this.answered++;
    }
  }

  async more(count: number): Promise<void> {
    const wanted = this.answered + count;
    while (this.answered < wanted) await pause(5);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#readers);
  }
}

async function metric(url: string, name: string, store = 'redis'): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(name) && each.includes(store));
  return Number(line?.split(' ').at(-1));
}

async function untilIt(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(50);
}

redisTest(
  'Z1: Redis is killed, stopped and started under load: no request of the node fails',
  async (t) => {
    const redis = await RedisServer.start(t);
    const args = ['--redis-url', `redis://127.0.0.1:${redis.port}`, '--heartbeat', '20'];
    const cluster = await Cluster.create({ folder: newFolder('cache'), nodes: 1, dev: true, args });
    t.teardown(() => cluster.close());
    await cluster.start();
    const [url = ''] = cluster.urls;
    const up = (): Promise<number> => metric(url, 'althing_cache_up{');
    const hits = (store?: string): Promise<number> =>
      metric(url, 'althing_cache_hits_total{', store);
    const reached = async (): Promise<boolean> =>
      (await getJson<{ height: number }>(`${url}/api/v11/history`)).height > BLOCKS;
    await untilIt(reached);

    const all: Readers[] = [];
    /** Asks for everything twice and more. */
    const readAll = async (limit: number): Promise<void> => {
      const readers = new Readers(url, limit);
      all.push(readers);
      await readers.more(2 * ALL);
      await readers.end();
    };
    const startAgain = async (): Promise<void> => {
      await cluster.end(0);
      await cluster.start();
      // Before, pages of the past have no name to be kept under.
      await untilIt(reached);
    };
    const used = (): Promise<void> => untilIt(async () => (await up()) === 1);
    /**
     * What memory has lost with the process, Redis still holds. On a busy machine an answer of Redis may
     * be late, and Redis is left alone for a while then, so it may take more than one start.
     */
    const heldByRedis = async (limit: number): Promise<void> => {
      do {
        await startAgain();
        await used();
        await readAll(limit);
        // Figures are some time behind. What was read twice came from memory once.
        await untilIt(async () => (await hits('memory')) >= ALL / 2);
      } while ((await hits()) < BLOCKS / 2);
    };

    await readAll(5);
    await heldByRedis(5);

    const readers = new Readers(url, 6);
    all.push(readers);
    await redis.end('SIGKILL');
    await untilIt(async () => (await up()) === 0);
    await readers.more(500);
    await redis.start();
    await used();
    redis.signal('SIGSTOP');
    await readers.more(500);
    t.is((await getJson<{ status: string }>(`${url}/health`)).status, 'UP');
    t.is((await fetch(`${url}/readyz?for=writes`)).status, 200);
    redis.signal('SIGCONT');
    await used();
    await readers.more(500);
    await readers.end();

    // A node starts and serves without it, and uses it once it is there.
    await redis.end('SIGKILL');
    await startAgain();
    await readAll(7);
    await redis.start();
    await used();
    await readAll(8);
    await heldByRedis(8);
    t.deepEqual(
      all.flatMap(({ failures }) => failures),
      [],
    );
    const log = readFileSync(cluster.logFile(0), 'utf8');
    // A line for each loss, of which a busy machine makes some more, and none for each of the requests.
    t.true(log.split('going on without').length <= 20, log);
  },
);
