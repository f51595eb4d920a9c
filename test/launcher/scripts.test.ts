/** What a script of scripts/ does when it is asked to end while it runs a program. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { ROOT } from '../repository/sources.ts';

const TOOLS = new URL('scripts/tools.mjs', `file://${ROOT}`).href;
const SCRIPT = `const { main, runNode } = await import('${TOOLS}');
await main(async () => {
  await runNode(['--eval', process.argv[1]]);
  console.log('went on');
  return 0;
});`;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const STAYS = `console.log('runs'); setInterval(() => {}, 1000);`;
/** Like ava, it ends in good order at a Ctrl-C only; that takes a moment. */
const TIDY = `process.on('SIGINT', () => setTimeout(() => { console.log('undone'); process.exit(7); }, 100)); ${STAYS}`;

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

/** Runs a script that runs `program`, and signals the script alone once that says that it runs. */
async function interrupted(
  t: ExecutionContext,
  program: string,
  signal: NodeJS.Signals,
): Promise<Ended> {
  const script: ChildProcess = spawn(
    process.execPath,
    ['--input-type=module', '--eval', SCRIPT, '--', program],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  t.teardown(() => script.kill('SIGKILL'));
  let said = '';
  script.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (said === 'runs\n') script.kill(signal);
  });
  const closed = once(script, 'close');
  const [code] = (await once(script, 'exit')) as [number | null];
  await closed;
  return { code, said };
}

for (const signal of SIGNALS) {
  test(`${signal} is handed on, what it ends is waited for, and nothing follows`, async (t) => {
    t.deepEqual(await interrupted(t, TIDY, signal), { code: 7, said: 'runs\nundone\n' });
  });

  test(`a program that ${signal} ends at once ends the script, and nothing follows`, async (t) => {
    const code = 128 + constants.signals[signal];
    t.deepEqual(await interrupted(t, STAYS, signal), { code, said: 'runs\n' });
  });
}

test('npm signals the script itself: no shell between them ends in its place', (t) => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  for (const command of Object.values(scripts)) t.notRegex(command, /^node /);
});
