/** What single operations cost: by the worst that the engine may make of them, and before they are done. */
import test from 'ava';
import { load, result, runText } from './module.ts';

/** Two lengths whose product is about 2^31 or 2^32, where integers of 32 bits wrap. */
const WRAPPING: readonly (readonly [number, number])[] = [
  [65_536, 32_768],
  [65_536, 32_767],
  [92_682, 46_341],
  [100_000, 42_950],
  [131_072, 32_768],
  [131_072, 65_536],
];

for (const [all, part] of WRAPPING) {
  test(`U1: to look for ${part} units in ${all} costs what it may take`, (t) => {
    for (const method of ['indexOf', 'lastIndexOf', 'includes', 'split']) {
      const sought = `"a".repeat(${all}).${method}("b".repeat(${part}))`;
      const steps = (all * Math.min(part, all - part + 1)) / 32;
      const body = `export function run() { ${sought}; }`;
      t.deepEqual(runText(body, 1_000_000), { kind: 'stopped', reason: 'steps', steps: 1_000_000 });
      t.is(runText(body, Math.floor(steps)).kind, 'stopped');
    }
  });
}

for (const steps of [-1, -(2 ** 31), Number.NaN, 0.5, Infinity]) {
  test(`U1: ${steps} is no count of steps, and ends the call`, (t) => {
    const module = load('export const run = () => 1;');
    const ran = module.run(1000, () => module.charge(steps));
    t.deepEqual(ran, { kind: 'stopped', reason: 'steps', steps: 1000 });
  });
}

test('U1: a switch on long text costs the text times its cases', (t) => {
  const cases = (count: number): string => 'case r:'.repeat(count);
  const body = (count: number): string =>
    `const s = "a".repeat(1e6), r = "b"; switch (s) { ${cases(count)} } return 1;`;
  t.is(result(body(2)), 1);
  t.is(result(body(40)), 'stopped: steps');
});
