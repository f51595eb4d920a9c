/**
 * `npm run bench -- [SCENARIO …]`: runs the scenarios one after the other, each on four nodes of its own,
 * and leaves the results in a JSON file. Exit code 1 when anything was as it must not be.
 */
import { join } from 'node:path';
import { abortable } from '../src/abortable.ts';
import { Bed } from './bed.ts';
import { readOptions, type Options, type Scenario } from './options.ts';
import { show, writeReports, type Report } from './report.ts';
import { failover } from './scenarios/failover.ts';
import { kills, roundsOfKills } from './scenarios/kills.ts';
import { light } from './scenarios/light.ts';
import { peak } from './scenarios/peak.ts';
import { soak } from './scenarios/soak.ts';

type Run = (bed: Bed) => Promise<Report>;

const RUNS: Readonly<Record<Scenario, (options: Options) => readonly Run[]>> = {
  peak: () => [peak],
  light: () => [light],
  failover: () => [failover],
  soak: () => [soak],
  kills: (options) => roundsOfKills(options).map((times) => (bed) => kills(bed, times)),
};

const INTERRUPTED = 130;

/** Aborted by the first signal; what was started is ended then, however often signals come. */
function interruption(): AbortSignal {
  const stop = new AbortController();
  process.on('SIGINT', () => stop.abort());
  process.on('SIGTERM', () => stop.abort());
  return stop.signal;
}

/** Each run has a cluster of its own: what one leaves behind is no other's load. */
async function onFreshCluster(run: Run, options: Options, signal: AbortSignal): Promise<Report> {
  const bed = await Bed.make(options, signal);
  try {
    return await abortable(Promise.race([run(bed), bed.cluster.broken]), signal);
  } finally {
    await bed.close();
  }
}

async function main(options: Options, signal: AbortSignal): Promise<void> {
  const reports: Report[] = [];
  for (const run of options.scenarios.flatMap((scenario) => RUNS[scenario](options))) {
    const report = await onFreshCluster(run, options, signal);
    show(report);
    reports.push(report);
  }
  writeReports(options.json ?? join('bench', 'results', `${Date.now()}.json`), reports);
  if (reports.some(({ violations }) => violations.length > 0)) process.exitCode = 1;
}

const signal = interruption();
try {
  await main(readOptions(process.argv.slice(2)), signal);
} catch (error) {
  if (error !== signal.reason) throw error;
  // The scenario that was cut short may still wait for something.
  process.exit(INTERRUPTED);
}
