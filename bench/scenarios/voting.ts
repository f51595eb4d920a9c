/** Rounds of four voters, opened and decided in a closed loop, signed before the clock starts. */
import { PATIENT_MS, type Bed } from '../bed.ts';
import { progress, round, type Report } from '../report.ts';
import { failures, latencyLine, measuredRun } from './measured-run.ts';
import { ranOut } from './peak.ts';

const SECONDS = 30;
/** The rounds must not run out: where they do, the run says so. */
const ROUNDS_PER_SECOND_MAX = 40_000;
/** What a submission opens, or votes in. */
const ROUNDS_PER_LOT_MAX = 250;

export async function voting(bed: Bed): Promise<Report> {
  const { seconds = SECONDS, batch, outstanding, clients, accounts, threads } = bed.options;
  const rounds = Math.min(batch, ROUNDS_PER_LOT_MAX);
  const configuration = { seconds, rounds, outstanding, clients, accounts, threads };
  await bed.prepare(PATIENT_MS);
  const lots = Math.ceil((seconds * ROUNDS_PER_SECOND_MAX) / rounds);
  progress(`signing ${lots} lots of ${rounds} rounds`);
  await bed.generator.ask({ kind: 'signRounds', lots, rounds });
  progress(`rounds for ${seconds} s`);
  const run = await measuredRun(bed, { kind: 'decideRounds', outstanding, secondsMax: seconds });
  const { result, tps: decidedPerSecond, cpuMicrosPerTx: cpu } = run;
  const lasted = round(result.seconds, 1);
  return {
    scenario: 'voting',
    configuration,
    measured: { decidedPerSecond, cpuMicrosPerRound: cpu, runs: [run] },
    violations: [...failures(result), ...ranOut([run], seconds)],
    text: [
      `decided       ${result.transactions} rounds in ${lasted} s: ${decidedPerSecond}/s`,
      `a lot, ms     ${latencyLine(result.latency)}`,
      `CPU µs/round  ${cpu.total} = nodes ${cpu.nodes} + PostgreSQL ${cpu.postgres}`,
      `generator     ${run.generatorCpuSeconds} s of CPU, ${result.retries} retries, ${result.failed} failed`,
      `memory MiB    ${run.residentMiB.join(' ')}`,
    ],
  };
}
