import test, { type ExecutionContext } from 'ava';
import type pg from 'pg';
import step from '../../src/read-model/worker.ts';
import type { Step } from '../../src/read-model/projection.ts';
import { resetReadModel, readReached } from '../../src/read-model/schema.ts';
import { openTestActor } from '../log/harness.ts';
import { startTestServer, type TestServer } from '../postgres/server.ts';
import { newBed, type Bed } from './bed.ts';
import { put, refused, task, WrittenChain } from './chain.ts';

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after.always(async () => {
  await step(null);
  await server.end();
});

interface WrittenBed extends Bed {
  readonly chain: WrittenChain;
  readonly project: () => Promise<Step>;
  /** Steps until the log is at its end. */
  readonly toEnd: () => Promise<void>;
}

async function bed(t: ExecutionContext): Promise<WrittenBed> {
  const { url, sql } = await newBed(t, server);
  const log = await openTestActor(url, 'writer');
  t.teardown(() => log.close());
  const project = async (): Promise<Step> => (await step(task(url)))!;
  const toEnd = async (): Promise<void> => {
    while (!(await project()).isAtEnd);
  };
  return { url, chain: new WrittenChain(log), sql, project, toEnd };
}

const transactions = async (sql: pg.Client): Promise<unknown[]> =>
  (await sql.query('SELECT * FROM althing.transaction ORDER BY height, index')).rows;

test.serial(
  'blocks, transactions and votes stand in the tables as they became final',
  async (t) => {
    const { chain, sql, toEnd } = await bed(t);
    await chain.next([[put('a'), refused], [put('b')]]);
    await chain.next([]);
    await toEnd();
    const rows = await transactions(sql);
    t.deepEqual(
      (rows as Record<string, unknown>[]).map(
        ({ height, index, position, command, status, error }) => [
          height,
          index,
          position,
          command,
          status,
          error,
        ],
      ),
      [
        ['1', 0, 0, 'put', 'ok', null],
        ['1', 1, 1, 'nothing', 'failed', 'unknown_command'],
        ['1', 2, 0, 'put', 'ok', null],
      ],
    );
    const blocks = await sql.query('SELECT height, created_at FROM althing.block ORDER BY height');
    t.deepEqual(
      (blocks.rows as { height: string; created_at: Date }[]).map(({ height }) => height),
      ['1', '2'],
    );
    const votes = await sql.query('SELECT height, validator FROM althing.consensus_vote');
    t.is(votes.rows.length, 3);
  },
);

test.serial('D2: receipts that become durable late are not passed over', async (t) => {
  const { chain, sql, toEnd } = await bed(t);
  await chain.next([[put('a')]], true);
  await chain.next([], true);
  await toEnd();
  t.deepEqual(await transactions(sql), []);
  t.like(await readReached(sql), { height: 2, settled: 0 });
  await chain.release();
  await toEnd();
  t.is((await transactions(sql)).length, 1);
  t.like(await readReached(sql), { height: 2, settled: 1 });
});

test.serial(
  'D1: a projection that is cut off anywhere goes on, and has each row once',
  async (t) => {
    const { chain, sql, project, toEnd } = await bed(t);
    for (let at = 0; at < 40; at++) await chain.next(at % 3 === 0 ? [[put('a'), put('b')]] : []);
    await project();
    await step(null);
    for (let at = 0; at < 40; at++) await chain.next([[put('c')]]);
    await toEnd();
    const rows = (await transactions(sql)) as { height: string; index: number }[];
    t.is(rows.length, 14 * 2 + 40);
    t.is(new Set(rows.map(({ height, index }) => `${height}.${index}`)).size, rows.length);
  },
);

test.serial('D1: a block with more transactions than a step takes is split', async (t) => {
  const { chain, sql, project, toEnd } = await bed(t);
  const calls = Array.from({ length: 4_500 }, (_, at) => put(String(at)));
  await chain.next([[put('a')]]);
  await toEnd();
  await chain.next([calls]);
  const first = await project();
  t.true(first.rows < 4_500);
  t.false(first.isAtEnd);
  t.true(first.reached.offset > 0);
  // D5: a page may count on what is there as a whole only.
  t.like(first.reached, { height: 2, settled: 1 });
  await toEnd();
  t.like(await readReached(sql), { height: 2, settled: 2 });
  const { rows } = await sql.query('SELECT count(*), max(index) FROM althing.transaction');
  t.deepEqual(rows, [{ count: '4501', max: 4499 }]);
});

test.serial(
  'a step is at the end if it took what there was, and not if there may be more',
  async (t) => {
    const { chain, sql, project } = await bed(t);
    await chain.next([[put('a')]]);
    t.like(await project(), { isAtEnd: true, rows: 2 });
    t.like(await project(), { isAtEnd: true, rows: 0 });
    for (let at = 0; at < 300; at++) await chain.next([]);
    t.false((await project()).isAtEnd);
    t.true((await project()).isAtEnd);
    t.like(await readReached(sql), { height: 301, settled: 1 });
  },
);

test.serial('a read model that is emptied is filled again from the log', async (t) => {
  const { chain, sql, toEnd } = await bed(t);
  for (let at = 0; at < 5; at++) await chain.next([[put('a')]]);
  await toEnd();
  const before = await transactions(sql);
  await resetReadModel(sql);
  t.deepEqual(await transactions(sql), []);
  await toEnd();
  t.deepEqual(await transactions(sql), before);
});

test.serial('who listens is told how far the tables reach', async (t) => {
  const { chain, sql, toEnd } = await bed(t);
  await sql.query('LISTEN althing_projected');
  const told: string[] = [];
  sql.on('notification', ({ payload = '' }) => told.push(payload));
  await chain.next([[put('a')]]);
  await toEnd();
  await sql.query('SELECT 1');
  t.deepEqual(told, ['{"height":1}']);
});

test.serial(
  'a log that was altered stops the projection, and nothing of it is taken',
  async (t) => {
    const { url, chain, sql, toEnd } = await bed(t);
    await chain.next([[put('a')]]);
    await toEnd();
    await chain.next([[put('b')]]);
    await sql.query('ALTER TABLE althing.event DISABLE TRIGGER append_only');
    await sql.query(`UPDATE althing.event SET header = header || '\\x00' WHERE seq = 1`);
    const error = await t.throwsAsync(async () => step(task(url)));
    t.is((error as { code?: string }).code, 'log_altered');
    t.is((await transactions(sql)).length, 1);
  },
);
