/** The verdicts that the benches draw from figures and logs. */
import test from 'ava';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { memoryBytes } from '../../bench/accounting.ts';
import { isAlarm } from '../../bench/node-logs.ts';
import { median } from '../../bench/report.ts';
import { growth, intervalsOf } from '../../bench/scenarios/memory-growth.ts';
import { ranOut } from '../../bench/scenarios/peak.ts';
import { Sender } from '../../bench/sender.ts';
import { Tally } from '../../bench/tally.ts';
import {
  newSeed,
  TRANSFER_BYTES,
  transfers,
  transfersOf,
  workloadOf,
} from '../../bench/workload.ts';
import type { Digest } from '../../protocols/types.ts';

const clusterId = '00'.repeat(32) as Digest;
const NAMES = ['node-2', 'PostgreSQL'];
const minute = (value: number): number[] => [100, value];

test('memory may grow by a tenth after the third minute', (t) => {
  const steady = growth(NAMES, [90, 95, 100, 110].map(minute));
  t.deepEqual(steady.violations, []);
  t.deepEqual(steady.factors, [1, 1.1]);
});

test('memory that grows by more is named with its process', (t) => {
  const { violations } = growth(NAMES, [90, 95, 100, 100, 111].map(minute));
  t.is(violations.length, 1);
  t.regex(violations[0] ?? '', /memory of PostgreSQL: /);
});

test('memory is what a process has of its pages, without shared memory', (t) => {
  const rollup = `55d0-7fff ---p 00000000 00:00 0    [rollup]
Rss:               41576 kB
Pss:               23968 kB
Pss_Dirty:         19655 kB
Pss_Anon:            360 kB
Pss_File:           4313 kB
Pss_Shmem:         19295 kB
`;
  t.is(memoryBytes(rollup), (360 + 4313) * 1024);
  t.is(memoryBytes(''), 0);
});

test('a short run is not judged', (t) => {
  const { violations, text } = growth(NAMES, [10, 100, 1000].map(minute));
  t.deepEqual(violations, []);
  t.regex(text, /not judged/);
});

test('a long run is cut into minutes and a short one into thirds', (t) => {
  t.deepEqual(intervalsOf(300), [60, 120, 180, 240, 300]);
  t.deepEqual(intervalsOf(6), [2, 4, 6]);
});

test('records of level error and what is no record are alarms', (t) => {
  t.true(isAlarm('{"level":"error","msg":"no"}'));
  t.true(isAlarm('{"level":"fatal","msg":"no"}'));
  t.true(isAlarm('    at main (file:///node.js:1:1)'));
  t.true(isAlarm('null'));
  t.false(isAlarm('{"level":"warn","msg":"hm"}'));
  t.false(isAlarm(''));
});

test('the median of an even number of values lies between the two in the middle', (t) => {
  t.is(median([9, 1, 5]), 5);
  t.is(median([4, 1, 2, 9]), 3);
  t.throws(() => median([]), { instanceOf: RangeError });
});

test('a histogram holds every latency in the bucket that covers it', (t) => {
  const tally = new Tally();
  const receipts = { id: clusterId, height: 1, index: 0, txCount: 1, encoded: new Uint8Array() };
  for (const ms of [0.5, 12.3456, 12.3457, 900]) {
    tally.take({ ok: true, retries: 0, receipts }, 10, ms);
  }
  tally.take({ ok: false, retries: 3, error: 'gone' }, 10, 5);
  const result = tally.result(1);
  t.is(result.answered, 4);
  t.is(result.transactions, 40);
  t.is(result.failed, 1);
  t.is(result.firstError, 'gone');
  t.deepEqual(
    result.histogram.map(([, , count]) => count),
    [1, 2, 1],
  );
  for (const [at, micros] of [500, 12_346, 900_000].entries()) {
    const [from, to] = result.histogram[at]!;
    t.true(from <= micros && micros <= to && to - from <= micros / 1000 + 1);
  }
});

test('a transfer takes as many bytes as the figures say', (t) => {
  const workload = workloadOf(newSeed(clusterId, 2, 10));
  const size = (perSubmission: number): number =>
    transfers(workload, { first: 0, count: 1, perSubmission })[0]!.length;
  t.is(size(11) - size(1), 10 * TRANSFER_BYTES);
});

test('two threads with one seed make the same transfers', (t) => {
  const seed = newSeed(clusterId, 3, 30);
  t.deepEqual(transfersOf(workloadOf(seed), 7, 5), transfersOf(workloadOf(seed), 7, 5));
});

test('a peak whose submissions run out before its time says so', (t) => {
  const run = (seconds: number) => ({ result: { ...new Tally().result(seconds), seconds } });
  t.deepEqual(ranOut([run(60.01)], 60), []);
  t.deepEqual(ranOut([run(60.01), run(41)], 60), ['the signed submissions lasted 41 of 60 s']);
});

test('an answer that comes after the patience of the client is a failure', async (t) => {
  const server = createServer((_request, response) => {
    setTimeout(() => response.end(new Uint8Array(64)), 30);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const urls = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`];
  const sender = new Sender({ urls, connectionsPerNode: 1, patienceMs: 10, attemptMs: 60_000 });
  t.teardown(() => sender.close());
  const sent = await sender.send(new Uint8Array(1), 0);
  t.deepEqual(sent, { ok: false, retries: 0, error: 'answered after more than 10 ms' });
});
