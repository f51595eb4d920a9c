import test from 'ava';
import { lockFaults, strangePlaces } from './files.ts';
import { repositoryFiles } from './sources.ts';

test('no file names a place of one machine or a registry host', (t) => {
  t.deepEqual(strangePlaces(repositoryFiles()), []);
});

test('a path or host that does not belong is found, with its line', (t) => {
  const text = [
    'fine: src/work/a.ts',
    `cd ${'/wo'}${'rk/main'}`,
    `https://registry.${'npmjs'}.org/x`,
  ];
  t.deepEqual(strangePlaces([{ path: 'a.md', text: text.join('\n') }]), [
    'a.md:2 names an absolute path of one machine',
    'a.md:3 names a registry host',
  ]);
});

test('the lock has no resolved addresses', (t) => {
  const lock = repositoryFiles().find(({ path }) => path === 'package-lock.json');
  t.deepEqual(lockFaults(lock?.text ?? ''), []);
});

test('a lock with a resolved address is refused', (t) => {
  const packages = { '': {}, 'node_modules/a': { resolved: 'https://example.org/a.tgz' } };
  t.deepEqual(lockFaults(JSON.stringify({ packages })), ['node_modules/a has a resolved address']);
});
