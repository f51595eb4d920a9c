/** What the first command in a fresh clone does. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'ava';
import { USAGE } from '../../src/dev/options.ts';
import { newFolder } from '../folder.ts';
import { repositoryFiles, ROOT } from '../repository/sources.ts';

test('npm start -- --help shows the help in a clone where nothing is compiled', (t) => {
  const clone = newFolder('clone');
  for (const { path, text } of repositoryFiles()) {
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    writeFileSync(join(clone, path), text);
  }
  symlinkSync(`${ROOT}node_modules`, join(clone, 'node_modules'));
  const said = execFileSync(process.execPath, [join(clone, 'scripts/start.mjs'), '--help'], {
    encoding: 'utf8',
  });
  t.true(said.endsWith(USAGE), said);
});
