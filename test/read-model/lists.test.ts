import test from 'ava';
import pg from 'pg';
import { list, LISTS, type ListPage, type Parameters } from '../../src/read-model/queries.ts';
import step from '../../src/read-model/worker.ts';
import { openTestActor, openTestLog } from '../log/harness.ts';
import { startTestServer, type TestServer } from '../postgres/server.ts';
import { alice, START_MS } from '../transaction/fixture.ts';
import { put, refused, task, WrittenChain } from './chain.ts';

let server: TestServer;
let pool: pg.Pool;

test.before(async () => {
  server = await startTestServer();
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const log = await openTestActor(url, 'writer');
  const chain = new WrittenChain(log);
  for (let at = 0; at < 12; at++) {
    await chain.next(at % 2 === 0 ? [[put('a'), refused, put('b')]] : []);
  }
  while (!(await step(task(url)))!.isAtEnd);
  await log.close();
  await node.close();
  pool = new pg.Pool({ connectionString: url });
  // The server may end before a session that is being closed.
  pool.on('error', () => {});
});
test.after.always(async () => {
  await step(null);
  await pool.end();
  await server.end();
});

const ask = async (name: string, parameters: Parameters = {}): Promise<ListPage> => {
  const what = LISTS.find((each) => each.name === name)!;
  return (await list(pool, what, parameters)).page;
};

const places = ({ rows }: ListPage): unknown[] =>
  rows.map(({ height, index }) => `${String(height)}.${String(index)}`);

test('pages follow one another without a gap or a repetition, newest first', async (t) => {
  for (const { name } of LISTS) {
    const all = await ask(name, { limit: 500 });
    t.is(all.next, null, name);
    const paged: unknown[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page: ListPage = await ask(name, {
        limit: 4,
        ...(cursor === undefined ? {} : { cursor }),
      });
      t.true(page.rows.length <= 4);
      paged.push(...page.rows);
      cursor = page.next;
    }
    t.deepEqual(paged, [...all.rows], name);
  }
});

test('transactions are found by id, sender, module, command and status', async (t) => {
  const all = await ask('transactions', { limit: 500 });
  t.is(all.rows.length, 18);
  const count = async (parameters: Parameters): Promise<number> =>
    (await ask('transactions', { limit: 500, ...parameters })).rows.length;
  t.is(await count({ status: 'failed' }), 6);
  t.is(await count({ status: 'ok', command: 'scratch.put' }), 12);
  t.is(await count({ module: 'scratch', command: 'scratch.nothing' }), 6);
  t.is(await count({ sender: `key:${alice.publicKey}` }), 18);
  t.is(await count({ sender: 'key:nobody' }), 0);
  const id = String(all.rows[1]!['id']);
  t.deepEqual((await ask('transactions', { id })).rows, [all.rows[1]!]);
  t.is(await count({ id: id.slice(0, 64) }), 3);
});

test('times and heights bound what is shown', async (t) => {
  const at = (ms: number): string => new Date(START_MS + ms).toISOString();
  t.deepEqual(places(await ask('transactions', { fromHeight: 3, toHeight: 4 })), [
    '3.2',
    '3.1',
    '3.0',
  ]);
  t.deepEqual(places(await ask('transactions', { since: at(30), until: at(49) })), [
    '3.2',
    '3.1',
    '3.0',
  ]);
  t.deepEqual(places(await ask('transactions', { since: at(1_000) })), []);
  t.deepEqual(places(await ask('transactions', { until: at(-1_000) })), []);
});
