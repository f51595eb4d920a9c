/** What the checker explores and finds. Each figure is exact: the same bounds give the same states. */
import test from 'ava';
import { readPlanted } from '../sim/planted.ts';
import { Random } from '../../bench/random.ts';
import { DEFAULT_BOUNDS, type Bounds } from './bounds.ts';
import { withMachines } from './engine.ts';
import { Explorer, type Result } from './explore.ts';
import { boundsOf, PLANTED } from './planted.ts';
import { traceOf } from './trace.ts';
import { Walk } from './walk.ts';

const LIMITS = { seconds: 300, states: 1e6 };
const SMALL: Bounds = { ...DEFAULT_BOUNDS, terms: 2, heights: 1, lawless: false };

function explored(bounds: Bounds): Promise<Result> {
  return withMachines(null, async (machines) => new Explorer(machines, bounds).run(LIMITS));
}

for (const [what, bounds, states, transitions] of [
  ['a Byzantine leader, one term', { terms: 1, heights: 1 }, 36, 88],
  ['a Byzantine leader, a crash', { terms: 1, heights: 1, crashes: 1 }, 184, 656],
  ['all honest, one term', { byzantine: null, terms: 1, heights: 1 }, 34, 91],
  ['a Byzantine follower, two terms', { byzantine: 3, heights: 1, lawless: false }, 4504, 11343],
] as const) {
  test(`every execution within small bounds keeps the rules: ${what}`, async (t) => {
    const result = await explored({ ...DEFAULT_BOUNDS, ...bounds });
    t.like(result, { found: null, emptied: true, states, transitions });
  });
}

test('what must be refused adds no states', async (t) => {
  const bounds = { ...DEFAULT_BOUNDS, terms: 1, heights: 2 };
  const [lawful, lawless] = [await explored({ ...bounds, lawless: false }), await explored(bounds)];
  t.like(lawful, { emptied: true, states: lawless.states, transitions: lawless.transitions });
  t.true(lawless.machineSteps > lawful.machineSteps);
});

test('a limit ends an exploration before the frontier is empty', async (t) => {
  const result = await withMachines(null, async (machines) =>
    new Explorer(machines, SMALL).run({ seconds: 300, states: 100 }),
  );
  t.like(result, { emptied: false, found: null });
  t.true(result.states >= 100);
});

for (const byzantine of [0, 1, 3]) {
  test(`executions of single messages say nothing that the checker leaves out, ${byzantine} Byzantine`, async (t) => {
    await withMachines(null, async (opened, closed) => {
      const bounds = { ...SMALL, byzantine };
      const explorer = new Explorer(opened, bounds);
      t.true(explorer.run(LIMITS).emptied);
      const reached = explorer.saidTogether();
      const random = new Random(byzantine + 1);
      const seen = new Set<string>();
      for (let run = 0; run < 40; run++) {
        const walk = new Walk(closed, explorer.forge);
        for (let step = 0; step < 60; step++) {
          walk.step(random);
          const said = walk.said();
          seen.add(said);
          if (!reached.has(said)) return t.fail(`not among what was reached: ${said}`);
        }
      }
      t.log(`${seen.size} of ${reached.size}`);
      t.true(seen.size > 100);
    });
  });
}

for (const [name, trace] of [
  [
    'b4-quorum-one-short',
    [
      'validator 1 hears of #1 (term 0, height 1, on the root, variant 0) and holds its batches',
      'validator 2 gets prepare votes for #1 (few)',
      'it holds a certificate that no quorum signed',
    ],
  ],
  [
    'b6-commits-in-abandoned-term',
    [
      'validator 1 gives up on the term',
      'validator 2 hears of #1 (term 0, height 1, on the root, variant 0) and holds its batches',
      'validator 3 hears of #1 and holds its batches',
      'validator 1 gets prepare votes for #1',
      'a machine threw InvariantViolation: this node signed twice: hiddenCommit/commit/1/0/1',
    ],
  ],
  [
    'p1-votes-forgotten',
    [
      'validator 1 hears of #1 (term 0, height 1, on the root, variant 0) and holds its batches',
      'validator 1 crashes',
      'validator 1 hears of #2 (term 0, height 1, on the root, variant 1) and holds its batches',
      'it casts two prepare votes for one place',
    ],
  ],
] as const) {
  test(`finds ${name}, with the shortest trace`, async (t) => {
    const planted = readPlanted().find((each) => each.name === name)!;
    const known = PLANTED.find((each) => each.name === name)!;
    await withMachines(planted, async (machines) => {
      const explorer = new Explorer(machines, boundsOf(known));
      const { found } = explorer.run(LIMITS);
      const lines = traceOf(explorer.forge, found!).split('\n');
      t.deepEqual(
        lines.map((line) => line.replace(/^ *(\d+\.)? */, '')),
        [...trace],
      );
    });
  });
}

test('every bug that is listed with a bound is planted', (t) => {
  const names = new Set(readPlanted().map(({ name }) => name));
  t.deepEqual(
    PLANTED.filter(({ name }) => !names.has(name)),
    [],
  );
});
