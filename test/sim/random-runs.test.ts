import test from 'ava';
import { loadEngine } from './build-engine.ts';
import type { Engine } from './engine.ts';
import { parsePlanted } from './patch.ts';
import { confirmed } from './planted.ts';
import { reproduction, runSeed } from './run.ts';

const engine = await loadEngine();
const SEEDS = 200;

test('no rule is broken under random faults', (t) => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = runSeed(engine, seed);
    if (outcome.violation === null) continue;
    const { checker, detail } = outcome.violation;
    return t.fail(`${checker}: ${detail}\nreproduce: ${reproduction(outcome, {})}`);
  }
  t.pass();
});

test('no rule is broken with real signatures', (t) => {
  for (let seed = 1; seed <= 4; seed++) {
    const outcome = runSeed(engine, seed, { nodes: 4, realSignatures: true });
    t.is(outcome.violation, null, `seed ${seed}`);
  }
});

test('the same seed gives the same trace, and another seed another one', (t) => {
  const hashes = [3, 5, 8, 13, 21].map((seed) => runSeed(engine, seed).traceHash);
  const again = [3, 5, 8, 13, 21].map((seed) => runSeed(engine, seed).traceHash);
  t.deepEqual(again, hashes);
  t.is(new Set(hashes).size, hashes.length);
});

test('what shows another bug, or shows without the planted one too, is not taken for it', (t) => {
  const header = 'rule: B4\nsays: a bug\nexpect: rule B4, crash\nnodes: 1\n';
  const planted = parsePlanted('x', `${header}--- a/x.ts\n+++ b/x.ts`);
  const broken: Engine = {
    ...engine,
    machines: () => {
      throw new Error('broken');
    },
  };
  const found = runSeed(broken, 1, { nodes: 1 });
  t.is(found.violation?.checker, 'crash');
  t.is(confirmed(planted, found, engine), found);
  const violation = { checker: 'failure', detail: 'TypeError: no function', atMs: 1 };
  t.throws(() => confirmed(planted, { ...found, violation }, engine), { message: /does not run/ });
  t.throws(() => confirmed({ ...planted, expect: ['rule B4'] }, found, engine), {
    message: /^x: seed 1 is found by "crash", which its line "expect: …" does not name/,
  });
  t.throws(() => confirmed(planted, found, broken), {
    message: /^x: seed 1 breaks a rule without the planted bug too.*broken.*--seed 1 --nodes 1/s,
  });
});

test('random runs meet every kind of trouble', (t) => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const { coverage } = runSeed(engine, seed, { nodes: 4 });
    for (const [name, count] of Object.entries(coverage)) if (count > 0) seen.add(name);
  }
  const expected = [
    'crashes',
    'partitions',
    'pauses',
    'clockSteps',
    'clockJumps',
    'appendFailures',
    'restarts',
  ];
  const caused = ['terms', 'timeouts', 'evidence', 'fetches', 'retries', 'repeatedAnswers'];
  const ofModules = ['refused', 'timersRun', 'readsChecked', 'upgrades', 'programsMissing'];
  for (const name of [...expected, ...caused, ...ofModules]) t.true(seen.has(name), name);
});
