/** A bench that a signal or a dead node ends, at whatever moment, leaves neither processes nor its folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { newFolder } from '../folder.ts';
import { processesOn } from '../processes.ts';

const BENCH = fileURLToPath(new URL('../../bench/main.js', import.meta.url));
const TOOLS = new URL('../../../scripts/tools.mjs', import.meta.url).href;
/** scripts/run.mjs without its first step, compiling: other tests are running what is compiled. */
const SCRIPT = `const { main, runNode } = await import('${TOOLS}');
await main(() => runNode(process.argv.slice(1)));`;
const DIRECT = [BENCH];
const BY_SCRIPT = ['--input-type=module', '--eval', SCRIPT, '--', BENCH];
const INTERRUPTED = 130;

/** Files by whose making the bench can be followed. */
const STEPS = [
  '.init.lock',
  'postgres/password',
  'postgres/data/postmaster.pid',
  'validator-1/node.log',
  'node-4/ready.json',
];

/** Follows a bench until it has made the file `step`, lets `then` happen, and looks at what is left. */
async function broken(
  t: ExecutionContext,
  program: readonly string[],
  step: string,
  then: (bench: ChildProcess, file: string) => void,
): Promise<{ readonly code: number | null; readonly said: string }> {
  const temporary = newFolder('bench');
  const child = spawn(process.execPath, [...program, 'light', '--json', join(temporary, 'json')], {
    env: { ...process.env, TMPDIR: temporary },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const folder = (): string | undefined => /in (\/\S+)/.exec(said)?.[1];
  const file = (made: string): string => join(folder() ?? '/nowhere', made);
  // The first is gone again when the next one comes.
  const steps = STEPS.slice(STEPS.indexOf(step));
  const isMade = (): boolean => steps.some((each) => existsSync(file(each)));
  while (!isMade() && child.exitCode === null) await pause(1);
  then(child, file(step));
  const closed = once(child, 'close');
  const [code] = (await once(child, 'exit')) as [number | null];
  t.false(existsSync(folder() ?? ''), said);
  t.deepEqual(processesOn(temporary), []);
  await closed;
  return { code, said };
}

for (const step of STEPS) {
  test.serial(`a signal when ${step} has just been made`, async (t) => {
    const { code, said } = await broken(t, DIRECT, step, (bench) => bench.kill('SIGINT'));
    t.is(code, INTERRUPTED, said);
  });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test.serial(`${signal} to the script that runs it is the bench's signal, too`, async (t) => {
    const step = 'validator-1/node.log';
    const { code, said } = await broken(t, BY_SCRIPT, step, (script) => script.kill(signal));
    t.is(code, INTERRUPTED, said);
  });
}

test.serial(
  'a node that ends by itself ends the bench with the last lines of its log',
  async (t) => {
    const { code, said } = await broken(t, DIRECT, 'node-4/ready.json', (_bench, file) => {
      const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number };
      process.kill(pid, 'SIGKILL');
    });
    t.is(code, 1, said);
    t.regex(said, /node-4 ended by itself \(SIGKILL\); its log ends:\n\{/);
  },
);
