/** docs/guarantees.md against the tests of this folder: one for each line. */
import { readdirSync, readFileSync } from 'node:fs';
import test from 'ava';
import { ROOT } from '../repository/sources.ts';

test('every line of the page has its test, and every test its line', (t) => {
  const page = readFileSync(`${ROOT}docs/guarantees.md`, 'utf8');
  const lines = [...page.matchAll(/^\| `([a-z-]+)`/gm)].map(([, line = '']) => line);
  const folder = `${ROOT}test/guarantees`;
  const source = readdirSync(folder).map((file) => readFileSync(`${folder}/${file}`, 'utf8'));
  const tested = source.flatMap((text) =>
    [...text.matchAll(/^\s*test\(\s*['`](?:\$\{binding\}, )?([a-z-]+): /gm)].map(
      ([, line = '']) => line,
    ),
  );
  t.true(lines.length > 20);
  t.deepEqual(tested.toSorted(), lines.toSorted());
});
