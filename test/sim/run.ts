/** One seed, from its profile to its outcome. */
import type { Engine } from './engine.ts';
import { profileOf, type ProfileOptions } from './profile.ts';
import { World, type Outcome, type WorldOptions } from './world.ts';

export function runSeed(
  engine: Engine,
  seed: number,
  options: ProfileOptions = {},
  worldOptions: WorldOptions = {},
): Outcome {
  return new World(engine, profileOf(seed, options), worldOptions).run();
}

/** The command that shows this outcome again. */
export function reproduction(outcome: Outcome, options: ProfileOptions): string {
  const parts = ['npm run sim --', `--seed ${outcome.seed}`];
  if (options.nodes !== undefined) parts.push(`--nodes ${options.nodes}`);
  if (options.focus !== undefined && options.focus.length > 0) parts.push(`--focus ${options.focus.join(',')}`);
  if (options.realSignatures === true) parts.push('--real-signatures');
  return `${parts.join(' ')} --trace`;
}
