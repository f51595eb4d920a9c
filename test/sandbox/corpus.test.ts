import test from 'ava';
import { corpus } from './corpus.ts';
import { type Call, load } from './module.ts';

for (const { name, body, args, value, steps } of corpus) {
  test(`U1: ${name} takes ${steps} steps, cold and warm`, (t) => {
    const module = load(`export function run(a, b) { ${body} }`);
    const run = module.exports['run'] as Call;
    for (let round = 0; round < 300; round++) {
      const ran = module.run(1_000_000, () => run(...args));
      if (round < 2 || round === 299) t.deepEqual(ran, { kind: 'done', value, steps });
      else if (ran.steps !== steps) t.fail(`round ${round} took ${ran.steps}`);
    }
  });

  test(`U1: ${name} stops one step short, and has enough with the last`, (t) => {
    const module = load(`export function run(a, b) { ${body} }`);
    const run = module.exports['run'] as Call;
    t.is(module.run(steps, () => run(...args)).kind, 'done');
    t.deepEqual(
      module.run(steps - 1, () => run(...args)),
      { kind: 'stopped', reason: 'steps', steps: steps - 1 },
    );
  });
}
