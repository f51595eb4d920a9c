/**
 * Half of peak for ten minutes: whether memory grows, whether anything goes wrong that a node calls
 * an error, and whether the nodes agree in the end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { memoryBytesBelow } from '../accounting.ts';
import { PATIENT_MS, toMiB, type Bed } from '../bed.ts';
import { alarms } from '../node-logs.ts';
import { agreement, allNodes } from '../observer.ts';
import { progress, round, type Report } from '../report.ts';
import type { RunResult } from '../tally.ts';
import { failures, latencyLine } from './measured-run.ts';
import { growth, intervalsOf, mean } from './memory-growth.ts';
import { peakRun } from './peak.ts';

const SECONDS = 600;
const PEAK_SECONDS = 20;
const SAMPLES_PER_INTERVAL = 12;

/** What one interval, a minute of a long run, was like. */
interface Interval {
  readonly untilSeconds: number;
  /** Mean memory of each process, in the order of `processes`: resident; PostgreSQL's as one. */
  readonly memoryMiB: readonly number[];
  readonly tps: number;
}

export async function soak(bed: Bed): Promise<Report> {
  const { seconds = SECONDS, batch, clients, accounts, threads } = bed.options;
  await bed.prepare(PATIENT_MS);
  const rate = bed.options.rate ?? (await halfOfPeak(bed, seconds));
  progress(`${rate} transfers/s for ${seconds} s`);
  await bed.generator.ask({ kind: 'start', perSecond: rate / batch, txPerSubmission: batch });
  const intervals = await watch(bed, seconds);
  const { result } = await bed.generator.measure({ kind: 'stop' });
  const { height, executed, violations: differences } = await agreement(bed.cluster);
  const verdict = growth(
    processes(bed),
    intervals.map(({ memoryMiB }) => memoryMiB),
  );
  const alarming = await alarms(bed.cluster);
  return {
    scenario: 'soak',
    configuration: { seconds, rate, batch, clients, accounts, threads },
    measured: {
      result,
      processes: processes(bed),
      intervals,
      growth: verdict.factors,
      height,
      executed,
    },
    violations: [...failures(result), ...verdict.violations, ...alarming, ...differences],
    text: [
      `finalised     ${result.transactions} transfers: ${round(result.transactions / result.seconds, 1)}/s`,
      `finality ms   ${latencyLine(result.latency)}`,
      `memory        ${verdict.text}`,
      `state         ${executed.stateRoot} at height ${executed.height}`,
    ],
  };
}

async function halfOfPeak(bed: Bed, seconds: number): Promise<number> {
  const { tps } = await peakRun(bed, Math.min(PEAK_SECONDS, seconds));
  return Math.max(1, Math.round(tps / 2));
}

/** Samples memory through the whole run, and says how each interval was. */
async function watch(bed: Bed, seconds: number): Promise<Interval[]> {
  const startedAt = performance.now();
  const intervals: Interval[] = [];
  let before = 0;
  for (const untilSeconds of intervalsOf(seconds)) {
    const from = intervals.at(-1)?.untilSeconds ?? 0;
    const memoryMiB = await sample(bed, startedAt, from, untilSeconds);
    const { result } = await bed.generator.measure({ kind: 'progress' });
    const tps = round((result.transactions - before) / (untilSeconds - from), 1);
    before = result.transactions;
    const interval = { untilSeconds, memoryMiB, tps };
    intervals.push(interval);
    progress(intervalLine(processes(bed), interval, result));
  }
  return intervals;
}

/** What is watched and judged: the nodes, and all processes of their PostgreSQL as one. */
function processes({ cluster }: Bed): readonly string[] {
  return [...allNodes(cluster).map((node) => cluster.id(node)), 'PostgreSQL'];
}

/** Mean memory of each of `processes` between two seconds of the run. */
async function sample(bed: Bed, startedAt: number, from: number, to: number): Promise<number[]> {
  const samples: (readonly number[])[] = [];
  for (let at = 1; at <= SAMPLES_PER_INTERVAL; at++) {
    const dueAt = startedAt + (from + ((to - from) * at) / SAMPLES_PER_INTERVAL) * 1000;
    await pause(Math.max(0, dueAt - performance.now()));
    const postgres = memoryBytesBelow(bed.cluster.servers[0]!.pid);
    samples.push([...bed.residentMiB(), toMiB(postgres)]);
  }
  return processes(bed).map((_, process) => round(mean(samples.map((each) => each[process]!)), 1));
}

function intervalLine(
  names: readonly string[],
  { untilSeconds, memoryMiB, tps }: Interval,
  { failed }: RunResult,
): string {
  const memory = memoryMiB.map((value, process) => `${names[process]} ${value}`).join(', ');
  return `${round(untilSeconds, 1)} s: ${tps}/s, ${failed} failed, MiB: ${memory}`;
}
