/** The examples in docs/client.md, word for word. */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { newFolder } from '../folder.ts';
import { BINDINGS, start } from '../http/start.ts';
import { ROOT } from '../repository/sources.ts';

const page = readFileSync(`${ROOT}docs/client.md`, 'utf8');
const examples = [...page.matchAll(/^```js\n\/\/ (\S+)\n([^]*?)^```/gm)];

/** What each prints. */
const printed: Readonly<Record<string, string>> = {
  'submit.mjs': 'version 1 ok\n',
  'sign.mjs': 'sent by another: ok\n',
  'read.mjs': 'proved as of a certified height: true hello\none node says: true\n',
  'follow.mjs': 'kv set greeting hello\ngo on after true\n',
};

test('the examples in docs/client.md do what they say', async (t) => {
  const { url, port } = await start(t, BINDINGS[0]!);
  const folder = newFolder('client-examples');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'althing'));
  writeFileSync(join(folder, 'genesis.json'), JSON.stringify(port.cluster.genesis));
  t.deepEqual(
    examples.map(([, name]) => name),
    Object.keys(printed),
  );
  for (const [, name = '', text = ''] of examples) {
    writeFileSync(join(folder, name), text);
    const run = await promisify(execFile)(process.execPath, [name, url], { cwd: folder });
    t.deepEqual([run.stdout, run.stderr], [printed[name], '']);
  }
});
