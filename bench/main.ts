/**
 * `npm run bench -- [SCENARIO …]`: starts its own four nodes, runs the scenarios on them, one after
 * the other, and leaves the results in a JSON file. Exit code 1 when anything was as it must not be.
 */
import { join } from 'node:path';
import { abortable } from '../src/abortable.ts';
import { Interruption } from '../src/interruption.ts';
import { Bed } from './bed.ts';
import { readOptions, type Options, type Scenario } from './options.ts';
import { show, writeReports, type Report } from './report.ts';
import { failover } from './scenarios/failover.ts';
import { kills, roundsOfKills } from './scenarios/kills.ts';
import { light } from './scenarios/light.ts';
import { lists } from './scenarios/lists.ts';
import { peak } from './scenarios/peak.ts';
import { soak } from './scenarios/soak.ts';
import { voting } from './scenarios/voting.ts';

type Run = (bed: Bed) => Promise<Report>;

const RUN: Readonly<Record<Exclude<Scenario, 'kills'>, Run>> = {
  peak,
  light,
  failover,
  soak,
  voting,
  lists,
};

/** What runs on each cluster, in order: the scenarios that only measure share one. */
function clusters(options: Options): readonly (readonly Run[])[] {
  const { scenarios } = options;
  const shared = scenarios.flatMap((scenario) => (scenario === 'kills' ? [] : [RUN[scenario]]));
  const rounds = scenarios.includes('kills') ? roundsOfKills(options) : [];
  const killing = rounds.map((times): Run[] => [(bed) => kills(bed, times)]);
  return shared.length === 0 ? killing : [shared, ...killing];
}

const INTERRUPTED = 130;

async function onOneCluster(
  runs: readonly Run[],
  options: Options,
  signal: AbortSignal,
): Promise<Report[]> {
  const bed = await Bed.make(options, signal);
  const reports: Report[] = [];
  const all = async (): Promise<void> => {
    for (const run of runs) {
      const report = await run(bed);
      show(report);
      reports.push(report);
    }
  };
  try {
    await abortable(Promise.race([all(), bed.cluster.broken]), signal);
  } finally {
    await bed.close();
  }
  return reports;
}

async function main(options: Options, signal: AbortSignal): Promise<void> {
  const reports: Report[] = [];
  for (const runs of clusters(options))
    reports.push(...(await onOneCluster(runs, options, signal)));
  writeReports(options.json ?? join('bench', 'results', `${Date.now()}.json`), reports);
  if (reports.some(({ violations }) => violations.length > 0)) process.exitCode = 1;
}

// What was started is ended after the first signal, however many come.
const { signal } = new Interruption(() => {});
try {
  await main(readOptions(process.argv.slice(2)), signal);
} catch (error) {
  if (error !== signal.reason) throw error;
  // The scenario that was cut short may still wait for something.
  process.exit(INTERRUPTED);
}
