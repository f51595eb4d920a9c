import { fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import test from 'ava';
import { connect, describeUrl } from '../../src/log/connection.ts';
import type { LogError } from '../../src/log/errors.ts';
import { startTestServer, type TestServer } from '../postgres/server.ts';
import {
  append,
  event,
  IDENTITY,
  IMPATIENT,
  openTestActor,
  openTestLog,
  read,
  sql,
} from './harness.ts';

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after.always(() => server.end());

const WRITER = fileURLToPath(new URL('writer-process.js', import.meta.url));

test('a second process with the same identity is kept out while the first one lives', async (t) => {
  const url = await server.newDatabase();
  const first = fork(WRITER, [url]);
  await once(first, 'message');
  const error = await t.throwsAsync(openTestLog(url, { takeoverMs: 100 }), {
    code: 'identity_taken',
  });
  t.regex(error.message, /another process runs with this node's key/);
  first.kill('SIGKILL');
  await once(first, 'exit');
  const second = await openTestLog(url);
  t.true(second.connected());
  await second.close();
});

test('L7, L10: a second writer of one stream loses, whoever holds the locks', async (t) => {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const a = await openTestActor(url, 'a');
  const b = await openTestActor(url, 'b');
  await append(a, event('shared', 0));
  await t.throwsAsync(
    append(b, event('shared', 0)),
    { code: 'identity_taken' },
    'at its first append',
  );
  await append(a, event('shared', 1));
  const c = await openTestActor(url, 'c');
  await append(c, event('shared', 2));
  await t.throwsAsync(append(a, event('shared', 2)), { code: 'identity_taken' }, 'later');
  t.is((await read(c, 'shared')).length, 3);
  await Promise.all([a.close(), b.close(), c.close()]);
  await node.close();
});

test('L12: one actor has one writer, and the next one waits until it is gone', async (t) => {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const first = await openTestActor(url, 'voting');
  await t.throwsAsync(openTestActor(url, 'voting', IMPATIENT), { code: 'identity_taken' });
  const next = openTestActor(url, 'voting');
  await first.close();
  await (await next).close();
  await node.close();
});

test('a database belongs to one node of one cluster', async (t) => {
  const url = await server.newDatabase();
  await (await openTestLog(url)).close();
  const other = 'ff'.repeat(32);
  const key = await t.throwsAsync(openTestLog(url, { publicKey: other }), {
    code: 'wrong_identity',
  });
  t.true(key.message.includes(other) && key.message.includes(IDENTITY.publicKey));
  const cluster = await t.throwsAsync(openTestLog(url, { clusterId: other }), {
    code: 'wrong_identity',
  });
  t.true(cluster.message.includes(other) && cluster.message.includes(IDENTITY.clusterId));
});

test('a server that refuses is not called unreachable: what is amiss is said, and what to do', async (t) => {
  const url = await server.newDatabase();
  await sql(url, `CREATE ROLE poor LOGIN PASSWORD 'swordfish'`);
  const changed = (change: (parsed: URL) => void): string => {
    const parsed = new URL(url);
    change(parsed);
    return parsed.href;
  };
  const cases: readonly (readonly [string, RegExp])[] = [
    [changed((to) => (to.password = '')), /asks for a password.*ALTHING_DATABASE_URL.*PGPASSFILE/],
    [changed((to) => (to.password = 'trout')), /refuses the password: correct them in/],
    [changed((to) => (to.pathname = '/nowhere')), /nowhere does not exist: create it/],
    [
      changed((to) => Object.assign(to, { username: 'poor', password: 'swordfish' })),
      /rights that the log needs: .*GRANT CREATE ON DATABASE/,
    ],
  ];
  for (const [wrong, says] of cases) {
    const { message } = await t.throwsAsync(openTestLog(wrong), { code: 'unavailable' });
    t.regex(message, says);
    t.notRegex(message, /cannot be reached|swordfish|trout/);
    t.true(message.includes(new URL(wrong).pathname));
  }
});

const END_IDENTITY = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
  WHERE application_name LIKE 'althing identity %' AND datname = current_database()`;

test('L14: a lost session takes the identity again', async (t) => {
  const url = await server.newDatabase();
  const messages = new EventEmitter();
  const info = (_: object, message: string): boolean => messages.emit(message);
  const node = await openTestLog(url, { logger: { info, warn: () => {} } });
  const again = once(messages, 'the identity is held again');
  await sql(url, END_IDENTITY);
  await again;
  await t.throwsAsync(openTestLog(url, { takeoverMs: 200 }), { code: 'identity_taken' });
  t.true(node.connected());
  await node.close();
});

const WAITING = `SELECT FROM pg_locks JOIN pg_database d ON d.oid = database
  WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`;

test('a lost session whose identity somebody else has taken is reported', async (t) => {
  const url = await server.newDatabase();
  const events = new EventEmitter();
  const onLost = (error: LogError): boolean => events.emit('lost', error);
  const node = await openTestLog(url, { onLost, takeoverMs: 100 });
  const lost = once(events, 'lost');
  const thief = await connect(url, 'thief');
  // Waits in line for the lock, so that it is next.
  const taken = thief.client.query("SELECT pg_advisory_lock(1634497640, hashtext('identity'))");
  while ((await sql(url, WAITING))[0]!.rowCount === 0) await pause(5);
  await sql(url, END_IDENTITY);
  await taken;
  const [error] = (await lost) as [LogError];
  t.is(error.code, 'identity_taken');
  await thief.close();
  await node.close();
});

test('the password is in no error', async (t) => {
  const secret = 's3cr3t-password';
  const errors = await Promise.all(
    [
      `postgres://althing:${secret}@127.0.0.1:${server.server.port}/postgres`,
      `postgres://althing:${secret}@127.0.0.1:1/postgres`,
      `postgres://althing:${secret}@[bad/postgres`,
      `mysql://althing:${secret}@127.0.0.1/postgres`,
    ].map((url) => t.throwsAsync(openTestLog(url, { reconnectMs: 10 }))),
  );
  for (const error of errors)
    t.false(inspect(error, { depth: 10, showHidden: true }).includes(secret));
});

test('shows a database URL without its password', (t) => {
  t.is(describeUrl('postgres://u:sw@rd:fish@db:5/x'), 'u@db:5/x');
  t.is(describeUrl('postgres://db/x'), 'default user@db:5432/x');
  t.is(describeUrl('postgres://u@db/x'), 'u@db:5432/x');
  t.is(describeUrl('postgres://db/x?a=1&password=p'), 'default user@db:5432/x');
});
