/** What the checker's command line refuses, and how. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { UsageError } from '../command-line.ts';
import { readOptions } from './options.ts';

const MODEL = fileURLToPath(new URL('main.js', import.meta.url));

const run = (...args: string[]) =>
  spawnSync(process.execPath, [MODEL, ...args], { encoding: 'utf8' });

test('values reach their options', (t) => {
  const words = ['--byzantine', 'none', '--terms', '3', '--crashes', '1', '--states', '7'];
  const options = readOptions([...words, '--lawful']);
  t.like(options.bounds, { byzantine: null, terms: 3, heights: 2, crashes: 1, lawless: false });
  t.like(options, { limits: { states: 7 }, planted: null });
});

for (const [args, says] of [
  [['--byzantine', '4'], /^--byzantine takes 0 to 3 or none, not "4"$/],
  [['--terms', '0'], /^--terms .*1 to 9, not "0"$/],
  [['--heights', 'x'], /^--heights .*"x"$/],
  [['--seconds', '1.5'], /^--seconds .*"1\.5"$/],
  [['--staets', '5'], /--staets/],
  [['more'], /"more"/],
  [['--planted', 'no-such-bug'], /^--planted: .*no-such-bug/],
] as const) {
  test(`${args.join(' ')} is refused by name`, (t) => {
    t.regex(t.throws(() => readOptions(args), { instanceOf: UsageError }).message, says);
  });
}

test('exit codes: 2 for wrong usage, 0 when nothing is found', (t) => {
  const wrong = run('--terms', '0');
  t.deepEqual([wrong.status, wrong.stdout], [2, '']);
  t.regex(wrong.stderr, /^model: --terms [^\n]*\n$/);
  const { status, stdout } = run('--terms', '1', '--heights', '1');
  t.is(status, 0);
  t.regex(stdout, /^36 distinct states .*depth 6;/m);
  t.regex(stdout, /frontier was emptied/);
  t.regex(run('--heights', '1', '--states', '50').stdout, /frontier was not emptied/);
});
