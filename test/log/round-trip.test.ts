import { randomBytes } from 'node:crypto';
import { blake3 } from '@napi-rs/blake-hash';
import test from 'ava';
import fc from 'fast-check';
import type { LogEvent } from '../../protocols/machine.ts';
import type { NodeLog } from '../../src/log/node-log.ts';
import { startTestServer, type TestServer } from '../postgres/server.ts';
import { append, event, find, newKey, openTestLog, plain, read, readLast, sql } from './harness.ts';

let server: TestServer;
let url: string;
let node: NodeLog;

test.before(async () => {
  server = await startTestServer();
  url = await server.newDatabase();
  node = await openTestLog(url);
});

test.after.always(async () => {
  await node.close();
  await server.end();
});

let streams = 0;
const newStream = (): string => `stream-${++streams}`;

test('reads back what was appended, in order, with kinds, keys and bodies', async (t) => {
  const log = await node.actorLog('round trip');
  const stream = newStream();
  const events = [
    event(stream, 0),
    event(stream, 1, { kind: 'größer', header: new Uint8Array(0) }),
    event(stream, 2, { body: randomBytes(3_000_000), keys: [newKey(), newKey()] }),
    event(stream, 3, { body: new Uint8Array(0) }),
    event(stream, 4, { header: randomBytes(9000) }),
    event(stream, 5, { header: randomBytes(1_000_000), body: randomBytes(8112) }),
  ];
  await append(log, ...events.slice(0, 2));
  await append(log, ...events.slice(2));
  t.deepEqual((await read(log, stream)).map(plain), events.map(plain));
  await log.close();
});

test('events of any shape come back as they were', async (t) => {
  const log = await node.actorLog('any shape');
  const bytes = (maxLength: number) => fc.uint8Array({ maxLength });
  const shape = fc.record(
    {
      kind: fc.string({ minLength: 1, maxLength: 30 }).filter((kind) => !kind.includes('\0')),
      header: bytes(3000),
      body: bytes(40_000),
      keys: fc.array(bytes(0).map(newKey), { maxLength: 5 }),
    },
    { requiredKeys: ['kind', 'header'] },
  );
  const appends = fc.array(fc.array(shape, { minLength: 1, maxLength: 4 }), { maxLength: 4 });
  const property = fc.asyncProperty(appends, async (batches) => {
    const stream = newStream();
    const events: LogEvent[] = [];
    for (const batch of batches) {
      const first = events.length;
      events.push(...batch.map((fields, i) => ({ stream, seq: first + i, ...fields })));
      await append(log, ...events.slice(first));
    }
    t.deepEqual((await read(log, stream)).map(plain), events.map(plain));
  });
  await fc.assert(property, { numRuns: 25 });
  await log.close();
});

test('one append reaches several streams, or none of them', async (t) => {
  const log = await node.actorLog('several streams');
  const [a, b] = [newStream(), newStream()];
  await append(log, event(a, 0), event(b, 0), event(a, 1));
  const other = await node.actorLog('several streams, second writer');
  await append(other, event(b, 1));
  await t.throwsAsync(append(log, event(a, 2), event(b, 1)), { code: 'identity_taken' });
  t.is((await read(other, a)).length, 2);
  t.is((await read(other, b)).length, 2);
  await log.close();
  await other.close();
});

test('a read is cut once bytesMax is reached, and returns at least one event', async (t) => {
  const log = await node.actorLog('cut');
  const stream = newStream();
  const events = Array.from({ length: 300 }, (_, seq) =>
    event(stream, seq, { header: Buffer.alloc(100), body: Buffer.alloc(900) }),
  );
  await append(log, ...events);
  const seqs = async (range: object) => (await read(log, stream, range)).map(({ seq }) => seq);
  t.deepEqual(await seqs({ from: 5, bytesMax: 1 }), [5]);
  t.deepEqual(await seqs({ from: 5, bytesMax: 2001 }), [5, 6, 7]);
  t.deepEqual(await seqs({ from: 5, bytesMax: 201, bodies: false }), [5, 6, 7]);
  t.deepEqual(await seqs({ from: 290, to: 293 }), [290, 291, 292]);
  t.is((await seqs({ to: 299 })).length, 299);
  t.deepEqual(await seqs({ from: 300 }), []);
  t.deepEqual(await seqs({ from: 400 }), []);
  t.deepEqual(await seqs({ from: 3, to: 3 }), []);
  t.deepEqual(await read(log, 'never written'), []);
  await log.close();
});

test('a read without bodies gives their digests', async (t) => {
  const log = await node.actorLog('no bodies');
  const stream = newStream();
  const body = randomBytes(20_000);
  await append(log, event(stream, 0, { body }));
  const [found] = await read(log, stream, { bodies: false });
  t.is(found?.body, undefined);
  t.is(found?.bodyDigest, blake3(body).toString('hex'));
  await log.close();
});

test('L3: a digest that comes with the body is used and not computed again', async (t) => {
  const log = await node.actorLog('given digest');
  const stream = newStream();
  const bodyDigest = newKey();
  await append(log, event(stream, 0, { body: randomBytes(100), bodyDigest }));
  const [found] = await read(log, stream, { bodies: false });
  t.is(found?.bodyDigest, bodyDigest);
  await t.throwsAsync(read(log, stream), { code: 'log_altered' });
  await log.close();
});

test('readLast gives the end of a stream with its body, or null', async (t) => {
  const log = await node.actorLog('last');
  const stream = newStream();
  t.is(await readLast(log, stream), null);
  await append(log, event(stream, 0));
  t.is((await readLast(log, stream))?.seq, 0);
  const last = event(stream, 1, { body: randomBytes(10_000) });
  await append(log, last);
  t.deepEqual(plain((await readLast(log, stream))!), plain(last));
  await log.close();
});

test('find gives the newest event with exactly that key', async (t) => {
  const log = await node.actorLog('find');
  const stream = newStream();
  const key = newKey();
  const alike = key.slice(0, 16) + newKey().slice(16);
  await append(
    log,
    event(stream, 0, { keys: [newKey(), key] }),
    event(stream, 1, { keys: [key], body: randomBytes(50) }),
    event(stream, 2, { keys: [alike] }),
  );
  t.is((await find(log, key))?.seq, 1);
  t.is((await find(log, key))?.body?.length, 50);
  t.is((await find(log, alike))?.seq, 2);
  t.is(await find(log, key.slice(0, 16) + newKey().slice(16)), null);
  t.is(await find(log, newKey()), null);
  await log.close();
});

test('a position that does not follow is refused before anything is sent', async (t) => {
  const log = await node.actorLog('positions');
  const stream = newStream();
  await append(log, event(stream, 0));
  await t.throwsAsync(append(log, event(stream, 2)), { code: 'log_position' });
  await t.throwsAsync(
    append(log, event(stream, 1)),
    { code: 'log_position' },
    'the first error stays',
  );
  await log.close();
});

test('appends may be handed over without waiting, and a close waits for them', async (t) => {
  const log = await node.actorLog('queue');
  const stream = newStream();
  const all = Array.from({ length: 20 }, (_, seq) => append(log, event(stream, seq)));
  await log.close();
  await Promise.all(all);
  await t.throwsAsync(append(log, event(stream, 20)), { code: 'closed' });
  const again = await node.actorLog('queue');
  t.is((await read(again, stream)).length, 20);
  await again.close();
});

test('L6: every table refuses update, delete and truncate', async (t) => {
  const log = await node.actorLog('triggers');
  const stream = newStream();
  await append(log, event(stream, 0, { body: randomBytes(10), keys: [newKey()] }));
  await log.close();
  const columns = {
    event: 'kind',
    event_body: 'part',
    event_key: 'prefix',
    stream: 'name',
    log_identity: 'cluster_id',
  };
  for (const [table, column] of Object.entries(columns)) {
    const refused = { message: new RegExp(`^althing.${table} is append-only`) };
    await t.throwsAsync(sql(url, `UPDATE althing.${table} SET ${column} = ${column}`), refused);
    await t.throwsAsync(sql(url, `DELETE FROM althing.${table}`), refused);
    await t.throwsAsync(sql(url, `TRUNCATE althing.${table}`), refused);
  }
});
