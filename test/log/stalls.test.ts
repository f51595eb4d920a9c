/** Server processes that hang: they keep their connection and their lock, and answer nothing. */
import { EventEmitter, once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { LogError } from '../../src/log/errors.ts';
import { newRun } from '../../src/log/session-lock.ts';
import { newFolder } from '../folder.ts';
import { startTestServer, type TestServer } from '../postgres/server.ts';
import {
  append,
  event,
  IMPATIENT,
  openTestActor,
  openTestLog,
  read,
  sql,
  withParameter,
} from './harness.ts';

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after.always(() => server.end());

async function backends(url: string, name: string): Promise<number[]> {
  const result = await sql(
    url,
    `SELECT pid FROM pg_stat_activity
      WHERE application_name LIKE 'althing ${name}%' AND datname = current_database()`,
  );
  return result[0]!.rows.map(({ pid }: { pid: number }) => pid);
}

/** Stops the server process of these sessions, once there is but one; the function returned lets it go on. */
async function stall(t: ExecutionContext, url: string, name: string): Promise<() => void> {
  let pids = await backends(url, name);
  for (; pids.length !== 1; pids = await backends(url, name)) await pause(5);
  const pid = pids[0]!;
  let stalled = true;
  const goOn = (): void => {
    if (stalled) process.kill(pid, 'SIGCONT');
    stalled = false;
  };
  process.kill(pid, 'SIGSTOP');
  t.teardown(goOn);
  return goOn;
}

/** Resolves once the stalled session's successor has been refused: then a second one comes. */
async function refused(url: string, name: string): Promise<void> {
  const seen = new Set<number>();
  while (seen.size < 3) {
    for (const pid of await backends(url, name)) seen.add(pid);
    await pause(5);
  }
}

test('L14, L17: an identity whose session hangs is taken again, by reconnecting until it can be', async (t) => {
  const url = await server.newDatabase();
  const events = new EventEmitter();
  const info = (_: object, message: string): boolean => events.emit(message);
  const headsFile = join(newFolder('stalls'), 'heads.json');
  const node = await openTestLog(url, {
    headsFile,
    headsEveryMs: 20,
    answerMs: 4000,
    takeoverMs: 200,
    reconnectMs: 60_000,
    onLost: (error) => events.emit('error', error),
    logger: { info, warn: () => {} },
  });
  while (!existsSync(headsFile)) await pause(5);
  // Rejects with what comes by the name of error.
  const again = once(events, 'the identity is held again');
  const goOn = await stall(t, url, 'identity');
  while (node.connected()) await pause(5);
  await Promise.race([refused(url, 'identity'), again]);
  t.false(node.connected());
  goOn();
  await again;
  t.true(node.connected());
  await t.throwsAsync(openTestLog(url, { takeoverMs: 200 }), { code: 'identity_taken' });
  await node.close();
});

test('a log whose session hangs is closed all the same', async (t) => {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  await stall(t, url, 'identity');
  await node.close();
  t.pass();
});

test('L17: a writer whose session hangs is no other writer: it waits, and appends once', async (t) => {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const log = await openTestActor(url, 'stalled', IMPATIENT);
  await append(log, event('stalled', 0));
  const goOn = await stall(t, url, 'stalled writer');
  const written = append(log, event('stalled', 1));
  await Promise.race([refused(url, 'stalled writer'), written]);
  goOn();
  await written;
  t.deepEqual(
    (await read(log, 'stalled')).map(({ seq }) => seq),
    [0, 1],
  );
  await log.close();
  await node.close();
});

test('L17: an actor that starts again knows the hanging session of its earlier life', async (t) => {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const run = newRun();
  const first = await openTestActor(url, 'again', { answerMs: 4000, retryMs: 300, run });
  await append(first, event('again', 0));
  const goOn = await stall(t, url, 'again writer');
  await t.throwsAsync(append(first, event('again', 1)), { code: 'unavailable' });
  await first.close();
  const failing = { ...IMPATIENT, retryMs: 300 };
  await t.throwsAsync(openTestActor(url, 'again', { ...failing, run }), { code: 'unavailable' });
  // Also where the server is slow to say so.
  let strangers: LogError;
  do strangers = (await t.throwsAsync(openTestActor(url, 'again', failing))) as LogError;
  while (strangers.code === 'unavailable');
  t.is(strangers.code, 'identity_taken');
  goOn();
  const second = await openTestActor(url, 'again', { run });
  const found = (await read(second, 'again')).length;
  await append(second, event('again', found));
  await second.close();
  await node.close();
});

test('L17: sessions are told apart although the database URL names them all alike', async (t) => {
  const url = withParameter(await server.newDatabase(), 'application_name', 'alike');
  const node = await openTestLog(url);
  const logs = await Promise.all([openTestActor(url, 'one'), openTestActor(url, 'two')]);
  await Promise.all(logs.map((log, at) => append(log, event(`${at}`, 0))));
  await t.throwsAsync(openTestActor(url, 'one', IMPATIENT), { code: 'identity_taken' });
  await Promise.all(logs.map((log, at) => append(log, event(`${at}`, 1))));
  await Promise.all(logs.map((log) => log.close()));
  t.true(node.connected());
  await node.close();
});

test('reads go on although the session that they were made on hangs', async (t) => {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const log = await openTestActor(url, 'reading', IMPATIENT);
  await append(log, event('reading', 0));
  t.is((await read(log, 'reading')).length, 1);
  await stall(t, url, 'reading reader');
  t.is((await read(log, 'reading')).length, 1);
  await log.close();
  await node.close();
});

test('bounded reads are unavailable after their time, and at once while the database owes an answer', async (t) => {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const log = await node.actorLog('bounded', { readMs: 300, readsMax: 3 });
  await append(log, event('bounded', 0));
  const answered = async (): Promise<void> => {
    while ((await read(log, 'bounded').catch(() => [])).length === 0) await pause(5);
  };
  await answered();
  const unavailable = { code: 'unavailable' };
  const goOn = await stall(t, url, 'bounded reader');
  const waiting = [1, 2, 3].map(() => t.throwsAsync(read(log, 'bounded'), unavailable));
  let isWaiting = true;
  const waited = Promise.all(waiting).then(() => (isWaiting = false));
  await t.throwsAsync(read(log, 'bounded'), { ...unavailable, message: /behind/ });
  t.true(isWaiting, 'one too many does not wait');
  await waited;
  await t.throwsAsync(read(log, 'bounded'), { ...unavailable, message: /behind/ });
  goOn();
  // The answer that is owed comes first.
  await answered();
  await log.close();
  await node.close();
});
