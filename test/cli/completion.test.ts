/** What shells offer, asked of themselves where they are installed. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { Command, Option } from 'commander';
import { placesIn } from '../../src/cli/completion.ts';
import { SHELLS, type Shell } from '../../src/cli/shells.ts';
import { newFolder } from '../folder.ts';
import { installed } from '../installed.ts';
import { run } from './program.ts';

const folder = newFolder('completion');

/** How each is asked for what may stand at the end of a line of words. */
const ASKED: Readonly<Record<Shell, (file: string) => string[]>> = {
  bash: (file) => [
    'bash',
    '--norc',
    '-c',
    `source ${file}; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _althing; printf '%s\\n' "\${COMPREPLY[@]}"`,
    '-',
  ],
  zsh: (file) => [
    'zsh',
    '-f',
    '-c',
    `source ${file}; COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); emulate sh -c _althing; printf '%s\\n' "\${COMPREPLY[@]}"`,
    '-',
  ],
  fish: (file) => [
    'fish',
    '--no-config',
    '-c',
    `source ${file}; complete -C (string join -- ' ' (string escape -- $argv[1..-2]) $argv[-1])`,
  ],
};

/**
 * Without descriptions, and without files, which stand in for what is not offered. In zsh what fits the
 * word is chosen later.
 */
function offered(shell: Shell, file: string, words: readonly string[]): string[] {
  const [program = '', ...args] = ASKED[shell](file);
  const { stdout, stderr } = spawnSync(program, [...args, 'althing', ...words], {
    encoding: 'utf8',
    cwd: folder,
  });
  if (stderr !== '') throw new Error(stderr);
  return stdout
    .split('\n')
    .map((line) => line.split('\t')[0]!)
    .filter((each) => each !== '' && !each.endsWith('.script'))
    .filter((each) => shell !== 'zsh' || each.startsWith(words.at(-1)!));
}

const cases: readonly (readonly [words: readonly string[], expected: readonly string[]])[] = [
  [['stat'], ['status']],
  [
    ['kv', 'ex'],
    ['exists', 'export'],
  ],
  [['kv', 'export', '--na'], ['--namespace']],
  [['--json', 'kv', 'export', '--namespace', 'kv', '--out'], ['--output']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['voting', 'cast', '--choice', 'ap'], ['approve']],
  [['kv', 'export', '--output', ''], []],
  [['kv', 'import', ''], []],
  [['nothing', 'ex'], []],
];

for (const shell of Object.keys(SHELLS) as Shell[]) {
  const testIn = installed(shell) !== null ? test : test.skip;
  testIn(`${shell} completes commands, options and what they may be`, async (t) => {
    const { code, stdout } = await run(['completion', shell]);
    t.is(code, 0);
    const file = join(folder, `${shell}.script`);
    writeFileSync(file, stdout);
    const first = offered(shell, file, ['']);
    for (const each of ['init', 'submit', 'completion', 'kv', 'ledger', 'voting', 'bridge']) {
      t.true(first.includes(each), each);
    }
    t.false(first.includes('snapshot'), 'what is to come is not offered');
    for (const [words, expected] of cases) {
      t.deepEqual(offered(shell, file, words).sort(), [...expected].sort(), words.join(' '));
    }
  });

  testIn(`${shell} runs nothing that stands in a description`, (t) => {
    const bad = "'; touch owned; $(touch owned) `touch owned` \\";
    const program = new Command('althing').description(bad);
    program.addCommand(
      new Command('run')
        .description(bad)
        .addOption(new Option('--how <way>', bad).choices(['well', 'badly'])),
    );
    const file = join(folder, `hostile-${shell}.script`);
    writeFileSync(file, SHELLS[shell]('althing', placesIn(program)));
    t.deepEqual(offered(shell, file, ['ru']), ['run']);
    t.deepEqual(offered(shell, file, ['run', '--how', 'w']), ['well']);
    t.is(spawnSync('ls', [join(folder, 'owned')]).status !== 0, true);
  });
}

test('a shell that nobody knows is refused', async (t) => {
  const { code, stderr } = await run(['completion', 'csh']);
  t.is(code, 2);
  t.regex(stderr, /bash, zsh, fish/);
});

test('as JSON the script is a member', async (t) => {
  const { stdout } = await run(['completion', 'bash', '--json']);
  const { shell, script } = JSON.parse(stdout) as { shell: string; script: string };
  t.is(shell, 'bash');
  t.regex(script, /complete -o default -F _althing althing/);
});
