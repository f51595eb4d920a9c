import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const BENCH = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

for (const [args, named] of [
  [['--rate', 'x'], '--rate'],
  [['--fast'], '--fast'],
  [['fast'], 'scenarios'],
] as const) {
  test(`${args.join(' ')} ends with 2 and names what is wrong`, (t) => {
    const { status, stderr } = spawnSync(process.execPath, [BENCH, ...args], { encoding: 'utf8' });
    t.is(status, 2, stderr);
    t.true(stderr.includes(named), stderr);
  });
}

test('--help ends with 0', (t) => {
  const { status, stdout } = spawnSync(process.execPath, [BENCH, '--help'], { encoding: 'utf8' });
  t.is(status, 0);
  t.regex(stdout, /Examples:/);
});
