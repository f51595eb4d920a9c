/** A step that took long for another reason than its work is not paid for by a long rest. */
import test from 'ava';
import pg from 'pg';
import { MemoryCache } from '../../src/cache/memory-cache.ts';
import { ReadModel } from '../../src/read-model/read-model.ts';
import { openTestActor, openTestLog } from '../log/harness.ts';
import { quiet, startTestServer } from '../postgres/server.ts';
import { put, task, WrittenChain } from './chain.ts';

/** For so long the step waits: a fiftieth of the time would make it two minutes and more. */
const LOCKED_MS = 3_000;
/** More than any rest, and far less than that. */
const SOON_MS = 100_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

for (const [when, load] of [
  ['while the projection keeps up', 0],
  ['under load', 5_000],
] as const) {
  test(`after a step that had to wait the next comes soon, ${when}`, async (t) => {
    const server = await startTestServer();
    t.teardown(() => server.end());
    const url = await server.newDatabase();
    const node = await openTestLog(url);
    const log = await openTestActor(url, 'writer');
    const chain = new WrittenChain(log);
    const model = new ReadModel({
      task: task(url),
      logger: quiet,
      cache: new MemoryCache(1_000_000, 60_000),
      load: () => load,
      executedHeight: () => 0,
    });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    t.teardown(async () => {
      await model.close();
      await client.end();
      await log.close();
      await node.close();
    });
    const next = async (): Promise<number> => {
      const height = await chain.next([[put('a')]]);
      model.executed(height);
      return height;
    };
    const reached = async (height: number): Promise<void> => {
      while (model.status().height < height) await pause(5);
    };
    const first = await next();
    model.start();
    await reached(first);
    await client.query('BEGIN; LOCK TABLE althing.read_model');
    const second = await next();
    await blocked(client);
    await pause(LOCKED_MS);
    await client.query('COMMIT');
    await reached(second);
    const started = performance.now();
    await reached(await next());
    t.true(performance.now() - started < SOON_MS);
  });
}

/** Until somebody waits for what `client` has locked. */
async function blocked(client: pg.Client): Promise<void> {
  const sql = `SELECT 1 FROM pg_locks WHERE relation = 'althing.read_model'::regclass AND NOT granted`;
  while ((await client.query(sql)).rows.length === 0) await pause(20);
}
