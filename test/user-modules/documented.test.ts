/** The example of docs/writing-modules.md is a module, and does what it says. */
import { readFileSync } from 'node:fs';
import test from 'ava';
import { testWorld } from '../../src/module-testing.ts';
import { moduleFile } from './files.ts';

test('the example of the page runs', (t) => {
  const page = new URL('../../../docs/writing-modules.md', import.meta.url);
  const [, code] = /```ts\n([^]*?)```/.exec(readFileSync(page, 'utf8'))!;
  const { run, ask } = testWorld(moduleFile(code!, 'counter.ts'));
  t.is(run('ann', 'raise', { name: 'a' }).result, 1);
  t.is(run('ann', 'raise', { name: 'a' }).result, 2);
  t.is(run('ben', 'raise', { name: 'a' }).error?.code, 'not_yours');
  t.deepEqual(ask('counter', { name: 'a' }), { owner: 'principal:ann', value: 2 });
});
