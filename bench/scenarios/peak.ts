/** Submissions of many transfers, closed loop, signed before the clock starts: throughput and CPU. */
import { PATIENT_MS, type Bed } from '../bed.ts';
import { progress, type Report } from '../report.ts';
import { measuredRun, reportOfRuns, type MeasuredRun } from './measured-run.ts';

const SECONDS = 60;
/** The submissions must not run out: where they do, the run says so. */
const TPS_MAX = 150_000;

/** @param seconds length of the run */
export async function peakRun(bed: Bed, seconds: number): Promise<MeasuredRun> {
  const { batch, outstanding, mix } = bed.options;
  await bed.sign(Math.ceil((seconds * TPS_MAX) / batch), batch, mix);
  progress(`peak for ${seconds} s`);
  return measuredRun(bed, { kind: 'closedLoop', outstanding, secondsMax: seconds });
}

export async function peak(bed: Bed): Promise<Report> {
  const {
    seconds = SECONDS,
    batch,
    outstanding,
    clients,
    accounts,
    threads,
    runs,
    mix,
  } = bed.options;
  const configuration = { seconds, batch, outstanding, clients, accounts, threads, mix };
  await bed.prepare(PATIENT_MS);
  const report = await reportOfRuns('peak', configuration, runs, () => peakRun(bed, seconds));
  return {
    ...report,
    violations: [...report.violations, ...ranOut(report.measured.runs, seconds)],
  };
}

/** A closed loop ends before its time only when it has nothing left to send. */
export function ranOut(runs: readonly Pick<MeasuredRun, 'result'>[], seconds: number): string[] {
  return runs
    .filter(({ result }) => result.seconds < seconds)
    .map(({ result }) => `the signed submissions lasted ${result.seconds} of ${seconds} s`);
}
