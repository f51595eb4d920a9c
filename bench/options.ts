/** The command line of the benches. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { FAILOVERS } from './failovers/scenarios.ts';
import { FAULT_KINDS, type FaultKind } from './faults/plan.ts';
import { MIXES, type Mix } from './workload.ts';

export const SCENARIOS = [
  'peak',
  'light',
  'failover',
  'soak',
  'kills',
  'voting',
  'lists',
  'histories',
] as const;
export type Scenario = (typeof SCENARIOS)[number];

export interface Options {
  readonly scenarios: readonly Scenario[];
  /** Length of each run; each scenario has its own default. */
  readonly seconds?: number;
  readonly warmUp: number;
  readonly batch: number;
  readonly outstanding: number;
  /** Requests per second; in the soak transfers per second. */
  readonly rate?: number;
  readonly runs: number;
  /** How often something is killed. */
  readonly times?: number;
  /** `kills` kills all nodes at once. */
  readonly all: boolean;
  readonly clients: number;
  readonly accounts: number;
  readonly threads: number | 'auto';
  /** What peak sends. */
  readonly mix: Mix;
  /** Of each table of `lists`. */
  readonly rows?: number;
  /** After so many seconds a client of `failover` takes a request for failed. */
  readonly patience?: number;
  /** What `failover` does to the nodes, one after the other: of FAILOVERS. */
  readonly scenario: readonly string[];
  /** From which the faults and questions of `histories` follow; a new one without it. */
  readonly seed?: number;
  readonly faults: readonly FaultKind[];
  readonly profile?: string;
  readonly json?: string;
  readonly keep: boolean;
}

/** Requests per second where nothing else was asked for. */
export const LIGHT_RATE = 100;

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('A number above 0.');
  return value;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('1, 2, 3 …');
  return value;
}

function threads(text: string): number | 'auto' {
  return text === 'auto' ? text : count(text);
}

function scenario(text: string, before: readonly Scenario[] | undefined): Scenario[] {
  const found = SCENARIOS.find((each) => each === text);
  if (found === undefined) throw new InvalidArgumentError(`One of ${SCENARIOS.join(', ')}.`);
  return [...(before ?? []), found];
}

function failovers(text: string): readonly string[] {
  const all = Object.keys(FAILOVERS);
  if (text === 'all') return all;
  const names = text.split(',');
  if (names.every((name) => all.includes(name))) return names;
  throw new InvalidArgumentError(`all, or some of ${all.join(',')}.`);
}

function faults(text: string): readonly FaultKind[] {
  return text.split(',').map((name) => {
    const found = FAULT_KINDS.find((kind) => kind === name);
    if (found === undefined) throw new InvalidArgumentError(`Some of ${FAULT_KINDS.join(',')}.`);
    return found;
  });
}

const ALL_FAULTS: readonly FaultKind[] = FAULT_KINDS;

const EXAMPLES = `
Scenarios:
  peak      submissions of many transfers, closed loop, signed before the clock starts
  light     one transfer a request at a fixed rate, open loop; with --runs the median
  failover  nodes fail under load in the way of --scenario, --times 10; nothing may fail or be lost
  voting    rounds of four voters opened and decided, closed loop, --seconds 30
  kills     random nodes are killed at random moments, --times 200, 50 a cluster; nothing may be lost
  lists     each list of the read model by each filter, --rows 1000000 a table, 10 ms at most
  histories clients of shared keys and accounts, --seconds 1200, under --faults that --seed draws
  soak      half of peak for --seconds 600: memory, error records, agreement

Examples:
  npm run bench                            peak and light, a minute each
  npm run bench -- peak --mix mixed
  npm run bench -- light --runs 3
  npm run bench -- failover --times 20 --scenario all
  npm run bench -- soak --rate 15000
  npm run bench -- kills --all --times 20
  npm run bench -- histories --seconds 120 --faults kill,partition --seed 7
`;

const EXIT_USAGE = 2;

/** Ends the process with a message when the arguments make no sense. */
export function readOptions(argv: readonly string[]): Options {
  const command = new Command('bench')
    .description('Measures four nodes on this machine, and what happens when they are killed.')
    .argument('[scenarios...]', SCENARIOS.join(', '), scenario)
    .option('--seconds <n>', 'length of each run [60; soak 600; histories 1200]', positive)
    .option('--warm-up <n>', 'seconds of light load that are not counted', positive, 10)
    .option('--batch <n>', 'transfers per submission at peak and in the soak', count, 1000)
    .option('--outstanding <n>', 'submissions under way at peak', count, 24)
    .option(
      '--rate <n>',
      'requests per second [100; kills 40]; soak: transfers [half of peak]',
      positive,
    )
    .option('--runs <n>', 'how often peak and light are run; medians are shown', count, 1)
    .option('--times <n>', 'how often something is killed [failover 10; kills 200]', count)
    .option('--scenario <names>', 'failover: what happens, or all of it', failovers, [
      'leader-killed',
    ])
    .option(
      '--patience <n>',
      'failover: seconds until a request has failed [10, without a quorum 60]',
      positive,
    )
    .option('--all', 'kills: all four nodes at once', false)
    .option('--clients <n>', 'client keys', count, 64)
    .option('--accounts <n>', 'ledger accounts', count, 10_000)
    .addOption(
      new Option(
        '--mix <kind>',
        'peak: plain transfers, each kept under an id, or two-phase and linked ones',
      )
        .choices(MIXES)
        .default('plain'),
    )
    .option('--rows <n>', 'lists: rows of each table [1000000]', count)
    .option('--seed <n>', 'histories: draws faults and questions [a new one]', count)
    .option('--faults <kinds>', 'histories: which', faults, ALL_FAULTS)
    .option('--threads <n>', 'actor threads of each node', threads, 'auto')
    .option('--profile <folder>', 'leave a CPU profile of every thread of every node there')
    .option('--json <file>', 'where the result goes [bench/results/…]')
    .option('--keep', 'keep the cluster folder', false)
    .addHelpText('after', EXAMPLES)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : EXIT_USAGE))
    .parse(argv, { from: 'user' });
  const named = command.processedArgs[0] as readonly Scenario[] | undefined;
  const scenarios: readonly Scenario[] = named === undefined ? ['peak', 'light'] : named;
  return { ...command.opts<Omit<Options, 'scenarios'>>(), scenarios };
}
