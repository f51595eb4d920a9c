/**
 * `npm run bench -- [SCENARIO …]`: starts its own four nodes, runs the scenarios on them, one after
 * the other, and leaves the results in a JSON file. Exit code 1 when anything was as it must not be.
 */
import { join } from 'node:path';
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

/** Nothing that was started outlives an interrupted bench. */
function closeOnSignal(bed: Bed): void {
  const onSignal = (): void => void bed.close().finally(() => process.exit(INTERRUPTED));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
}

const options = readOptions(process.argv.slice(2));
const bed = await Bed.make(options);
closeOnSignal(bed);
try {
  await run(bed, options);
} finally {
  await bed.close();
}
