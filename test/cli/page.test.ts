/** Every command of docs/cli.md, in its order. */
import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { ALTHING } from './program.ts';
import { serve } from './serving.ts';

const PAGE = fileURLToPath(new URL('../../../docs/cli.md', import.meta.url));

test('what the page shows does what it says', async (t) => {
  const page = readFileSync(PAGE, 'utf8');
  const blocks = [...page.matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = '']) => block);
  const commands = blocks.flatMap((block) => block.trim().split('\n'));
  t.true(commands.length > 20);
  const { folder, env, genesis } = await serve(t);
  mkdirSync(join(folder, 'data'));
  copyFileSync(genesis, join(folder, 'data', 'genesis.json'));
  for (const command of commands) {
    const words = command.replace(/^althing /, `"${process.execPath}" "${ALTHING}" `);
    const code = await new Promise((resolve) => {
      execFile('sh', ['-c', words], { cwd: folder, env }, (error, _, stderr) =>
        resolve(error === null ? 0 : `${error.code}: ${stderr}`),
      );
    });
    t.is(code, 0, command);
  }
});
