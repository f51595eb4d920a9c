/** The search that both suites of planted bugs run: in this thread, seed by seed. */
import test from 'ava';
import { loadEngine, withPlanted } from '../sim/build-engine.ts';
import type { Planted } from '../sim/patch.ts';
import { confirmed, optionsOf, PLANTED_SEEDS_MAX, readPlanted } from '../sim/planted.ts';
import { runSeed } from '../sim/run.ts';
import type { Outcome } from '../sim/world.ts';

const clean = await loadEngine();

function find(planted: Planted): Promise<Outcome | null> {
  return withPlanted(planted, async (root) => {
    const engine = await loadEngine(root);
    for (let seed = 1; seed <= PLANTED_SEEDS_MAX; seed++) {
      const outcome = runSeed(engine, seed, optionsOf(planted));
      if (outcome.violation !== null) return confirmed(planted, outcome, clean);
    }
    return null;
  });
}

/** One test for each planted bug that the suite is for. */
export function searchPlanted(isMine: (planted: Planted) => boolean): void {
  for (const planted of readPlanted().filter(isMine)) {
    test.serial(`found: ${planted.says} (${planted.rule})`, async (t) => {
      t.timeout(600_000);
      const outcome = await find(planted);
      t.truthy(outcome, `${planted.name}: not within ${PLANTED_SEEDS_MAX} seeds`);
      t.log(`seed ${outcome?.seed}, ${outcome?.violation?.checker}`);
    });
  }
}
