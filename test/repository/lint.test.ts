/** The linter's bans, each shown to fail on a planted fault. */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import test from 'ava';
import { ROOT } from './sources.ts';

interface Finding {
  readonly code: string;
  readonly filename: string;
}

const PLANTED: Readonly<Record<string, { code: string; rule: string }>> = {
  'protocols/node.ts': { code: "import 'node:fs';", rule: 'no-restricted-imports' },
  'protocols/package.ts': { code: "import 'pg';", rule: 'no-restricted-imports' },
  'protocols/upwards.ts': { code: "import '../actors/a.ts';", rule: 'no-restricted-imports' },
  'protocols/consensus/deep.ts': {
    code: "import '../../src/a.ts';",
    rule: 'no-restricted-imports',
  },
  'protocols/clock.ts': { code: 'export const a = Date.now();', rule: 'no-restricted-globals' },
  'protocols/timer.ts': { code: 'setTimeout(() => 1, 1);', rule: 'no-restricted-globals' },
  'protocols/promise.ts': { code: 'Promise.resolve();', rule: 'no-restricted-globals' },
  'protocols/process.ts': { code: 'export const a = process.pid;', rule: 'no-restricted-globals' },
  'protocols/buffer.ts': { code: 'Buffer.alloc(1);', rule: 'no-restricted-globals' },
  'protocols/global.ts': { code: 'export const a = globalThis;', rule: 'no-restricted-globals' },
  'protocols/random.ts': {
    code: 'export const a = Math.random();',
    rule: 'no-restricted-properties',
  },
  'protocols/locale.ts': {
    code: "export const a = 'a'.localeCompare('b');",
    rule: 'no-restricted-properties',
  },
  'protocols/type.ts': { code: 'export type A = Promise<number>;', rule: 'no-restricted-types' },
  'protocols/async.ts': { code: 'export async function a() {}', rule: 'no-async-await' },
  'actors/upwards.ts': { code: "import '../src/a.ts';", rule: 'no-restricted-imports' },
  'src/edge/upwards.ts': { code: "import '../../test/a.ts';", rule: 'no-restricted-imports' },
  'src/upwards.ts': { code: "import '../bench/a.ts';", rule: 'no-restricted-imports' },
  'bench/sideways.ts': { code: "import '../test/a.ts';", rule: 'no-restricted-imports' },
  'src/floating.ts': {
    code: 'async function a() {}\nexport function b() {\n  a();\n}',
    rule: 'no-floating-promises',
  },
  'src/any.ts': { code: 'export const a = (b: any) => b as number;', rule: 'no-explicit-any' },
};

const ALLOWED: Readonly<Record<string, string>> = {
  'protocols/fine.ts':
    "import { pack } from 'msgpackr';\nimport { a } from './random.ts';\npack(a);",
  'actors/fine.ts': "import '../protocols/fine.ts';\nimport 'node:fs';",
  'src/fine.ts': "import '../actors/fine.ts';\nimport 'pg';",
  'test/fine.ts': "import '../bench/sideways.ts';\nimport '../src/fine.ts';",
};

async function lint(files: Readonly<Record<string, string>>): Promise<readonly Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'althing-lint-'));
  try {
    for (const [path, code] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), `${code}\n`);
    }
    await copyFile(`${ROOT}.oxlintrc.json`, join(folder, '.oxlintrc.json'));
    await copyFile(`${ROOT}tsconfig.base.json`, join(folder, 'tsconfig.json'));
    await symlink(`${ROOT}node_modules`, join(folder, 'node_modules'));
    return await runLinter(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The linter exits non-zero when it finds something: its report is what counts. */
function runLinter(cwd: string): Promise<readonly Finding[]> {
  const args = [`${ROOT}node_modules/oxlint/bin/oxlint`, '--format', 'json'];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd }, (error, stdout, stderr) => {
      try {
        resolve((JSON.parse(stdout) as { diagnostics: Finding[] }).diagnostics);
      } catch {
        reject(new Error(`the linter gave no report: ${stderr}${error?.message ?? ''}`));
      }
    });
  });
}

test('every import against the direction and every impurity is refused', async (t) => {
  const planted = Object.entries(PLANTED).map(([path, { code }]) => [path, code] as const);
  const findings = await lint(Object.fromEntries(planted));
  for (const [path, { rule }] of Object.entries(PLANTED)) {
    const rules = findings.filter(({ filename }) => filename === path).map(({ code }) => code);
    t.true(
      rules.some((code) => code.includes(`(${rule})`)),
      `${path} must break ${rule}, found ${rules.join(', ') || 'nothing'}`,
    );
  }
});

test('imports in the right direction are allowed', async (t) => {
  t.deepEqual(await lint(ALLOWED), []);
});
