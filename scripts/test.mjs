// npm test: types, format, lint, then every ava test. Arguments are handed on to ava; a test may be
// named by its source (test/crypto/hashes.test.ts). The last line counts what passed, failed and was
// skipped.
import { requireNode } from './node-version.mjs';

requireNode();
const { stripVTControlCharacters } = await import('node:util');
const { Failure, main, packageProgram, progress, runNode } = await import('./tools.mjs');
const { prepare } = await import('./prepare.mjs');

/** Counts ava's lines for single tests, and what its summary adds to them. */
function countTests(output) {
  const lines = (pattern) => output.match(pattern)?.length ?? 0;
  const sum = (pattern) =>
    [...output.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0);
  return {
    passed: lines(/^ {2}\u2714 /gm),
    failed:
      lines(/^ {2}\u2718 \[fail\]/gm) +
      sum(
        /^ {2}(\d+) (?:hooks? failed|tests? (?:was|were|remained) pending|uncaught|unhandled|test files? )/gm,
      ),
    skipped: lines(/^ {2}- \[skip\]/gm),
  };
}

async function ava(args) {
  const files = args.map((arg) => arg.replace(/^(?:\.\/)?test\/(.*)\.ts$/, 'dist/test/$1.js'));
  let output = '';
  const code = await runNode([packageProgram('ava/entrypoints/cli.mjs'), ...files], {
    onOutput: (chunk) => (output += chunk),
  });
  const counted = countTests(stripVTControlCharacters(output));
  return { ...counted, failed: code === 0 ? counted.failed : Math.max(counted.failed, 1) };
}

async function check(name, args) {
  progress(name);
  const failed = (await runNode(args)) === 0 ? 0 : 1;
  return { passed: 1 - failed, failed, skipped: 0 };
}

async function prepared() {
  progress('types');
  try {
    await prepare();
    return { passed: 1, failed: 0, skipped: 0 };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(error.message);
    return { passed: 0, failed: 1, skipped: 0 };
  }
}

async function runAll(args) {
  const types = await prepared();
  if (types.failed > 0) return [types];
  const format = await check('format', [
    packageProgram('prettier/bin/prettier.cjs'),
    '--check',
    '--log-level=warn',
    '.',
  ]);
  const lint = await check('lint', [packageProgram('oxlint/bin/oxlint')]);
  progress('tests');
  return [types, format, lint, await ava(args)];
}

await main(async () => {
  const results = await runAll(process.argv.slice(2));
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map((outcome) =>
    results.reduce((sum, result) => sum + result[outcome], 0),
  );
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  return failed === 0 ? 0 : 1;
});
