/** A bench that a signal ends, at whatever moment, leaves neither processes nor its folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { newFolder } from '../folder.ts';
import { processesOn } from '../processes.ts';

const BENCH = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
const INTERRUPTED = 130;

/** Files by whose making the bench can be followed. */
const STEPS = [
  '.init.lock',
  'postgres/password',
  'postgres/data/postmaster.pid',
  'validator-1/node.log',
  'node-4/ready.json',
];

for (const step of STEPS) {
  test.serial(`a signal when ${step} has just been made`, async (t) => {
    const temporary = newFolder('bench');
    const child = spawn(process.execPath, [BENCH, 'light', '--json', join(temporary, 'json')], {
      env: { ...process.env, TMPDIR: temporary },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    let said = '';
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const folder = (): string | undefined => /in (\/\S+)/.exec(said)?.[1];
    while (!existsSync(join(folder() ?? '/nowhere', step))) await pause(1);
    child.kill('SIGINT');
    const [code] = (await once(child, 'close')) as [number | null];
    t.is(code, INTERRUPTED, said);
    t.false(existsSync(folder() ?? ''), said);
    t.deepEqual(processesOn(temporary), []);
  });
}
