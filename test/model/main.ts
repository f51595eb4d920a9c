/**
 * `npm run model`: all executions of four validators within bounds, on the machines as they are.
 *
 * Exit code 0 when no rule was broken (with --planted: when every bug was found), else 1; wrong usage 2.
 */
import { readPlanted } from '../sim/planted.ts';
import { withMachines } from './engine.ts';
import { Explorer, type Result } from './explore.ts';
import { UsageError } from '../command-line.ts';
import { HELP, readOptions, type ModelOptions } from './options.ts';
import { boundsOf, type PlantedBound } from './planted.ts';
import { traceOf } from './trace.ts';

const PROGRESS_MS = 2000;

function figures({ states, transitions, depth, locals, machineSteps, seconds }: Result): string {
  const rate = Math.round(states / Math.max(seconds, 0.001));
  return (
    `${states} distinct states of the cluster, ${transitions} transitions, depth ${depth}; ` +
    `${locals} states of one validator, ${machineSteps} steps of machines; ` +
    `${seconds.toFixed(1)} s, ${rate} states/s`
  );
}

function progress(): (result: () => Result) => void {
  let next = performance.now() + PROGRESS_MS;
  return (result) => {
    if (performance.now() < next) return;
    next = performance.now() + PROGRESS_MS;
    console.error(figures(result()));
  };
}

async function runOne({ bounds, limits }: ModelOptions): Promise<number> {
  return withMachines(null, async (machines) => {
    const explorer = new Explorer(machines, bounds);
    const result = explorer.run(limits, progress());
    const { found, emptied } = result;
    console.log(JSON.stringify(bounds));
    console.log(figures(result));
    if (found !== null) {
      console.log(`violation:\n${traceOf(explorer.forge, found)}`);
      return 1;
    }
    console.log(
      emptied
        ? 'the frontier was emptied: nothing more happens within the bounds'
        : 'the frontier was not emptied: a limit was reached before',
    );
    return 0;
  });
}

async function seek(wanted: PlantedBound, { limits }: ModelOptions): Promise<boolean> {
  const planted = readPlanted().find(({ name }) => name === wanted.name);
  if (planted === undefined) throw new Error(`test/planted/ has no "${wanted.name}.patch"`);
  return withMachines(planted, async (machines) => {
    const explorer = new Explorer(machines, boundsOf(wanted));
    const result = explorer.run(limits, progress());
    const { found } = result;
    const verdict = found === null ? 'NOT FOUND' : found.fault;
    console.log(`${planted.name} (${planted.rule}): ${verdict}; ${figures(result)}`);
    if (found !== null) console.log(traceOf(explorer.forge, found));
    return found !== null;
  });
}

async function runPlanted(wanted: readonly PlantedBound[], options: ModelOptions): Promise<number> {
  let found = 0;
  for (const each of wanted) if (await seek(each, options)) found++;
  console.log(`${found} of ${wanted.length} planted bugs found`);
  return found === wanted.length ? 0 : 1;
}

try {
  const argv = process.argv.slice(2);
  if (argv.includes('--help')) console.log(HELP);
  else {
    const options = readOptions(argv);
    process.exitCode =
      options.planted === null ? await runOne(options) : await runPlanted(options.planted, options);
  }
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`model: ${error.message}`);
  process.exitCode = 2;
}
