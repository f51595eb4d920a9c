/** One run of load on a healthy cluster: throughput, finality, CPU per transaction, memory. */
import type { Bed } from '../bed.ts';
import type { GeneratorRequest } from '../generator-main.ts';
import { median, progress, round, type Report } from '../report.ts';
import type { RunResult } from '../tally.ts';

export interface MeasuredRun {
  readonly result: RunResult;
  readonly tps: number;
  /** Microseconds of CPU for each finalised transaction, all nodes and PostgreSQL. */
  readonly cpuMicrosPerTx: {
    readonly nodes: number;
    readonly postgres: number;
    readonly total: number;
  };
  readonly generatorCpuSeconds: number;
  readonly residentMiB: readonly number[];
}

export async function measuredRun(bed: Bed, request: GeneratorRequest): Promise<MeasuredRun> {
  const before = bed.cpu();
  const { result, cpuSeconds } = await bed.generator.measure(request);
  const after = bed.cpu();
  const perTx = (seconds: number): number =>
    round((seconds * 1e6) / Math.max(1, result.transactions), 2);
  const nodes = after.nodes - before.nodes;
  const postgres = after.postgres - before.postgres;
  return {
    result,
    tps: round(result.transactions / result.seconds, 1),
    cpuMicrosPerTx: {
      nodes: perTx(nodes),
      postgres: perTx(postgres),
      total: perTx(nodes + postgres),
    },
    generatorCpuSeconds: round(cpuSeconds, 2),
    residentMiB: bed.residentMiB(),
  };
}

export interface MeasuredReport extends Report {
  readonly measured: {
    readonly medians: Medians;
    readonly runs: readonly MeasuredRun[];
  };
}

/** The report of `--runs` runs: each of them, and the median of every figure. */
export async function reportOfRuns(
  scenario: string,
  configuration: Report['configuration'],
  times: number,
  run: () => Promise<MeasuredRun>,
): Promise<MeasuredReport> {
  const runs: MeasuredRun[] = [];
  for (let at = 0; at < times; at++) {
    runs.push(await run());
    if (times > 1)
      progress(`${scenario} ${at + 1} of ${times}: ${latencyLine(runs[at]!.result.latency)}`);
  }
  const medians = mediansOf(runs);
  return {
    scenario,
    configuration: { ...configuration, runs: times },
    measured: { medians, runs },
    violations: runs.flatMap(({ result }) => failures(result)),
    text: runs.length === 1 ? linesOf(runs[0]!) : mediansText(medians, runs.length),
  };
}

export function failures({ failed, firstError }: RunResult): string[] {
  return failed === 0 ? [] : [`${failed} submissions failed; the first: ${firstError}`];
}

type Medians = ReturnType<typeof mediansOf>;

function mediansOf(runs: readonly MeasuredRun[]) {
  const of = (figure: (run: MeasuredRun) => number): number => median(runs.map(figure));
  return {
    tps: of(({ tps }) => tps),
    cpuMicrosPerTx: of(({ cpuMicrosPerTx }) => cpuMicrosPerTx.total),
    latency: {
      p50: of(({ result }) => result.latency.p50),
      p90: of(({ result }) => result.latency.p90),
      p99: of(({ result }) => result.latency.p99),
      p999: of(({ result }) => result.latency.p999),
      max: of(({ result }) => result.latency.max),
    },
  };
}

export function latencyLine({ p50, p90, p99, p999, max }: RunResult['latency']): string {
  const ms = (value: number): string => value.toFixed(1);
  return `p50 ${ms(p50)}  p90 ${ms(p90)}  p99 ${ms(p99)}  p99.9 ${ms(p999)}  max ${ms(max)}`;
}

function mediansText({ tps, cpuMicrosPerTx, latency }: Medians, runs: number): string[] {
  return [
    `medians of ${runs} runs`,
    `finalised     ${tps}/s`,
    `finality ms   ${latencyLine(latency)}`,
    `CPU µs/tx     ${cpuMicrosPerTx}`,
  ];
}

function linesOf(run: MeasuredRun): string[] {
  const { result, tps, cpuMicrosPerTx: cpu, generatorCpuSeconds, residentMiB } = run;
  return [
    `finalised     ${result.transactions} transfers in ${result.seconds.toFixed(1)} s: ${tps}/s`,
    `finality ms   ${latencyLine(result.latency)}`,
    `CPU µs/tx     ${cpu.total} = nodes ${cpu.nodes} + PostgreSQL ${cpu.postgres}`,
    `generator     ${generatorCpuSeconds} s of CPU, ${result.retries} retries, ${result.failed} failed`,
    `memory MiB    ${residentMiB.join(' ')}`,
  ];
}
