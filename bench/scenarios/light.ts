/** One transfer a request at a fixed rate, open loop, signed before the clock starts: latency. */
import { PATIENT_MS, type Bed } from '../bed.ts';
import { LIGHT_RATE } from '../options.ts';
import { progress, type Report } from '../report.ts';
import { measuredRun, reportOfRuns, type MeasuredRun } from './measured-run.ts';

const SECONDS = 60;

export async function light(bed: Bed): Promise<Report> {
  const { seconds = SECONDS, warmUp, rate = LIGHT_RATE, clients, accounts, threads } = bed.options;
  const configuration = { seconds, warmUp, rate, batch: 1, clients, accounts, threads };
  await bed.prepare(PATIENT_MS);
  const run = async (): Promise<MeasuredRun> => {
    const warmUps = Math.ceil(warmUp * rate);
    const submissions = Math.ceil(seconds * rate);
    await bed.sign(warmUps + submissions, 1);
    progress(`light load for ${warmUp} s that are not counted and ${seconds} s`);
    await bed.generator.ask({ kind: 'openLoop', perSecond: rate, submissions: warmUps });
    return measuredRun(bed, { kind: 'openLoop', perSecond: rate, submissions });
  };
  return reportOfRuns('light', configuration, bed.options.runs, run);
}
