import { readFileSync } from 'node:fs';
import test from 'ava';
import { planCluster } from '../../src/dev/plan.ts';
import { commands } from '../../src/dev/texts.ts';
import { ROOT } from '../repository/sources.ts';

test('the launcher shows the commands that the README shows', (t) => {
  const readme = readFileSync(`${ROOT}README.md`, 'utf8').replaceAll(/ \\\n +/g, ' ');
  const [, section = ''] = /^## Two commands\n([^]*?)^## /m.exec(readme) ?? [];
  t.deepEqual(section.match(/^curl .*$/gm), commands(planCluster('data')));
});
