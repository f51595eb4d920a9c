import test from 'ava';
import { countInvariants, invariantFaults } from './invariants.ts';
import { repositoryFiles } from './sources.ts';

const rule = (path: string, ...numbers: string[]) => ({
  path,
  text: ['/**', ...numbers.map((number) => ` * ${number}. Something always holds.`), ' */'].join(
    '\n',
  ),
});

test('every numbered invariant is unique and cited by a test', (t) => {
  const files = repositoryFiles();
  t.true(countInvariants(files) > 0, 'the check finds the invariants that are there');
  t.deepEqual(invariantFaults(files), []);
});

test('an invariant that no test cites is named with its file', (t) => {
  const cite = { path: 'test/quorum/quorum.test.ts', text: "test('quorums meet (I1)', …" };
  const files = [rule('protocols/quorum.ts', 'I1', 'I2'), cite];
  t.deepEqual(invariantFaults(files), ['no test cites I2 (protocols/quorum.ts)']);
});

test('I1 is not cited by a test that cites I12', (t) => {
  const cite = { path: 'test/a.test.ts', text: '// I12' };
  t.deepEqual(invariantFaults([rule('actors/a.ts', 'I1'), cite]), [
    'no test cites I1 (actors/a.ts)',
  ]);
});

test('a number that two files of the code define is named with both', (t) => {
  const cite = { path: 'test/a.test.ts', text: '// I7' };
  const files = [rule('protocols/a.ts', 'I7'), rule('actors/b.ts', 'I7'), cite];
  t.deepEqual(invariantFaults(files), ['I7 stands in protocols/a.ts and again in actors/b.ts']);
});

test('the proof may restate an invariant of the code, and its own need a test too', (t) => {
  const proof = { path: 'docs/proof.md', text: '- **I7.** As in the code.\n\nI8. Only here.\n' };
  const cite = { path: 'test/a.test.ts', text: '// I7' };
  t.deepEqual(invariantFaults([rule('protocols/a.ts', 'I7'), proof, cite]), [
    'no test cites I8 (docs/proof.md)',
  ]);
});
