import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LogAltered, type Alteration } from '../../src/log/errors.ts';
import { exportLog } from '../../src/log/export.ts';
import { verifyLog } from '../../src/log/verify.ts';
import { newFolder } from '../folder.ts';
import { startTestServer, type TestServer } from '../postgres/server.ts';
import { append, event, newKey, openTestActor, openTestLog, read, tamper } from './harness.ts';

let server: TestServer;
test.before(async () => {
  server = await startTestServer();
});
test.after.always(() => server.end());

/** Stream 1 is `votes` with ten events, stream 2 `lane-0` with five bodies of three parts each. */
async function writtenLog(): Promise<string> {
  const url = await server.newDatabase();
  const node = await openTestLog(url);
  const log = await openTestActor(url, 'writer');
  for (let seq = 0; seq < 10; seq++) await append(log, event('votes', seq));
  for (let seq = 0; seq < 5; seq++) {
    const batch = { body: randomBytes(20_000), keys: [newKey(), newKey()] };
    await append(log, event('lane-0', seq, batch));
  }
  await log.close();
  await node.close();
  return url;
}

test('an untouched log verifies, and the result counts what is there', async (t) => {
  const url = await writtenLog();
  const { streams, events, bytes } = await verifyLog({ url });
  t.deepEqual(
    streams.map(({ name, events: count }) => [name, count]),
    [
      ['votes', 10],
      ['lane-0', 5],
    ],
  );
  t.is(events, 15);
  t.true(bytes > 100_000);
});

interface Case {
  readonly name: string;
  readonly statements: readonly string[];
  /** Stream, seq, part. */
  readonly found: readonly [string, number, number];
  readonly alteration: Alteration;
}

const CASES: readonly Case[] = [
  {
    name: 'a changed header',
    statements: [`UPDATE althing.event SET header = 'x' WHERE stream = 1 AND seq = 4`],
    found: ['votes', 4, 0],
    alteration: 'changed',
  },
  {
    name: 'a changed kind',
    statements: [`UPDATE althing.event SET kind = 'other' WHERE stream = 1 AND seq = 0`],
    found: ['votes', 0, 0],
    alteration: 'changed',
  },
  {
    name: 'a changed hash',
    statements: [`UPDATE althing.event SET hash = sha256(hash) WHERE stream = 1 AND seq = 9`],
    found: ['votes', 9, 0],
    alteration: 'changed',
  },
  {
    name: 'changed keys',
    statements: [`UPDATE althing.event SET keys = sha256(keys) WHERE stream = 2 AND seq = 1`],
    found: ['lane-0', 1, 0],
    alteration: 'changed',
  },
  {
    name: 'a missing event in the middle',
    statements: ['DELETE FROM althing.event WHERE stream = 1 AND seq = 5'],
    found: ['votes', 5, 0],
    alteration: 'missing',
  },
  {
    name: 'a missing first event',
    statements: ['DELETE FROM althing.event WHERE stream = 1 AND seq = 0'],
    found: ['votes', 0, 0],
    alteration: 'missing',
  },
  {
    name: 'two events exchanged',
    statements: [
      'UPDATE althing.event SET seq = 99 WHERE stream = 1 AND seq = 3',
      'UPDATE althing.event SET seq = 3 WHERE stream = 1 AND seq = 7',
      'UPDATE althing.event SET seq = 7 WHERE stream = 1 AND seq = 99',
    ],
    found: ['votes', 3, 0],
    alteration: 'changed',
  },
  {
    name: 'two streams exchanged',
    statements: [
      `ALTER TABLE althing.stream DROP CONSTRAINT stream_name_key`,
      `UPDATE althing.stream SET name = CASE id WHEN 1 THEN 'lane-0' ELSE 'votes' END`,
    ],
    found: ['lane-0', 0, 0],
    alteration: 'changed',
  },
  {
    name: 'a changed part of a body',
    statements: [
      // The bodies are random: a byte is turned, not set, so that it is another one at all times.
      `UPDATE althing.event_body SET data = set_byte(data, 8, get_byte(data, 8) # 1)
        WHERE stream = 2 AND seq = 2 AND part = 1`,
    ],
    found: ['lane-0', 2, 1],
    alteration: 'changed',
  },
  {
    name: 'a missing part in the middle of a body',
    statements: ['DELETE FROM althing.event_body WHERE stream = 2 AND seq = 2 AND part = 2'],
    found: ['lane-0', 2, 2],
    alteration: 'missing',
  },
  {
    name: 'a missing last part of a body',
    statements: ['DELETE FROM althing.event_body WHERE stream = 2 AND seq = 4 AND part = 3'],
    found: ['lane-0', 4, 3],
    alteration: 'missing',
  },
  {
    name: 'two parts of a body exchanged',
    statements: [
      'UPDATE althing.event_body SET part = 9 WHERE stream = 2 AND seq = 3 AND part = 1',
      'UPDATE althing.event_body SET part = 1 WHERE stream = 2 AND seq = 3 AND part = 2',
      'UPDATE althing.event_body SET part = 2 WHERE stream = 2 AND seq = 3 AND part = 9',
    ],
    found: ['lane-0', 3, 1],
    alteration: 'changed',
  },
  {
    name: 'an added part of a body',
    statements: [`INSERT INTO althing.event_body (stream, seq, part, data) VALUES (2, 1, 4, 'x')`],
    found: ['lane-0', 1, 4],
    alteration: 'added',
  },
  {
    name: 'a body without its event',
    statements: [`INSERT INTO althing.event_body (stream, seq, part, data) VALUES (1, 77, 1, 'x')`],
    found: ['votes', 77, 1],
    alteration: 'added',
  },
  {
    name: 'an event cut off at the end whose body is still there',
    statements: ['DELETE FROM althing.event WHERE stream = 2 AND seq = 4'],
    found: ['lane-0', 4, 1],
    alteration: 'added',
  },
  {
    name: 'a missing key row',
    statements: [
      'DELETE FROM althing.event_key WHERE ctid IN (SELECT max(ctid) FROM althing.event_key WHERE seq = 3)',
    ],
    found: ['lane-0', 3, 0],
    alteration: 'missing',
  },
  {
    name: 'an added key row',
    statements: ['INSERT INTO althing.event_key (prefix, seq, stream) VALUES (1, 2, 2)'],
    found: ['lane-0', 2, 0],
    alteration: 'added',
  },
  {
    name: 'a stream whose name is gone',
    statements: ['DELETE FROM althing.stream WHERE id = 1'],
    found: ['number 1', 0, 0],
    alteration: 'added',
  },
];

async function refused(t: ExecutionContext, found: Case, work: Promise<unknown>): Promise<void> {
  const error = await t.throwsAsync(work, { instanceOf: LogAltered });
  const { stream, seq, part } = error.place;
  t.deepEqual([stream, seq, part], [...found.found], error.message);
  t.is(error.alteration, found.alteration, error.message);
  t.true(error.message.includes(`(${found.found.join(', ')}) ${found.alteration}`));
}

for (const each of CASES) {
  test(`L1: finds and names ${each.name}`, async (t) => {
    const url = await writtenLog();
    await tamper(url, ...each.statements);
    await refused(t, each, verifyLog({ url }));
  });
}

test('L4, L5: a read does not hand on what was altered', async (t) => {
  const url = await writtenLog();
  await tamper(url, `UPDATE althing.event SET header = 'x' WHERE stream = 1 AND seq = 4`);
  await tamper(url, `UPDATE althing.event_body SET data = 'x' WHERE stream = 2 AND seq = 2`);
  const log = await openTestActor(url, 'reader');
  t.is((await read(log, 'votes', { to: 4 })).length, 4);
  await t.throwsAsync(read(log, 'votes', { from: 4 }), { code: 'log_altered' });
  await t.throwsAsync(read(log, 'votes'), { code: 'log_altered' });
  await t.throwsAsync(read(log, 'lane-0'), { code: 'log_altered' });
  t.is((await read(log, 'lane-0', { bodies: false })).length, 5);
  await log.close();
});

test('L2: a log taken from another node does not verify as this one', async (t) => {
  const url = await writtenLog();
  await tamper(url, `UPDATE althing.log_identity SET public_key = repeat('ee', 32)`);
  await t.throwsAsync(verifyLog({ url }), { code: 'log_altered' });
});

test('an end cut off below the remembered heads is noticed, by verify and at start', async (t) => {
  const url = await writtenLog();
  const folder = newFolder('log');
  const headsFile = join(folder, 'heads.json');
  await (await openTestLog(url, { headsFile })).close();
  t.is((JSON.parse(await readFile(headsFile, 'utf8')) as { votes: { seq: number } }).votes.seq, 9);
  await tamper(url, 'DELETE FROM althing.event WHERE stream = 1 AND seq >= 8');
  t.is((await verifyLog({ url })).events, 13, 'by itself the shorter log is consistent');
  const error = await t.throwsAsync(verifyLog({ url, headsFile }), { instanceOf: LogAltered });
  t.deepEqual(error.place, { stream: 'votes', seq: 9, part: 0 });
  await t.throwsAsync(openTestLog(url, { headsFile }), { code: 'log_altered' });
  await rm(folder, { recursive: true });
});

test('remembered heads that are there and cannot be used are refused, by verify and at start', async (t) => {
  const url = await writtenLog();
  const folder = newFolder('log');
  const headsFile = join(folder, 'heads.json');
  const refused = async (message: RegExp): Promise<void> => {
    const expected = { code: 'bad_heads', message };
    await t.throwsAsync(verifyLog({ url, headsFile }), expected);
    await t.throwsAsync(openTestLog(url, { headsFile }), expected);
  };
  for (const text of ['', '{"votes":', 'null', '[]', '{"votes":7}', '{"votes":{"seq":9}}']) {
    await writeFile(headsFile, text);
    await refused(/heads\.json is not what a node wrote/);
  }
  await rm(headsFile);
  t.is((await verifyLog({ url, headsFile })).events, 15, 'nothing is remembered before the start');
  await mkdir(headsFile);
  await refused(/heads\.json cannot be read: EISDIR/);
});

test('the export has one line an event, and can be narrowed', async (t) => {
  const url = await writtenLog();
  const lines = async (options: object): Promise<Record<string, unknown>[]> => {
    const all: Record<string, unknown>[] = [];
    for await (const line of exportLog({ url, ...options })) all.push(JSON.parse(line) as never);
    return all;
  };
  t.is((await lines({})).length, 15);
  const [first] = await lines({ stream: 'lane-0', from: 2, to: 3 });
  t.is(first?.['seq'], 2);
  t.is(Buffer.from(String(first?.['header']), 'base64').toString(), 'lane-0 2');
  t.is(Buffer.from(String(first?.['body']), 'base64').length, 20_000);
  t.is((first?.['keys'] as string[] | undefined)?.length, 2);
  t.false('body' in ((await lines({ stream: 'lane-0', bodies: false }))[0] ?? {}));
  await t.throwsAsync(lines({ stream: 'none' }), { message: /no stream "none"/ });
});
