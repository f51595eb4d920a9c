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
const examples = [...page.matchAll(/^```[jt]s\n\/\/ (\S+)\n([^]*?)^```/gm)];

/** What each prints. */
const printed: Readonly<Record<string, string>> = {
  'submit.mjs': 'version 1 ok\n',
  'sign.mjs': 'sent by another: ok\n',
  'read.mjs': 'proved as of a certified height: true hello\none node says: true\n',
  'typed.ts': 'proved: too 1 true\nproved, too: greeting 1\n',
  'follow.mjs': 'kv set greeting hello\ngo on after true\n',
};

const execute = promisify(execFile);

/** As users do who take types seriously. Rejects with what the compiler says. */
function compile(folder: string, names: readonly string[]): Promise<unknown> {
  const strict = ['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess'];
  const target = ['--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  const types = ['--typeRoots', join(ROOT, 'node_modules', '@types')];
  const compiler = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const words = [compiler, ...strict, ...target, ...types, ...names];
  return execute(process.execPath, words, { cwd: folder });
}

test('the examples in docs/client.md do what they say', async (t) => {
  const { url, port } = await start(t, BINDINGS[0]!);
  const folder = newFolder('client-examples');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'althing'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'genesis.json'), JSON.stringify(port.cluster.genesis));
  t.deepEqual(
    examples.map(([, name]) => name),
    Object.keys(printed),
  );
  for (const [, name = '', text = ''] of examples) {
    writeFileSync(join(folder, name), text);
    if (name.endsWith('.ts')) await compile(folder, [name]);
    const program = name.replace(/\.ts$/, '.js');
    const run = await execute(process.execPath, [program, url], { cwd: folder });
    t.deepEqual([run.stdout, run.stderr], [printed[name], '']);
  }
});

test('what a module does not declare does not compile', async (t) => {
  const folder = newFolder('client-types');
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'althing'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const wrong = [
    "keys.send.set({ namespace: 'n', key: 1, value: 1 });",
    'keys.send.sett({});',
    "(await keys.ask.get({ namespace: 'n', key: 'k' })).result.nothing;",
    "for await (const event of keys.subscribe()) if (event.name === 'sett') break;",
    "for await (const event of keys.subscribe()) if (event.name === 'set') event.data.nothing;",
    'keys.subscribe({ blocks: true });',
  ].map((line) => `// @ts-expect-error\n${line}`);
  const modules = ['bridge', 'kv', 'ledger', 'voting'];
  const text = [
    "import type { Client } from 'althing/client';",
    ...modules.map((name) => `import { ${name} } from 'althing/modules/${name}';`),
    'declare const client: Client;',
    `export const all = [${modules.map((name) => `client.module(${name})`).join(', ')}];`,
    'const keys = client.module(kv);',
    ...wrong,
  ].join('\n');
  writeFileSync(join(folder, 'wrong.ts'), text);
  await t.notThrowsAsync(compile(folder, ['wrong.ts']));
});
