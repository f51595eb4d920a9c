import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { LaunchFailure } from '../../src/dev/failure.ts';
import { RunningRecord } from '../../src/dev/running-record.ts';
import { identify, isRunning } from '../../src/process-identity.ts';
import { newFolder } from '../folder.ts';

test('a second launcher on the same data is refused with the process and the flag', async (t) => {
  const folder = newFolder('record');
  await new RunningRecord(folder).take();
  const failure = await t.throwsAsync(new RunningRecord(folder).take(), {
    instanceOf: LaunchFailure,
  });
  t.true(failure.message.includes(String(process.pid)));
  t.true(failure.message.includes('--data'));
});

test('nodes that a killed launcher left are ended', async (t) => {
  const folder = newFolder('record');
  const left = spawn('sleep', ['600']);
  t.teardown(() => left.kill('SIGKILL'));
  const node = identify(left.pid ?? 0);
  const launcher = { pid: process.pid, started: 'long ago' };
  writeFileSync(join(folder, 'running.json'), JSON.stringify({ launcher, nodes: [node] }));
  t.is(await new RunningRecord(folder).take(), 1);
  t.false(node !== null && isRunning(node));
});

test('a process that got the number of a dead node is left alone', async (t) => {
  const folder = newFolder('record');
  const stranger = spawn('sleep', ['600']);
  t.teardown(() => stranger.kill('SIGKILL'));
  const node = { pid: stranger.pid, started: 'long ago' };
  const running = { launcher: node, nodes: [node] };
  writeFileSync(join(folder, 'running.json'), JSON.stringify(running));
  t.is(await new RunningRecord(folder).take(), 0);
  t.truthy(identify(stranger.pid ?? 0));
});

test('after the last node has stopped nothing is recorded', async (t) => {
  const folder = newFolder('record');
  const record = new RunningRecord(folder);
  await record.take();
  t.notThrows(() => readFileSync(join(folder, 'running.json')));
  record.remove();
  t.throws(() => readFileSync(join(folder, 'running.json')));
});
