/** The commands that make, check and bring modules, and the example that they make. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { run as althing } from '../cli/program.ts';
import { newFolder } from '../folder.ts';
import { moduleFile, RAFFLE } from './files.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

function shell(script: string, cwd: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const env: NodeJS.ProcessEnv = { ...process.env, npm_config_offline: 'true' };
    // Else the tests would report to this runner.
    delete env['NODE_TEST_CONTEXT'];
    execFile('bash', ['-ec', script], { cwd, env }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : 0;
      resolve({ code, output: stdout + stderr });
    });
  });
}

test('a new module works by the commands that are printed, and its tests pass and can fail', async (t) => {
  const folder = newFolder('user-modules');
  const dir = join(folder, 'made');
  const create = ['module', 'new', 'lottery', '--dir', 'made'];
  const made = await althing(create, { cwd: folder });
  t.is(made.code, 0, made.stderr);
  for (const file of ['lottery.ts', 'lottery.test.js', 'package.json', 'README.md']) {
    t.true(existsSync(join(dir, file)), file);
  }
  const [, commands = ''] = made.stdout.split('what it declares:\n');
  t.regex(commands, /^ {2}cd made\n {2}npm install\n/);
  const followed = await shell(commands, folder);
  t.is(followed.code, 0, followed.output);
  t.regex(followed.output, /pass 4/);
  t.regex(followed.output, /lottery 1: Raffles[^]*commands\s+open, enter/);
  const strict = '--strict --noEmit --skipLibCheck --module nodenext --target es2023';
  const typed = await shell(`"${ROOT}/node_modules/.bin/tsc" ${strict} lottery.ts`, dir);
  t.is(typed.code, 0, typed.output);
  writeFileSync(
    join(dir, 'lottery.ts'),
    readFileSync(join(dir, 'lottery.ts'), 'utf8').replace('entries + 1', 'entries'),
  );
  t.not((await shell('npm test', dir)).code, 0);
  const again = await althing(create, { cwd: folder });
  t.is(again.code, 2);
  t.regex(again.stderr, /already: name another --dir/);
});

test('what is checked without a file is named by the package.json there', async (t) => {
  const cwd = newFolder('user-modules');
  for (const content of [null, '{}', 'null']) {
    if (content !== null) writeFileSync(join(cwd, 'package.json'), content);
    const { code, stderr } = await althing(['module', 'check'], { cwd });
    t.is(code, 2);
    t.regex(
      stderr,
      /name the file of a module: there is no package\.json here whose "main" is one/,
    );
  }
});

test('a name that no module may have is refused', async (t) => {
  for (const name of ['Raffle', '7up', 'with-dash', '../up']) {
    const { code, stderr } = await althing(['module', 'new', name]);
    t.is(code, 2);
    t.regex(stderr, /small letters and digits/);
  }
});

test('digest and check name a module, or the place where it is none', async (t) => {
  const digest = await althing(['module', 'digest', RAFFLE]);
  t.regex(digest.stdout, /^[0-9a-f]{64}\n$/);
  const json = await althing(['module', 'check', RAFFLE, '--json']);
  t.like(JSON.parse(json.stdout), { name: 'raffle', version: 1, digest: digest.stdout.trim() });
  const broken = await althing(['module', 'check', moduleFile('const x = Math.random();')]);
  t.is(broken.code, 2);
  t.regex(broken.stderr, /made\.ts:1:11: `Math\.random`/);
  t.is((await althing(['module', 'digest', '/nowhere.ts'])).code, 2);
});

test('init puts a module into the genesis, and a copy into the folder of each node', async (t) => {
  const data = join(newFolder('user-modules'), 'data');
  const made = await althing(['init', '--data', data, '--module', RAFFLE]);
  t.is(made.code, 0, made.stderr);
  const { stdout: digest } = await althing(['module', 'digest', RAFFLE]);
  const genesis = JSON.parse(readFileSync(join(data, 'genesis.json'), 'utf8')) as {
    programs: { name: string }[];
  };
  t.deepEqual(
    genesis.programs.find(({ name }) => name === 'raffle'),
    { name: 'raffle', version: 1, digest: digest.trim() } as never,
  );
  for (const id of ['validator-1', 'node-4']) {
    const config = JSON.parse(readFileSync(join(data, id, 'config.json'), 'utf8')) as {
      modules: string[];
    };
    t.is(readFileSync(join(data, id, config.modules[0]!), 'utf8'), readFileSync(RAFFLE, 'utf8'));
  }
  t.is((await althing(['init', '--data', data, '--module', RAFFLE])).code, 0);
  const other = moduleFile(readFileSync(RAFFLE, 'utf8').replace('version: 1', 'version: 2'));
  const later = await althing(['init', '--data', data, '--module', other]);
  t.is(later.code, 2);
  t.regex(later.stderr, /"althing module add" and "althing module approve"/);
  const added = await althing(['module', 'add', other, '--data', data]);
  t.regex(added.stdout, /Given to validator-1, node-2, node-3, node-4/);
  t.regex(
    (await althing(['module', 'add', other, '--data', data])).stdout,
    /have made\.ts already/,
  );
  const kv = moduleFile(readFileSync(RAFFLE, 'utf8').replace("name: 'raffle'", "name: 'kv'"));
  const taken = await althing(['init', '--data', `${data}-2`, '--module', kv]);
  t.is(taken.code, 2);
  t.regex(taken.stderr, /two modules have the name kv/);
});
