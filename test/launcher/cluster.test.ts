/**
 * `npm start` from end to end: four real node processes, one real PostgreSQL server, one data folder
 * that each test takes over from the one before.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { freePortBase, Launcher, nodePids } from './launcher.ts';
import { newFolder } from '../folder.ts';
import { processesOn } from '../processes.ts';

const dataDir = newFolder('cluster');
const base = await freePortBase();
const launchers: Launcher[] = [];

function start(...more: readonly string[]): Launcher {
  const launcher = new Launcher(['--data', dataDir, '--port-base', String(base), ...more]);
  launchers.push(launcher);
  return launcher;
}

function number(output: string, pattern: RegExp): number {
  return Number(pattern.exec(output)?.[1]?.replaceAll(',', ''));
}

/** What a command answers that a user pastes. */
function answer(command: string): object {
  const stdio = ['ignore', 'pipe', 'ignore'] as const;
  return JSON.parse(
    execFileSync('sh', ['-c', command], { encoding: 'utf8', stdio: [...stdio] }),
  ) as object;
}

/** Also where the machine is too busy for the time that nodes are given. */
const STOPPED = /draining[^]*stopped(?:; nodes that did not drain in time were ended)?\n$/;
const heightIn = (output: string) => number(output, /agree at height (\d+)/);
const balanceIn = (output: string) => number(output, /accounts hold (\d+)/);
let height = 0;

test.after.always(async () => {
  for (const launcher of launchers) launcher.kill('SIGTERM');
  await Promise.all(launchers.map(({ ended }) => ended));
});

test.serial('--once goes from nothing to a summary and leaves no process', async (t) => {
  const launcher = start('--once');
  t.is(await launcher.ended, 0, launcher.output);
  t.regex(launcher.output, /2,000 signed transfers final/);
  t.is(balanceIn(launcher.output), 80_000);
  height = heightIn(launcher.output);
  t.true(height > 0);
  t.deepEqual(processesOn(dataDir), []);
});

test.serial('started again it goes on from its data, and the commands it shows work', async (t) => {
  const launcher = start();
  await launcher.until(/4\/4 nodes ready/);
  t.regex(launcher.output, /going on from/);
  t.true(heightIn(launcher.output) > height);
  t.is(balanceIn(launcher.output), 160_000);
  const commands = launcher.output.match(/^ {2}curl .*$/gm) ?? [];
  t.is(commands.length, 3);
  const [status, write, read] = commands as [string, string, string];
  t.like(answer(status), { votingEnabled: true });
  // A node that has not heard of the others for a while takes no writes.
  let written = answer(write);
  while (!('receipts' in written)) written = answer(write);
  t.like(written, { receipts: [{ status: 'ok' }] });
  // Readable there as soon as that node has executed the same block.
  let found = answer(read);
  while (!('value' in found)) found = answer(read);
  t.like(found, { value: 'hello' });
});

test.serial('a second launcher on the same data is refused', async (t) => {
  const launcher = start();
  t.is(await launcher.ended, 1);
  t.regex(launcher.output, /already runs on .* --data/);
});

test.serial('a second cluster on the same ports is refused with port and flag', async (t) => {
  const other = newFolder('other');
  const launcher = new Launcher(['--data', other, '--port-base', String(base)]);
  t.is(await launcher.ended, 1);
  t.true(launcher.output.includes(`${base} (HTTP of validator-1)`), launcher.output);
  t.true(launcher.output.includes('--port-base'));
});

test.serial('a node that is killed is shown, started again, and catches up', async (t) => {
  const launcher = launchers[1];
  const [, second = 0] = nodePids(dataDir);
  process.kill(second, 'SIGKILL');
  await launcher?.until(/was ended by SIGKILL; it is started again/);
  await launcher?.until(/is ready again[^]*4\/4 nodes ready/);
  t.false(nodePids(dataDir).includes(second));
});

test.serial('what a killed launcher left is cleared away by the next start', async (t) => {
  const [, killed] = launchers;
  killed?.kill('SIGKILL');
  await killed?.ended;
  t.is(nodePids(dataDir).length, 4);
  const launcher = start('--once');
  t.is(await launcher.ended, 0, launcher.output);
  t.regex(launcher.output, /ended 4 nodes that an earlier launcher left/);
  t.is(balanceIn(launcher.output), 240_000);
  t.deepEqual(processesOn(dataDir), []);
});

test.serial('data that cannot be written ends with 2, and the flag is named', async (t) => {
  const launcher = new Launcher(['--data', '/dev/null/data']);
  t.is(await launcher.ended, 2);
  t.regex(launcher.output, /^\/dev\/null\/data is where the cluster is kept .*--data\n$/);
});

test.serial('one signal drains; nothing is left', async (t) => {
  const launcher = start();
  await launcher.until(/nodes ready/);
  launcher.kill('SIGINT');
  t.is(await launcher.ended, 0, launcher.output);
  t.regex(launcher.output, STOPPED);
  t.deepEqual(processesOn(dataDir), []);
});

for (const [args, code] of [
  [[], 0],
  [['--once'], 130],
] as const) {
  const title = ['a signal during the demonstration drains; nothing is left', ...args].join(' ');
  test.serial(title, async (t) => {
    let launcher: Launcher;
    // Where this process stands still meanwhile, the demonstration may be over before.
    do {
      launcher = start(...args);
      await launcher.until(/through all four HTTP ports/);
      launcher.kill('SIGINT');
      await launcher.ended;
      t.deepEqual(processesOn(dataDir), []);
    } while (code !== 0 && /signed transfers final/.test(launcher.output));
    t.is(await launcher.ended, code, launcher.output);
    t.is(launcher.output.includes('interrupted before the demonstration was over'), code !== 0);
    t.regex(launcher.output, STOPPED);
  });
}

test.serial('two signals while nodes start orphan nothing', async (t) => {
  let launcher: Launcher;
  // Where this process stands still meanwhile, all may have stopped before the second.
  do {
    launcher = start();
    await launcher.until(/starting four nodes/);
    launcher.kill('SIGINT');
    await launcher.until(/draining/);
    launcher.kill('SIGTERM');
    await launcher.ended;
    t.deepEqual(processesOn(dataDir), []);
  } while ((await launcher.ended) === 0);
  t.is(await launcher.ended, 130, launcher.output);
});

/** Files by whose making the first start can be followed. */
const STEPS = [
  'running.json',
  '.init.lock',
  'genesis.json',
  'postgres/password',
  'postgres/data',
  'postgres/data/postmaster.pid',
  'validator-1/node.log',
  'node-3/ready.json',
];

for (const [at, step] of STEPS.entries()) {
  test.serial(`a signal when ${step} has just been made leaves nothing`, async (t) => {
    const fresh = newFolder('early');
    const launcher = new Launcher(['--data', fresh, '--port-base', String(base)]);
    launchers.push(launcher);
    // Some of them are gone again when the next ones come.
    const isMade = (): boolean => STEPS.slice(at).some((each) => existsSync(join(fresh, each)));
    while (!isMade()) await pause(1);
    launcher.kill('SIGINT');
    t.is(await launcher.ended, 0, launcher.output);
    t.notRegex(launcher.output, /stopped[^]*start|^ +at /m);
    t.deepEqual(processesOn(fresh), []);
  });
}
