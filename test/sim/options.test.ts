/** What the simulator's command line refuses, and how. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { UsageError } from '../command-line.ts';
import { readOptions } from './options.ts';

const SIM = fileURLToPath(new URL('main.js', import.meta.url));

test('values reach their options', (t) => {
  const words = ['--seeds', '7', '--from', '2', '--focus', 'twin,crash', '--nodes', '4'];
  t.like(readOptions(words), { seeds: 7, from: 2, seed: null, planted: null });
  t.deepEqual(readOptions(words).profile, { focus: ['twin', 'crash'], nodes: 4 });
  t.deepEqual(
    readOptions(['--planted', 'b2-unknown-state-accepted']).planted?.map(({ name }) => name),
    ['b2-unknown-state-accepted'],
  );
});

for (const [args, says] of [
  [['--focus', 'crash,twins'], /^--focus .*\bcrash\b.*\bcalm\b.*\btwin\b.*not "twins"$/],
  [['--focus', ''], /^--focus .*not ""$/],
  [['--seeds', 'x'], /^--seeds .*"x"$/],
  [['--seeds', ''], /^--seeds .*""$/],
  [['--from', '0'], /^--from .*"0"$/],
  [['--jobs', '1.5'], /^--jobs .*"1\.5"$/],
  [['--seed=-1'], /^--seed .*"-1"$/],
  [['--seed', '-1'], /^[^\n]*--seed[^\n]*$/],
  [['--nodes', '5'], /^--nodes .*1, 3, 4, 7, 10, not "5"$/],
  [['--sedes', '5'], /--sedes/],
  [['more'], /"more"/],
  [['--planted', 'no-such-bug'], /^--planted: .*no-such-bug/],
] as const) {
  test(`${args.join(' ')} is refused by name`, (t) => {
    t.regex(t.throws(() => readOptions(args), { instanceOf: UsageError }).message, says);
  });
}

test('wrong usage is one line on stderr and exit code 2', (t) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [SIM, '--seeds', '0'], {
    encoding: 'utf8',
  });
  t.is(status, 2);
  t.is(stdout, '');
  t.regex(stderr, /^sim: --seeds [^\n]*\n$/);
});
