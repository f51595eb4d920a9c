/**
 * `npm run bench -- [SCENARIO …]`: starts its own four nodes, runs the scenarios on them, one after
 * the other, and leaves the results in a JSON file. Exit code 1 when anything was as it must not be.
 */
import { join } from 'node:path';
import { abortable } from '../src/abortable.ts';
import { Interruption } from '../src/interruption.ts';
import { Bed, type BedOptions } from './bed.ts';
import { readOptions, type Options } from './options.ts';
import { show, writeReports, type Report } from './report.ts';
import { failover } from './scenarios/failover.ts';
import { histories } from './scenarios/histories.ts';
import { kills, roundsOfKills } from './scenarios/kills.ts';
import { light } from './scenarios/light.ts';
import { lists } from './scenarios/lists.ts';
import { peak } from './scenarios/peak.ts';
import { soak } from './scenarios/soak.ts';
import { voting } from './scenarios/voting.ts';

type Run = (bed: Bed) => Promise<Report>;

/** What only measures, and can share a cluster. */
const MEASURING: Readonly<Record<string, Run>> = { peak, light, soak, voting, lists };

/** Runs scenarios on a cluster of its own, and leaves nothing of it behind. */
type Part = (options: Options, signal: AbortSignal) => Promise<readonly Report[]>;

/** In order: those that only measure come first, on one cluster. */
function partsOf(options: Options): readonly Part[] {
  const { scenarios } = options;
  const shared = scenarios.flatMap((scenario) => MEASURING[scenario] ?? []);
  const parts: Part[] = shared.length === 0 ? [] : [onOneBed(shared)];
  if (scenarios.includes('failover')) parts.push(onOneBed([failover], { linked: true }));
  if (scenarios.includes('kills')) {
    const rounds = roundsOfKills(options);
    parts.push(...rounds.map((times) => onOneBed([(bed) => kills(bed, times)])));
  }
  if (scenarios.includes('histories')) parts.push(async (...on) => [shown(await histories(...on))]);
  return parts;
}

function shown(report: Report): Report {
  show(report);
  return report;
}

const INTERRUPTED = 130;

function onOneBed(runs: readonly Run[], more: BedOptions = {}): Part {
  return async (options, signal) => {
    const bed = await Bed.make(options, signal, more);
    const reports: Report[] = [];
    const all = async (): Promise<void> => {
      for (const run of runs) reports.push(shown(await run(bed)));
    };
    try {
      await abortable(Promise.race([all(), bed.cluster.broken]), signal);
    } finally {
      await bed.close();
    }
    return reports;
  };
}

async function main(options: Options, signal: AbortSignal): Promise<void> {
  const reports: Report[] = [];
  for (const part of partsOf(options)) reports.push(...(await part(options, signal)));
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
