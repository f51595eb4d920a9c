/**
 * `npm run bench -- [SCENARIO …]`: starts its own four nodes, runs the scenarios on them, one after
 * the other, and leaves the results in a JSON file. Exit code 1 when anything was as it must not be.
 */
import { join } from 'node:path';
import { abortable } from '../src/abortable.ts';
import { Bed } from './bed.ts';
import { readOptions, type Options, type Scenario } from './options.ts';
import { show, writeReports, type Report } from './report.ts';
import { failover } from './scenarios/failover.ts';
import { kills } from './scenarios/kills.ts';
import { light } from './scenarios/light.ts';
import { peak } from './scenarios/peak.ts';
import { soak } from './scenarios/soak.ts';

const RUN: Readonly<Record<Scenario, (bed: Bed) => Promise<Report>>> = {
  peak,
  light,
  failover,
  soak,
  kills,
};

async function run(bed: Bed, { scenarios, json }: Options): Promise<void> {
  const reports: Report[] = [];
  for (const scenario of scenarios) {
    const report = await RUN[scenario](bed);
    show(report);
    reports.push(report);
  }
  writeReports(json ?? join('bench', 'results', `${Date.now()}.json`), reports);
  if (reports.some(({ violations }) => violations.length > 0)) process.exitCode = 1;
}

const INTERRUPTED = 130;

/** Aborted by the first signal; what was started is ended then, however often signals come. */
function interruption(): AbortSignal {
  const stop = new AbortController();
  process.on('SIGINT', () => stop.abort());
  process.on('SIGTERM', () => stop.abort());
  return stop.signal;
}

async function main(options: Options, signal: AbortSignal): Promise<void> {
  const bed = await Bed.make(options, signal);
  try {
    await abortable(Promise.race([run(bed, options), bed.cluster.broken]), signal);
  } finally {
    await bed.close();
  }
}

const signal = interruption();
try {
  await main(readOptions(process.argv.slice(2)), signal);
} catch (error) {
  if (error !== signal.reason) throw error;
  // The scenario that was cut short may still wait for something.
  process.exit(INTERRUPTED);
}
