import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import pg from 'pg';
import { verifyLog } from '../../src/log/verify.ts';
import { startEmbeddedPostgres } from '../../src/postgres/embedded.ts';
import { quiet, startTestServer, type TestServer } from '../postgres/server.ts';
import { append, event, openTestActor, openTestLog, read, sql, withParameter } from './harness.ts';

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after.always(() => server.end());

const WRITER = fileURLToPath(new URL('writer-process.js', import.meta.url));
const KILLS = 30;
/** What is not answered fails at the first time; what is, is on a busy machine, too. */
const FAILING = { answerMs: 4000, retryMs: 300 };

interface Acknowledged {
  readonly votes: number;
  readonly lane: number;
}

/** Runs the writer, kills it `afterMs` after it has begun, and tells what it was promised. */
async function writeAndKill(url: string, afterMs: number): Promise<Acknowledged> {
  const writer = fork(WRITER, [url]);
  const failed = once(writer, 'exit').then(() => {
    throw new Error('the writer ended by itself');
  });
  let last: Acknowledged = { votes: 0, lane: 0 };
  writer.on('message', (message) => (last = message as Acknowledged));
  await Promise.race([once(writer, 'message'), failed]);
  await pause(afterMs);
  failed.catch(() => {});
  const closed = once(writer, 'close');
  writer.kill('SIGKILL');
  await closed;
  return last;
}

test.serial(
  'L8: killed at any moment, the log has all that was acknowledged and nothing half',
  async (t) => {
    const url = await server.newDatabase();
    for (let kill = 0; kill < KILLS; kill++) {
      const promised = await writeAndKill(url, Math.random() * 30);
      const { streams } = await verifyLog({ url });
      const count = (name: string) => streams.find((stream) => stream.name === name)?.events ?? 0;
      t.true(count('votes') >= promised.votes, `votes ${count('votes')} < ${promised.votes}`);
      t.true(count('lane-0') >= promised.lane);
      t.is(count('votes'), 2 * count('lane-0'), 'an append is there in part');
    }
  },
);

const END_WRITER = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name LIKE 'althing cut writer %' AND datname = current_database()`;

test.serial(
  'L9: connections cut at any moment neither lose an append nor write it twice',
  async (t) => {
    const url = await server.newDatabase();
    const node = await openTestLog(url);
    const log = await openTestActor(url, 'cut');
    const cutter = new pg.Client({ connectionString: url });
    await cutter.connect();
    let cuts = 0;
    for (let seq = 0; seq < 400; seq++) {
      const written = append(log, event('cut', seq));
      if (seq % 10 === 0) cuts += (await cutter.query(END_WRITER)).rowCount ?? 0;
      await written;
    }
    await cutter.end();
    t.true(cuts >= 20, `only ${cuts} cuts`);
    t.deepEqual(
      (await read(log, 'cut')).map(({ seq }) => seq),
      Array.from({ length: 400 }, (_, seq) => seq),
    );
    await log.close();
    await node.close();
  },
);

test.serial('appends and reads go on after the server was killed and started again', async (t) => {
  const url = await server.newDatabase();
  const { port, pid } = server.server;
  const node = await openTestLog(url);
  const log = await openTestActor(url, 'restart');
  for (let seq = 0; seq < 50; seq++) await append(log, event('restart', seq));
  const during = Array.from({ length: 50 }, (_, i) => append(log, event('restart', 50 + i)));
  process.kill(pid, 'SIGKILL');
  const again = await startEmbeddedPostgres({ dir: server.dir, port, log: quiet });
  Object.assign(server, { server: again });
  await Promise.all(during);
  t.is((await read(log, 'restart')).length, 100);
  await log.close();
  await node.close();
  t.is((await verifyLog({ url })).events, 100);
});

test.serial('L11: an append that cannot be written within the bound fails for good', async (t) => {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const log = await openTestActor(url, 'blocked', FAILING);
  await append(log, event('blocked', 0));
  const blocker = new pg.Client({ connectionString: url });
  await blocker.connect();
  await blocker.query('BEGIN; LOCK TABLE althing.event IN ACCESS EXCLUSIVE MODE');
  const error = await t.throwsAsync(append(log, event('blocked', 1)), { code: 'unavailable' });
  t.regex(error.message, /could not be written for 300 ms/);
  await blocker.query('ROLLBACK');
  await blocker.end();
  await t.throwsAsync(append(log, event('blocked', 1)), { code: 'unavailable' });
  await log.close();
  const after = await openTestActor(url, 'blocked');
  t.deepEqual((await read(after, 'blocked')).length, 1);
  await after.close();
  await node.close();
});

test.serial(
  'L13: an append is not acknowledged while the standby that it waits for is away',
  async (t) => {
    const url = await server.newDatabase();
    const node = await openTestLog(url);
    const log = await openTestActor(url, 'waiting', FAILING);
    await append(log, event('waiting', 0));
    const wanted = async (names: string): Promise<void> => {
      const set = `ALTER SYSTEM SET synchronous_standby_names = '${names}'`;
      await sql(url, set, 'SELECT pg_reload_conf()');
      const shown = async () =>
        (await sql(url, 'SHOW synchronous_standby_names'))[0]?.rows[0]
          .synchronous_standby_names as string;
      while ((await shown()) !== names) await pause(10);
    };
    await wanted('away');
    await t.throwsAsync(append(log, event('waiting', 1)), { code: 'unavailable' });
    await t.throwsAsync(openTestActor(url, 'another', FAILING), { code: 'unavailable' });
    await log.close();
    await wanted('');
    const again = await openTestActor(url, 'waiting');
    const found = (await read(again, 'waiting')).length;
    await append(again, event('waiting', found));
    await again.close();
    await node.close();
  },
);

test.serial('a database whose commits do not wait is refused', async (t) => {
  for (const value of ['off', 'local', 'remote_write']) {
    const url = await server.newDatabase();
    const name = new URL(url).pathname.slice(1);
    await sql(url, `ALTER DATABASE ${name} SET synchronous_commit = ${value}`);
    const error = await t.throwsAsync(openTestLog(url), { code: 'unsafe_server' });
    t.true(error.message.includes(`synchronous_commit is ${value}`));
    await t.throwsAsync(openTestActor(url, 'unsafe'), { code: 'unsafe_server' });
  }
});

test.serial('L15: a server with fsync off is refused', async (t) => {
  const url = await server.newDatabase();
  const reloaded = async (value: string): Promise<void> => {
    await sql(url, `ALTER SYSTEM SET fsync = ${value}`, 'SELECT pg_reload_conf()');
    const shown = async () => (await sql(url, 'SHOW fsync'))[0]?.rows[0].fsync as string;
    while ((await shown()) !== value) await pause(10);
  };
  await reloaded('off');
  const error = await t.throwsAsync(openTestLog(url), { code: 'unsafe_server' });
  t.regex(error.message, /fsync/);
  await reloaded('on');
  await (await openTestLog(url)).close();
});

test.serial('L16: a server with an asynchronous standby is refused', async (t) => {
  const url = await server.newDatabase();
  const standby = new pg.Client({ connectionString: withParameter(url, 'replication', 'true') });
  standby.on('error', () => {});
  await standby.connect();
  const position = await standby.query('IDENTIFY_SYSTEM');
  const { xlogpos } = position.rows[0] as { xlogpos: string };
  void standby.query(`START_REPLICATION PHYSICAL ${xlogpos}`).catch(() => {});
  const attached = async () =>
    (await sql(url, 'SELECT count(*)::int AS n FROM pg_stat_replication'))[0]?.rows[0].n as number;
  while ((await attached()) === 0) await pause(10);
  const error = await t.throwsAsync(openTestLog(url), { code: 'unsafe_server' });
  t.regex(error.message, /asynchronous standby.*synchronous_standby_names/);
  await standby.end();
  while ((await attached()) !== 0) await pause(10);
  await (await openTestLog(url)).close();
});
