/** Streams that do not begin at 0 any more: what is read of them, checked, and taken away. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import pg from 'pg';
import { beginAt } from '../../src/log/base.ts';
import { LogAltered } from '../../src/log/errors.ts';
import { exportLog } from '../../src/log/export.ts';
import { verifyLog } from '../../src/log/verify.ts';
import { newFolder } from '../folder.ts';
import { startTestServer, type TestServer } from '../postgres/server.ts';
import * as harness from './harness.ts';
import { append, event, find, newKey, openTestActor, openTestLog, read, sql } from './harness.ts';

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after.always(() => server.end());

const KEYS = Array.from({ length: 20 }, newKey);

/** Twenty events with two-part bodies and a key each in stream `a`, five in `b`. */
async function writtenLog(): Promise<string> {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const log = await openTestActor(url, 'writer');
  for (let seq = 0; seq < 20; seq++) {
    const body = randomBytes(10_000);
    await append(log, event('a', seq, { body, keys: [KEYS[seq]!] }));
  }
  for (let seq = 0; seq < 5; seq++) await append(log, event('b', seq));
  await log.close();
  await node.close();
  return url;
}

async function begin(url: string, stream: string, seq: number): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await beginAt(client, harness.IDENTITY, stream, seq);
  await client.end();
}

async function count(url: string, table: string, where = 'true'): Promise<number> {
  const [result] = await sql(url, `SELECT count(*)::int AS n FROM althing.${table} WHERE ${where}`);
  return (result!.rows[0] as { n: number }).n;
}

async function prune(url: string, stream: string, seq: number, until: () => Promise<boolean>) {
  const log = await openTestActor(url, 'writer');
  log.prune(stream, seq);
  while (!(await until())) await pause(10);
  await log.close();
}

const isGone = (url: string, seq: number) => async (): Promise<boolean> =>
  (await count(url, 'event', `stream = 1 AND seq < ${seq}`)) === 0;

test('what is pruned is gone with bodies and keys, and what follows is read as before (L22)', async (t) => {
  const url = await writtenLog();
  await prune(url, 'a', 12, isGone(url, 12));
  t.is(await count(url, 'event', 'stream = 1'), 8);
  t.is(await count(url, 'event_body', 'stream = 1'), 16);
  t.is(await count(url, 'event_key', 'stream = 1'), 8);
  t.is(await count(url, 'event', 'stream = 2'), 5);

  const log = await openTestActor(url, 'writer');
  t.deepEqual(await read(log, 'a', { from: 0 }), []);
  t.deepEqual(await read(log, 'a', { from: 11 }), []);
  for (const from of [12, 13, 19]) {
    const found = await read(log, 'a', { from });
    t.deepEqual([found[0]?.seq, found.length], [from, 20 - from]);
  }
  t.is(await find(log, KEYS[11]!), null);
  t.is((await find(log, KEYS[12]!))?.seq, 12);
  await append(log, event('a', 20));
  t.is((await harness.readLast(log, 'a'))?.seq, 20);
  await log.close();

  const { streams } = await verifyLog({ url });
  t.deepEqual(
    streams.map(({ name, events }) => [name, events]),
    [
      ['a', 9],
      ['b', 5],
    ],
  );
  const lines: string[] = [];
  for await (const line of exportLog({ url, stream: 'a' })) lines.push(line);
  t.is(lines.length, 9);
});

test('nothing below the base is read, swept or not, and the rest of it goes the next time (L22)', async (t) => {
  const url = await writtenLog();
  await begin(url, 'a', 7);
  t.is(await count(url, 'event', 'stream = 1'), 20, 'nothing is swept yet');
  const log = await openTestActor(url, 'writer');
  t.deepEqual(
    (await read(log, 'a', { from: 7 })).map(({ seq }) => seq),
    Array.from({ length: 13 }, (_, at) => 7 + at),
  );
  await log.close();
  t.is((await verifyLog({ url })).streams[0]?.events, 13);
  await prune(url, 'a', 7, isGone(url, 7));
  t.is(await count(url, 'event', 'stream = 1'), 13);
  await prune(url, 'a', 3, isGone(url, 7));
  t.is(await count(url, 'stream_base'), 1, 'a base never goes back');
});

test('the last event of a stream stays, and an empty stream is left alone', async (t) => {
  const url = await writtenLog();
  await prune(url, 'a', 1000, isGone(url, 19));
  t.is(await count(url, 'event', 'stream = 1'), 1);
  const log = await openTestActor(url, 'writer');
  t.is((await harness.readLast(log, 'a'))?.seq, 19);
  t.is((await read(log, 'a', { from: 19 })).length, 1);
  log.prune('never written', 5);
  await log.close();
  t.is(await count(url, 'stream_base'), 1);
});

test('from its base on a stream can only be appended to, and a base stays (L6)', async (t) => {
  const url = await writtenLog();
  await begin(url, 'a', 10);
  const refused = [
    'DELETE FROM althing.event WHERE stream = 1 AND seq = 10',
    'DELETE FROM althing.event WHERE stream = 1',
    'DELETE FROM althing.event_body WHERE stream = 1 AND seq = 19',
    'DELETE FROM althing.event_key WHERE stream = 2 OR seq > 15',
    'UPDATE althing.event SET kind = kind WHERE seq = 1',
    'TRUNCATE althing.event_body',
    'DELETE FROM althing.stream_base',
    'UPDATE althing.stream_base SET base = 19',
  ];
  for (const statement of refused) {
    await t.throwsAsync(sql(url, statement), { message: /append-only/ }, statement);
  }
  await sql(url, 'DELETE FROM althing.event_body WHERE stream = 1 AND seq = 3');
});

interface Case {
  readonly name: string;
  readonly statements: readonly string[];
  readonly found: readonly [string, number];
}

const CASES: readonly Case[] = [
  {
    name: 'a base that was moved',
    statements: ['UPDATE althing.stream_base SET base = 11'],
    found: ['a', 11],
  },
  {
    name: 'a changed hash before the base',
    statements: ['UPDATE althing.stream_base SET hash = sha256(hash)'],
    found: ['a', 10],
  },
  {
    name: 'a base that is missing',
    statements: ['DELETE FROM althing.event WHERE seq < 10', 'DELETE FROM althing.stream_base'],
    found: ['a', 0],
  },
  {
    name: 'an event that is missing from the base on',
    statements: ['DELETE FROM althing.event WHERE stream = 1 AND seq = 10'],
    found: ['a', 10],
  },
];

for (const { name, statements, found } of CASES) {
  test(`${name} is found (L23)`, async (t) => {
    const url = await writtenLog();
    await begin(url, 'a', 10);
    await harness.tamper(url, ...statements);
    const error = await t.throwsAsync(verifyLog({ url }), { instanceOf: LogAltered });
    t.deepEqual([error.place.stream, error.place.seq], [...found]);
  });
}

test('a log that is cut off is noticed, whatever is said of where it begins', async (t) => {
  const url = await writtenLog();
  const headsFile = join(newFolder('heads'), 'heads.json');
  const node = await openTestLog(url, { headsFile });
  await node.close();
  await begin(url, 'a', 19);
  await (await openTestLog(url, { headsFile })).close();
  await harness.tamper(
    url,
    'DELETE FROM althing.event WHERE stream = 1',
    `INSERT INTO althing.stream_base (stream, base, hash) VALUES (1, 15, 'x')`,
  );
  await t.throwsAsync(openTestLog(url, { headsFile }), { code: 'log_altered' });
});

/** As the first version made it. */
const FIRST_VERSION = `
  DROP TABLE althing.stream_base;
  ${['event', 'event_body', 'event_key']
    .map(
      (table) => `
        DROP TRIGGER swept_below_base ON althing.${table};
        DROP TRIGGER append_only ON althing.${table};
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON althing.${table}
          FOR EACH STATEMENT EXECUTE FUNCTION althing.refuse_change();
        ALTER TABLE althing.${table} RESET (autovacuum_vacuum_insert_threshold);
        ALTER TABLE althing.${table} SET (autovacuum_enabled = false);`,
    )
    .join('')}
  DROP FUNCTION althing.refuse_from_base;
  UPDATE althing.log_identity SET schema_version = 1`;

async function options(url: string): Promise<unknown> {
  const [tables, triggers] = await sql(
    url,
    `SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'althing'::regnamespace
       AND relkind = 'r' ORDER BY 1`,
    `SELECT tgrelid::regclass::text AS of, tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2`,
  );
  const sorted = (tables!.rows as { reloptions: string[] | null }[]).map((row) => ({
    ...row,
    reloptions: row.reloptions?.toSorted() ?? null,
  }));
  return [sorted, triggers!.rows];
}

test('a log of the first version is brought up to date, with all that is in it', async (t: ExecutionContext) => {
  const url = await writtenLog();
  const now = await options(url);
  await harness.tamper(url, FIRST_VERSION);
  await t.throwsAsync(verifyLog({ url }), { code: 'wrong_schema', message: /start the node once/ });
  await (await openTestLog(url)).close();
  t.deepEqual(await options(url), now);
  t.is((await verifyLog({ url })).events, 25);
  await prune(url, 'a', 5, isGone(url, 5));
  t.is(await count(url, 'event', 'stream = 1'), 15);
});
