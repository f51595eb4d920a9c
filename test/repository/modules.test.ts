/** Modules stand on the module interface alone: any of them can be taken away. */
import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { ROOT } from './sources.ts';

const INSTALLED = 'src/modules/installed.ts';

/** A copy of the product without one module; resolves with what the compiler says of it. */
async function compileWithout(module: string, line: RegExp): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'althing-without-'));
  try {
    for (const part of ['protocols', 'actors', 'src', 'package.json', 'tsconfig.base.json']) {
      await cp(join(ROOT, part), join(folder, part), { recursive: true });
    }
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    await rm(join(folder, 'src/modules', module), { recursive: true });
    const installed = await readFile(join(folder, INSTALLED), 'utf8');
    await writeFile(join(folder, INSTALLED), installed.replace(line, ''));
    return await compile(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function compile(cwd: string): Promise<string> {
  const args = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', 'src'];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) =>
      resolve(error === null ? '' : `${stdout}${stderr}` || error.message),
    );
  });
}

for (const module of ['ledger', 'kv', 'voting', 'bridge']) {
  test.serial(`everything but one line compiles without src/modules/${module}`, async (t) => {
    t.is(await compileWithout(module, new RegExp(`^export \\{ ${module} \\}.*\\n`, 'm')), '');
  });
}

test.serial(
  'the line that installs a module is needed: without the folder it does not compile',
  async (t) => {
    t.regex(await compileWithout('ledger', /(?!)/), /installed\.ts.*ledger/);
  },
);
