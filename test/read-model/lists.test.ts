import test from 'ava';
import pg from 'pg';
import { list, prepareSession, type ListPage } from '../../src/read-model/pages.ts';
import { LISTS, type Parameters } from '../../src/read-model/queries.ts';
import step from '../../src/read-model/worker.ts';
import { openTestActor, openTestLog } from '../log/harness.ts';
import { startTestServer, type TestServer } from '../postgres/server.ts';
import { alice, START_MS } from '../transaction/fixture.ts';
import { put, refused, task, WrittenChain } from './chain.ts';

let server: TestServer;
let pool: pg.Pool;
let url: string;

test.before(async () => {
  server = await startTestServer();
  url = await server.newDatabase();
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
  t.is(await count({ module: 'scratch' }), 18);
  t.is(await count({ module: 'put' }), 0);
  t.is(await count({ module: 'other', command: 'scratch.put' }), 0);
  t.is(await count({ module: 'scratch', command: 'scratch.nothing' }), 6);
  t.is(await count({ sender: `key:${alice.publicKey}` }), 18);
  t.is(await count({ sender: 'key:nobody' }), 0);
  const id = String(all.rows[1]!['id']);
  t.deepEqual((await ask('transactions', { id })).rows, [all.rows[1]!]);
  t.is(await count({ id: id.slice(0, 64) }), 3);
});

/** By filter, the columns that it fixes. The rows of an id are few: they need no order. */
const FIXED: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  transactions: {
    module: ['module'],
    command: ['module', 'command'],
    sender: ['sender'],
    status: ['status'],
  },
  blocks: {},
  'consensus-votes': { validator: ['validator'] },
  approvals: { round: ['round'], voter: ['voter'], status: ['status'] },
  'bridge-transfers': { direction: ['direction'], status: ['status'] },
};
const OF_ALL_LISTS = ['cursor', 'limit', 'since', 'until', 'fromHeight', 'toHeight'];

test('a session prefers the index of a filter to a walk along the list, whatever its address says', async (t) => {
  const options = `options=${encodeURIComponent('-c random_page_cost=4')}`;
  const asking = new pg.Pool({
    connectionString: `${url.split('?')[0]}?${options}`,
    onConnect: prepareSession,
  });
  t.teardown(() => asking.end());
  const { rows } = await asking.query('SHOW random_page_cost');
  t.deepEqual(rows, [{ random_page_cost: '1.1' }]);
});

test('every filter has an index that has the order of its list', async (t) => {
  const { rows } = await pool.query<{ indexdef: string }>(
    `SELECT indexdef FROM pg_indexes WHERE schemaname = 'althing'`,
  );
  const indexes = rows.map(({ indexdef }) => indexdef.replace(/^.* ON althing\./, ''));
  for (const { name, parameters, sql } of LISTS) {
    const filters = Object.keys(parameters.properties).filter(
      (each) => !OF_ALL_LISTS.includes(each) && each !== 'id',
    );
    t.deepEqual(filters, Object.keys(FIXED[name]!), name);
    const { text } = sql({ limit: 1 });
    const [, table = '', order = ''] = /FROM althing\.(\w+) ORDER BY (.*) LIMIT/.exec(text)!;
    const columns = order.replaceAll(' DESC', '').split(', ');
    for (const fixed of [[], ...Object.values(FIXED[name]!)]) {
      const rest = columns.filter((each) => !fixed.includes(each));
      const wanted = `${table} USING btree (${[...fixed, ...rest].join(', ')})`;
      t.true(
        indexes.some((each) => each.startsWith(wanted)),
        wanted,
      );
    }
  }
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
