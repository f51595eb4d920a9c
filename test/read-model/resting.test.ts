/** A step that took long for another reason than its work is not paid for by a long rest. */
import test from 'ava';
import type pg from 'pg';
import { put } from './chain.ts';
import { following } from './following.ts';

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
    const { chain, model, client, reached } = await following(t, load);
    const next = async (): Promise<number> => {
      const height = await chain.next([[put('a')]]);
      model.executed(height);
      return height;
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
