/** "An app in ten minutes" of the README, word for word, on ports that are free. */
import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { DEFAULT_PORT_BASE } from '../../src/dev/plan.ts';
import { ALTHING } from '../cli/program.ts';
import { newFolder } from '../folder.ts';
import { freePortBase, Launcher } from './launcher.ts';

const README = new URL('../../../README.md', import.meta.url);

/** The page's module, and the lines of its shell blocks, each with what it says that they print. */
function readPage() {
  const [, section = ''] = readFileSync(README, 'utf8').split('\n## An app in ten minutes\n');
  const [page = ''] = section.split('\n## ');
  const [, code = ''] = /^```ts\n([^]*?)^```/m.exec(page) ?? [];
  const lines = [...page.matchAll(/^```sh\n([^]*?)^```/gm)].flatMap(([, block = '']) =>
    block.trim().split('\n'),
  );
  const commands = lines.map((line) => {
    const [command = '', printed = ''] = line.split(/\s+#=> /);
    return { command, printed };
  });
  return { code, commands };
}

test('an app in ten minutes', async (t) => {
  const { code, commands } = readPage();
  t.true(code.trim().split('\n').length <= 35, 'a module in about thirty lines');
  const folder = newFolder('app');
  writeFileSync(join(folder, 'poll.ts'), code);
  const base = await freePortBase();
  const typed = (command: string): Promise<string> =>
    new Promise((resolve) => {
      const words = command
        .replace('npx althing', `"${process.execPath}" "${ALTHING}"`)
        .replace(/127\.0\.0\.1:(\d+)/, (_, port) => {
          return `127.0.0.1:${base + Number(port) - DEFAULT_PORT_BASE}`;
        });
      const env = { ...process.env, ALTHING_DATA: 'data/poll' };
      execFile('sh', ['-c', words], { cwd: folder, env }, (_, stdout, stderr) =>
        resolve(stdout + stderr),
      );
    });

  const [check, start, variable, ...rest] = commands;
  t.regex(await typed(check!.command), /commands {2}vote/);
  t.is(variable?.command, 'export ALTHING_DATA=data/poll');
  const [npm, word, dashes, ...args] = start!.command.split(' ');
  t.deepEqual([npm, word, dashes], ['npm', 'start', '--']);
  const launcher = new Launcher([...args, '--port-base', String(base)], process.env, folder);
  t.teardown(async () => {
    launcher.kill('SIGINT');
    await launcher.ended;
  });
  await launcher.until(/4\/4 nodes ready/);
  t.true(rest.filter(({ printed }) => printed !== '').length >= 7);
  for (const { command, printed } of rest) {
    const output = await typed(command);
    t.true(output.includes(printed), `${command}\n${output}`);
  }
});
