import test from 'ava';
import { asynchronousCode } from './purity.ts';
import { below, repositoryFiles } from './sources.ts';

test('protocols/ waits for nothing', (t) => {
  t.deepEqual(asynchronousCode(below(repositoryFiles(), 'protocols')), []);
});

for (const code of [
  'await ready;',
  'for await (const x of xs) {}',
  'const lazy = import("./a.ts");',
  'const f = async () => 1;',
  'let p: Promise<number>;',
]) {
  test(`is found in protocols/: ${code}`, (t) => {
    const faults = asynchronousCode([{ path: 'protocols/a.ts', text: `// fine\n${code}\n` }]);
    t.is(faults.length, 1);
    t.regex(faults[0] ?? '', /^protocols\/a\.ts:2 uses /);
  });
}

test('comments and strings may speak of await', (t) => {
  const text = "/* await\n async */ const a = 'await'; // Promise\nimport { b } from './b.ts';\n";
  t.deepEqual(asynchronousCode([{ path: 'protocols/a.ts', text }]), []);
});
