import test from 'ava';
import { dependencyFaults, type Manifest } from './dependencies.ts';
import { repositoryFiles } from './sources.ts';

const manifest: Manifest = {
  dependencies: { pg: '8', '@scope/a': '1' },
  devDependencies: { ava: '7' },
  optionalDependencies: {},
};

test('package.json lists what is imported and nothing else', (t) => {
  const files = repositoryFiles();
  const text = files.find(({ path }) => path === 'package.json')?.text ?? '{}';
  t.deepEqual(dependencyFaults(files, JSON.parse(text) as Manifest), []);
});

test('what is imported and not listed, or listed and not used, is named', (t) => {
  const files = [
    { path: 'src/a.ts', text: "import { b } from 'other/deep';\nimport fs from 'node:fs';" },
    { path: 'src/c.ts', text: "import '@scope/a/x.js';\nimport './d.ts';" },
  ];
  t.deepEqual(dependencyFaults(files, manifest), [
    'other is imported and not among the dependencies',
    'pg is among the dependencies and not imported',
    'ava is among the devDependencies and used nowhere',
  ]);
});

test('what only tests use does not count as used by the product', (t) => {
  const files = [
    { path: 'src/a.ts', text: "import '@scope/a';" },
    { path: 'test/a.test.ts', text: "import test from 'ava';\nimport pg from 'pg';" },
  ];
  t.deepEqual(dependencyFaults(files, manifest), ['pg is among the dependencies and not imported']);
});
