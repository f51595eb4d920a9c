/** Submissions of many transfers, closed loop, signed before the clock starts: throughput and CPU. */
import { PATIENT_MS, type Bed } from '../bed.ts';
import { progress, type Report } from '../report.ts';
import { measuredRun, reportOfRuns, type MeasuredRun } from './measured-run.ts';

const SECONDS = 60;
/** More than any machine of today executes: the submissions must not run out. */
const TPS_MAX = 90_000;

/** @param seconds length of the run */
export async function peakRun(bed: Bed, seconds: number): Promise<MeasuredRun> {
  const { batch, outstanding } = bed.options;
  await bed.sign(Math.ceil((seconds * TPS_MAX) / batch), batch);
  progress(`peak for ${seconds} s`);
  return measuredRun(bed, { kind: 'closedLoop', outstanding, secondsMax: seconds });
}

export async function peak(bed: Bed): Promise<Report> {
  const { seconds = SECONDS, batch, outstanding, clients, accounts, threads, runs } = bed.options;
  const configuration = { seconds, batch, outstanding, clients, accounts, threads };
  await bed.prepare(PATIENT_MS);
  return reportOfRuns('peak', configuration, runs, () => peakRun(bed, seconds));
}
