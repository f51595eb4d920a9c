import test from 'ava';
import { laterCommands } from '../../src/cli/later.ts';
import { run } from './program.ts';

const names = laterCommands().map((command) => command.name());

test('every command that is to come has its name taken', (t) => {
  t.deepEqual(names.join(' '), 'dev snapshot backup restore replay bench cert validator');
});

for (const words of [
  ['bench', '--json'],
  ['validator', 'add', 'node-5'],
  ['backup', '--help'],
]) {
  test(`althing ${words.join(' ')} says that it is not there yet`, async (t) => {
    const { code, stdout, stderr } = await run(words);
    t.is(code, 2);
    t.true(stderr.startsWith(`althing: "althing ${words[0]}" is not there yet: `), stderr);
    t.is(stdout, '');
  });
}

test('the help names only commands that are there', async (t) => {
  const { code, stdout } = await run(['--help']);
  t.is(code, 0);
  t.regex(stdout, /^ {2}init /m);
  for (const name of names) t.notRegex(stdout, new RegExp(`^ {2}${name}\\b`, 'm'));
});
