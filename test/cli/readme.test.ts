/** What the README tells people to type. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { loadConfig } from '../../src/config/load.ts';
import { newFolder } from '../folder.ts';
import { run } from './program.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Nothing answers there. */
const NO_DATABASE = 'postgres://nobody@127.0.0.1:1/none';

/** The commands below a heading, without comments. */
function commandsBelow(heading: string): readonly string[] {
  const [, section = ''] = readFileSync(`${ROOT}README.md`, 'utf8').split(`\n## ${heading}\n`);
  const [, block = ''] = /^```sh\n([^]*?)^```/m.exec(section) ?? [];
  return block.split('\n').flatMap((line) => line.split('#')[0]?.trim() || []);
}

test('the commands to run a node are understood in their order', async (t) => {
  const [build, init, node, verify, ...more] = commandsBelow('Running a node');
  t.deepEqual(more, []);
  const words = (line: string | undefined, start: string): string[] => {
    t.true(line?.startsWith(`${start} `), line);
    return line?.slice(start.length + 1).split(/\s+/) ?? [];
  };

  t.is(build, 'npm ci && npm run build');
  const cwd = newFolder('readme');
  const env = { ...process.env, ALTHING_DATABASE_URL: NO_DATABASE };
  const made = await run(words(init, 'npx althing'), { cwd });
  t.is(made.code, 0, made.stderr);
  t.true(existsSync(join(cwd, 'data', 'genesis.json')));
  t.is(loadConfig(words(node, 'node dist/node.js'), {}, cwd).kind, 'config');
  const { code, stderr } = await run(words(verify, 'npx althing'), { cwd, env });
  t.is(code, 1, 'it got as far as the database');
  t.regex(stderr, /cannot be reached/);
});

test('what the README calls by a path is built, and npx may run the command', (t) => {
  const manifest = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
    bin: Record<string, string>;
    scripts: Record<string, string>;
  };
  t.true(existsSync(join(ROOT, 'dist/node.js')));
  t.is(statSync(join(ROOT, manifest.bin['althing'] ?? '')).mode & 0o111, 0o111);
  t.true('build' in manifest.scripts);
});
