/** `althing kv export` that does not come to its end. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { ALTHING } from './program.ts';
import { between, serve } from './serving.ts';

test('interrupted, an export ends with 130 and leaves nothing', async (t) => {
  const { url, env, folder, run } = await serve(t);
  const set = ['kv', 'set', '--namespace', 'demo', '--key', 'a', '--value', 'one'];
  t.is((await run(set)).code, 0);
  let reached = (): void => undefined;
  const asked = new Promise<void>((resolve) => (reached = resolve));
  const silent = await between(t, url, ({ url: path = '' }, _answer, pass) => {
    if (path.includes('/kv/list')) reached();
    else pass();
  });
  const words = ['kv', 'export', '--namespace', 'demo', '--output', 'o.jsonl', '--url', silent];
  const child = spawn(process.execPath, [ALTHING, ...words], { cwd: folder, env });
  await asked;
  child.kill('SIGINT');
  t.is(await new Promise((resolve) => child.once('exit', resolve)), 130);
  t.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('o.jsonl')),
    [],
  );
  const whole = await run(['kv', 'export', '--namespace', 'demo', '--output', 'o.jsonl']);
  t.is(whole.code, 0, whole.stderr);
  t.true(existsSync(join(folder, 'o.jsonl')));
});
