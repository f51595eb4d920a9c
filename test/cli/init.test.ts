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

test('init says what a size tolerates that is not the best for it', async (t) => {
  for (const [nodes, advice] of [
    ['2', 'A cluster of 2 tolerates no faulty node: the smallest that does has 4.\n'],
    ['4', ''],
    ['6', 'A cluster of 6 tolerates 1 faulty, as one of 4 does: 7 nodes tolerate 2.\n'],
    ['7', ''],
    ['9', 'A cluster of 9 tolerates 2 faulty, as one of 7 does: 10 nodes tolerate 3.\n'],
  ] as const) {
    const { code, stderr } = await run(['init', '--data', folder(), '--nodes', nodes]);
    t.is(code, 0);
    t.is(stderr, advice);
  }
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
