/** The command line as a process of its own. */
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { newFolder } from '../folder.ts';
import { run } from './program.ts';

function folder(): string {
  return join(newFolder('cli'), 'data');
}

test('init makes a cluster and tells how to start it; run again, it keeps it', async (t) => {
  const data = folder();
  const made = await run(['init', '--data', data, '--nodes', '3']);
  t.is(made.code, 0, made.stderr);
  t.regex(made.stdout, /^Made cluster [0-9a-f]{16} with 3 nodes/);
  t.true(made.stdout.includes(`node dist/node.js --data ${data} --id validator-1`));
  const kept = await run(['init', '--data', data, '--json']);
  const result = JSON.parse(kept.stdout) as { created: boolean; nodes: unknown[] };
  t.is(result.created, false);
  t.is(result.nodes.length, 3);
  t.deepEqual(await run(['--json', 'init', '--data', data]), kept);
});

test('wrong usage exits 2 with what is wrong on stderr, and changes nothing', async (t) => {
  const data = folder();
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [['init', '--data', data, '--nodes', 'x'], /--nodes must be from 1 to 128/],
    [['init', '--data', data, '--nodse', '4'], /--nodes/],
    [['init', '--data', ''], /^althing: --data takes a folder/],
    [['int'], /init/],
    [[], /Usage/],
  ];
  for (const [args, said] of cases) {
    const { code, stdout, stderr } = await run(args);
    t.is(code, 2, args.join(' '));
    t.regex(stderr, said);
    t.is(stdout, '');
  }
  t.false(existsSync(data));
});

test('a folder that cannot be written exits 2 and names the flag', async (t) => {
  const data = folder();
  writeFileSync(data, '');
  const { code, stderr } = await run(['init', '--data', data]);
  t.is(code, 2);
  t.regex(stderr, /^althing: .*EEXIST.*--data/);
});

test('--help shows examples', async (t) => {
  const { code, stdout } = await run(['init', '--help']);
  t.is(code, 0);
  t.regex(stdout, /Examples:[^]*althing init --hosts/);
});
