/**
 * Nodes fail in one way after another under load, again and again: how long until the next block is
 * final where it can be, whether a client that retries notices, and whether anything is lost.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { PATIENT_MS, PROMISED_MS, type Bed } from '../bed.ts';
import { FAILOVERS, type Failover, type Figures } from '../failovers/scenarios.ts';
import { Watch } from '../failovers/watch.ts';
import { LIGHT_RATE } from '../options.ts';
import { progress, round, type Report } from '../report.ts';
import { underLoad, type UnderLoad } from './under-load.ts';

const TIMES = 10;
/** Submissions a second of `--batch` transfers each. */
const FULL_RATE = 20;
/** Load between one trial and the next. */
const CALM_MS = 500;

/** What came of all trials of one scenario. */
interface Outcome {
  readonly name: string;
  readonly trials: readonly Figures[];
  readonly loaded: UnderLoad;
  readonly violations: readonly string[];
}

export async function failover(bed: Bed): Promise<Report> {
  const { times = TIMES, rate = LIGHT_RATE, scenario, patience } = bed.options;
  const { clients, accounts, threads } = bed.options;
  const outcomes: Outcome[] = [];
  for (const name of scenario) outcomes.push(await outcomeOf(bed, name, times));
  return {
    scenario: 'failover',
    configuration: { scenario, times, rate, patience, clients, accounts, threads },
    measured: {
      scenarios: Object.fromEntries(
        outcomes.map(({ name, trials, loaded }) => [name, { trials, ...loaded.measured }]),
      ),
    },
    violations: outcomes.flatMap(({ name, violations }) =>
      violations.map((violation) => `${name}: ${violation}`),
    ),
    text: [HEAD, ...outcomes.flatMap(rowsOf)],
  };
}

async function outcomeOf(bed: Bed, name: string, times: number): Promise<Outcome> {
  const { says, trial, isQuorumLost, isLoadFull } = FAILOVERS[name]!;
  const { rate = LIGHT_RATE, batch, patience } = bed.options;
  progress(`${name}: ${says}`);
  const usual = isQuorumLost === true ? PATIENT_MS : PROMISED_MS;
  await bed.prepare(patience === undefined ? usual : patience * 1000);
  const watch = new Watch(bed.cluster);
  const trials: Figures[] = [];
  const disturb = async (): Promise<void> => {
    for (let at = 1; at <= times; at++) {
      await pause(CALM_MS);
      const figures = Object.entries(await trial({ cluster: bed.cluster, watch }));
      trials.push(Object.fromEntries(figures.map(([figure, ms]) => [figure, round(ms, 1)])));
      progress(`${name} ${at} of ${times}: ${JSON.stringify(trials.at(-1))}`);
    }
    await pause(CALM_MS);
  };
  const loaded = isLoadFull
    ? await underLoad(bed, FULL_RATE, disturb, batch)
    : await underLoad(bed, rate, disturb);
  return { name, trials, loaded, violations: [...watch.violations, ...loaded.violations] };
}

const HEAD = row(['scenario', 'milliseconds until', 'p50', 'p99', 'max', 'bar', 'requests failed']);

/** A line for each figure of a scenario. */
function rowsOf({ name, trials, loaded }: Outcome): string[] {
  const { bars = {} }: Pick<Failover, 'bars'> = FAILOVERS[name]!;
  const { answered, failed } = loaded.result;
  return Object.keys(trials[0] ?? {}).map((figure) => {
    const values = trials.map((trial) => trial[figure]!);
    const [p50, p99, max] = [0.5, 0.99, 1].map((share) => percentile(values, share));
    const bar = bars[figure];
    const met = bar === undefined ? '' : `${bar} ${p99! <= bar ? 'met' : 'MISSED'}`;
    return row([
      name,
      figure,
      ...[p50, p99, max].map(String),
      met,
      `${failed} of ${answered + failed}`,
    ]);
  });
}

/** The smallest of the values that so great a share of them does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

function row(cells: readonly string[]): string {
  const widths = [16, 19, 9, 9, 9, 12, 0];
  return cells
    .map((cell, at) => cell.padEnd(widths[at] ?? 0))
    .join(' ')
    .trimEnd();
}
