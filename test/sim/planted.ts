/** Searches for planted bugs: each must be found, within so many seeds, or the checkers are none. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadEngine, REPOSITORY, withPlanted } from './build-engine.ts';
import type { Engine } from './engine.ts';
import { parsePlanted, type Planted } from './patch.ts';
import { search } from './pool.ts';
import type { Focus, ProfileOptions } from './profile.ts';
import { reproduction, runSeed } from './run.ts';
import type { Outcome } from './world.ts';

/** Within so many seeds each planted bug must be found. */
export const PLANTED_SEEDS_MAX = 2_000;
const FOLDER = join(REPOSITORY, 'test', 'planted');

export function readPlanted(): Planted[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.patch'))
    .toSorted()
    .map((file) =>
      parsePlanted(file.replace(/\.patch$/, ''), readFileSync(join(FOLDER, file), 'utf8')),
    );
}

export function optionsOf(planted: Planted): ProfileOptions {
  const focus = planted.focus as readonly Focus[];
  return planted.nodes === null ? { focus } : { focus, nodes: planted.nodes };
}

/**
 * The outcome, if it shows the bug and nothing else.
 *
 * @param clean the engine without the bug
 * @throws when the patched code does not run, a checker complains that says nothing of this bug, or
 *   the same seed breaks a rule without the bug too: then that is what was found
 */
export function confirmed(planted: Planted, found: Outcome, clean: Engine): Outcome {
  const options = optionsOf(planted);
  const seen = found.violation?.detail ?? '';
  if (/\b(?:Reference|Syntax|Type)Error\b/.test(seen)) {
    throw new Error(`${planted.name}: the patched code does not run: rewrite the patch. ${seen}`);
  }
  const complainer = found.violation?.checker ?? '';
  if (!planted.expect.includes(complainer)) {
    throw new Error(
      `${planted.name}: seed ${found.seed} is found by "${complainer}", which its line "expect: …" does ` +
        `not name: add it if that shows the bug, else mend what does. ${seen}`,
    );
  }
  const without = runSeed(clean, found.seed, options);
  if (without.violation === null) return found;
  const { checker, detail } = without.violation;
  throw new Error(
    `${planted.name}: seed ${found.seed} breaks a rule without the planted bug too; mend that first. ` +
      `${checker}: ${detail}; reproduce: ${reproduction(without, options)}`,
  );
}

/** The first outcome that shows the bug, or null when no seed does. */
export async function findPlanted(
  planted: Planted,
  seeds: number,
  jobs: number,
): Promise<Outcome | null> {
  const found = await withPlanted(planted, (root) =>
    search({
      from: 1,
      seeds,
      jobs,
      options: optionsOf(planted),
      root,
      onOutcomes: () => undefined,
    }),
  );
  return found === null ? null : confirmed(planted, found, await loadEngine());
}
