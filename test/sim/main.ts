/**
 * `npm run sim`: seeds through the simulator, in parallel, until one shows a broken rule.
 *
 * Exit code 0 when no rule was broken (with --planted: when every bug was found), else 1; wrong usage 2.
 */
import { loadEngine, patchedSources } from './build-engine.ts';
import { UsageError } from '../command-line.ts';
import { HELP, readOptions, type SimOptions } from './options.ts';
import type { Planted } from './patch.ts';
import { findPlanted, optionsOf } from './planted.ts';
import { search } from './pool.ts';
import { reproduction, runSeed } from './run.ts';
import { Tally } from './tally.ts';

async function runOne(seed: number, { profile, trace }: SimOptions): Promise<number> {
  const print = trace ? (line: string) => process.stdout.write(`${line}\n`) : undefined;
  const outcome = runSeed(await loadEngine(), seed, profile, print ? { print } : {});
  console.log(JSON.stringify(outcome, null, 2));
  return outcome.violation === null ? 0 : 1;
}

async function runMany({ seeds, from, jobs, profile }: SimOptions): Promise<number> {
  const tally = new Tally(seeds);
  const found = await search({
    from,
    seeds,
    jobs,
    options: profile,
    root: null,
    onOutcomes: (outcomes) => tally.add(outcomes),
  });
  console.log(tally.summary());
  if (found === null || found.violation === null) return 0;
  const { checker, detail, atMs } = found.violation;
  console.error(
    `seed ${found.seed}: ${checker} at ${atMs} ms: ${detail}\nreproduce: ${reproduction(found, profile)}`,
  );
  return 1;
}

async function runPlanted(wanted: readonly Planted[], options: SimOptions): Promise<number> {
  for (const planted of wanted) patchedSources(planted);
  let missed = 0;
  for (const planted of wanted) if (!(await seek(planted, options))) missed++;
  console.log(`${wanted.length - missed} of ${wanted.length} planted bugs found`);
  return missed === 0 ? 0 : 1;
}

async function seek(planted: Planted, { seeds, jobs }: SimOptions): Promise<boolean> {
  const started = performance.now();
  const outcome = await findPlanted(planted, seeds, jobs);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const verdict =
    outcome === null
      ? 'NOT FOUND'
      : `seed ${outcome.seed} by ${outcome.violation?.checker}: ${outcome.violation?.detail}`;
  console.log(
    `${planted.name} (${planted.rule}; ${optionsOf(planted).focus?.join(',')}) ${seconds} s: ${verdict}`,
  );
  return outcome !== null;
}

async function main(options: SimOptions): Promise<number> {
  if (options.planted !== null) return runPlanted(options.planted, options);
  return options.seed === null ? runMany(options) : runOne(options.seed, options);
}

try {
  const argv = process.argv.slice(2);
  if (argv.includes('--help')) console.log(HELP);
  else process.exitCode = await main(readOptions(argv));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`sim: ${error.message}`);
  process.exitCode = 2;
}
