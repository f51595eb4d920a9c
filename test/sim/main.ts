/**
 * `npm run sim`: seeds through the simulator, in parallel, until one shows a broken rule.
 *
 * Exit code 0 when no rule was broken (with --planted: when every bug was found), else 1.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { loadEngine, patchedSources } from './build-engine.ts';
import { findPlanted, optionsOf, PLANTED_SEEDS_MAX, readPlanted } from './planted.ts';
import type { Planted } from './patch.ts';
import { search } from './pool.ts';
import type { Focus, ProfileOptions } from './profile.ts';
import { reproduction, runSeed } from './run.ts';
import { Tally } from './tally.ts';

const HELP = `npm run sim -- [options]
  --seeds N          how many seeds (1000)
  --from S           the first of them (1)
  --seed N           only this one
  --trace            with --seed: every step in words
  --nodes 1|3|4|7|10 cluster size of every seed (mixed, mostly 4)
  --focus A,B        kinds of fault that every seed has (profile.ts, byzantine/behaviours.ts)
  --real-signatures  Ed25519 in every seed
  --jobs N           threads (one per core)
  --planted [NAME]   search for planted bugs, all or this one`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    nodes: { type: 'string' },
    focus: { type: 'string', default: '' },
    'real-signatures': { type: 'boolean', default: false },
    jobs: { type: 'string', default: String(availableParallelism()) },
    planted: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function profileOptions(): ProfileOptions {
  const focus = values.focus.split(',').filter((word) => word !== '') as Focus[];
  return {
    focus,
    ...(values.nodes === undefined ? {} : { nodes: Number(values.nodes) }),
    ...(values['real-signatures'] ? { realSignatures: true } : {}),
  };
}

async function runOne(seed: number): Promise<number> {
  const options = profileOptions();
  const print = values.trace ? (line: string) => process.stdout.write(`${line}\n`) : undefined;
  const outcome = runSeed(await loadEngine(), seed, options, print ? { print } : {});
  console.log(JSON.stringify(outcome, null, 2));
  return outcome.violation === null ? 0 : 1;
}

async function runMany(): Promise<number> {
  const options = profileOptions();
  const seeds = Number(values.seeds || '1000');
  const tally = new Tally(seeds);
  const found = await search({
    from: Number(values.from),
    seeds,
    jobs: Number(values.jobs),
    options,
    root: null,
    onOutcomes: (outcomes) => tally.add(outcomes),
  });
  console.log(tally.summary());
  if (found === null || found.violation === null) return 0;
  const { checker, detail, atMs } = found.violation;
  console.error(
    `seed ${found.seed}: ${checker} at ${atMs} ms: ${detail}\nreproduce: ${reproduction(found, options)}`,
  );
  return 1;
}

async function runPlanted(name: string | undefined): Promise<number> {
  const wanted = readPlanted().filter((each) => name === undefined || each.name === name);
  if (wanted.length === 0) throw new Error(`no planted bug ${name ?? ''}: see test/planted/`);
  for (const planted of wanted) patchedSources(planted);
  let missed = 0;
  for (const planted of wanted) if (!(await seek(planted))) missed++;
  console.log(`${wanted.length - missed} of ${wanted.length} planted bugs found`);
  return missed === 0 ? 0 : 1;
}

async function seek(planted: Planted): Promise<boolean> {
  const started = performance.now();
  const outcome = await findPlanted(
    planted,
    Number(values.seeds || PLANTED_SEEDS_MAX),
    Number(values.jobs),
  );
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

if (values.help) console.log(HELP);
else if (values.planted) process.exitCode = await runPlanted(positionals[0]);
else if (values.seed !== undefined) process.exitCode = await runOne(Number(values.seed));
else process.exitCode = await runMany();
