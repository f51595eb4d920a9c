/**
 * `npm run bench -- [SCENARIO …]`: starts its own four nodes and measures them. Without a scenario:
 * peak, then light. Figures go to the terminal and, with the configuration, to a JSON file.
 */
import { fork, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, platform, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { cpuSecondsBelow, residentBytes } from './accounting.ts';
import { Cluster } from './cluster.ts';
import type { GeneratorAnswer, GeneratorRequest } from './generator-main.ts';
import type { RunResult } from './generator.ts';

interface Options {
  readonly seconds: number;
  readonly batch: number;
  readonly outstanding: number;
  readonly rate: number;
  readonly runs: number;
  readonly clients: number;
  readonly accounts: number;
  readonly threads: string;
  readonly json?: string;
  readonly keep: boolean;
  readonly profile?: string;
}

interface Measured {
  readonly scenario: string;
  readonly configuration: Readonly<Record<string, number | string>>;
  readonly result: RunResult;
  readonly tps: number;
  /** Microseconds of CPU for each finalised transaction, all nodes and PostgreSQL. */
  readonly cpuMicrosPerTx: { readonly nodes: number; readonly postgres: number; readonly total: number };
  readonly generatorCpuSeconds: number;
  readonly residentMiB: readonly number[];
}

const SUBMISSIONS_AHEAD = 1.5;
const PEAK_GUESS_TPS = 60_000;
const WARM_UP_SECONDS = 10;

class Generator {
  readonly #child = fork(fileURLToPath(new URL('./generator-main.js', import.meta.url)), {
    execArgv: ['--max-old-space-size=8192'],
  });

  ask(request: GeneratorRequest): Promise<Extract<GeneratorAnswer, { kind: 'done' }>> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error('the generator ended'));
      this.#child.once('exit', ended);
      this.#child.once('message', (answer: GeneratorAnswer) => {
        this.#child.off('exit', ended);
        if (answer.kind === 'done') resolve(answer);
        else reject(new Error(answer.message));
      });
      this.#child.send(request);
    });
  }

  close(): void {
    this.#child.disconnect();
  }
}

class Bench {
  readonly #cluster: Cluster;
  readonly #generator: Generator;
  readonly #options: Options;

  constructor(cluster: Cluster, generator: Generator, options: Options) {
    this.#cluster = cluster;
    this.#generator = generator;
    this.#options = options;
  }

  async prepare(): Promise<void> {
    const { clients, accounts } = this.#options;
    progress(`opening ${accounts} accounts of ${clients} clients`);
    await this.#generator.ask({
      kind: 'prepare',
      clusterId: this.#cluster.clusterId,
      urls: this.#cluster.urls,
      issuerPem: readFileSync(join(this.#cluster.folder, 'operator.pem'), 'utf8'),
      clients,
      accounts,
    });
  }

  /** Submissions of many transfers, closed loop: throughput and CPU. */
  async peak(): Promise<Measured> {
    const { seconds, batch, outstanding } = this.#options;
    const submissions = Math.ceil((seconds * PEAK_GUESS_TPS * SUBMISSIONS_AHEAD) / batch);
    await this.#sign(submissions, batch);
    return this.#measure('peak', { seconds, batch, outstanding }, {
      kind: 'closedLoop',
      outstanding,
      secondsMax: seconds,
    });
  }

  /** One transfer a request at a fixed rate, open loop: latency. */
  async light(): Promise<Measured> {
    const { seconds, rate } = this.#options;
    await this.#sign((seconds + WARM_UP_SECONDS) * rate, 1);
    return this.#measure('light', { seconds, rate, batch: 1 }, {
      kind: 'openLoop',
      perSecond: rate,
      warmUpSeconds: WARM_UP_SECONDS,
    });
  }

  async #sign(submissions: number, txPerSubmission: number): Promise<void> {
    progress(`signing ${submissions} submissions of ${txPerSubmission}`);
    await this.#generator.ask({ kind: 'sign', submissions, txPerSubmission });
  }

  async #measure(
    scenario: string,
    configuration: Readonly<Record<string, number | string>>,
    request: GeneratorRequest,
  ): Promise<Measured> {
    progress(`measuring ${scenario}`);
    const before = this.#cpu();
    const { result, cpuSeconds } = await this.#generator.ask(request);
    if (result === null) throw new Error('the generator measured nothing');
    if (result.failed > 0) progress(`${result.failed} submissions failed: ${result.firstError ?? ''}`);
    const after = this.#cpu();
    const perTx = (seconds: number): number => round((seconds * 1e6) / result.transactions, 2);
    const nodes = after.nodes - before.nodes;
    const postgres = after.postgres - before.postgres;
    return {
      scenario,
      configuration: { ...configuration, threads: this.#options.threads },
      result,
      tps: Math.round(result.transactions / result.seconds),
      cpuMicrosPerTx: { nodes: perTx(nodes), postgres: perTx(postgres), total: perTx(nodes + postgres) },
      generatorCpuSeconds: round(cpuSeconds, 2),
      residentMiB: this.#cluster.pids().map((pid) => Math.round(residentBytes(pid) / 1024 / 1024)),
    };
  }

  #cpu(): { nodes: number; postgres: number } {
    const nodes = this.#cluster.pids().reduce((sum, pid) => sum + cpuSecondsBelow(pid), 0);
    return { nodes, postgres: cpuSecondsBelow(this.#cluster.postgres.pid) };
  }
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

function progress(what: string): void {
  process.stderr.write(`bench: ${what}\n`);
}

function show(measured: readonly Measured[]): void {
  for (const { scenario, configuration, result, tps, cpuMicrosPerTx, residentMiB, generatorCpuSeconds } of measured) {
    const { p50, p90, p99, p999, max } = result.latency;
    const ms = (value: number): string => value.toFixed(1);
    const lines = [
      `${scenario}  ${JSON.stringify(configuration)}`,
      `  finalised     ${result.transactions} transfers in ${result.seconds.toFixed(1)} s: ${tps}/s`,
      `  finality ms   p50 ${ms(p50)}  p90 ${ms(p90)}  p99 ${ms(p99)}  p99.9 ${ms(p999)}  max ${ms(max)}`,
      `  CPU µs/tx     ${cpuMicrosPerTx.total} = nodes ${cpuMicrosPerTx.nodes} + PostgreSQL ${cpuMicrosPerTx.postgres}`,
      `  generator     ${generatorCpuSeconds} s of CPU, ${result.retries} retries, ${result.failed} failed`,
      `  memory MiB    ${residentMiB.join(' ')}`,
    ];
    process.stdout.write(`${lines.join('\n')}\n`);
  }
}

function machine(): Readonly<Record<string, string | number>> {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  return {
    commit,
    node: process.version,
    platform: `${platform()} ${arch()}`,
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryMiB: Math.round(totalmem() / 1024 / 1024),
  };
}

async function main(scenarios: readonly string[], options: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'althing-bench-'));
  progress(`starting four nodes in ${folder}`);
  const threads = options.threads === 'auto' ? 'auto' : Number(options.threads);
  const { profile } = options;
  const execArgv = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const cluster = await Cluster.create({ folder, threads, execArgv });
  const generator = new Generator();
  try {
    await cluster.start();
    const bench = new Bench(cluster, generator, options);
    await bench.prepare();
    const measured: Measured[] = [];
    for (const scenario of scenarios) {
      for (let run = 0; run < options.runs; run++) {
        measured.push(await (scenario === 'peak' ? bench.peak() : bench.light()));
        show(measured.slice(-1));
      }
    }
    const path = options.json ?? join('bench', 'results', `${Date.now()}.json`);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, `${JSON.stringify({ machine: machine(), measured }, null, 2)}\n`);
    progress(`wrote ${path}`);
    if (measured.some(({ result }) => result.failed > 0)) process.exitCode = 1;
  } finally {
    generator.close();
    await cluster.close(options.keep);
  }
}

const number = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new Error(`a number above 0, not ${text}`);
  return value;
};

await new Command('bench')
  .description('Measures four nodes on this machine: throughput, finality, CPU per transaction.')
  .argument('[scenarios...]', 'peak, light', ['peak', 'light'])
  .option('--seconds <n>', 'length of each run', number, 60)
  .option('--batch <n>', 'transfers per submission at peak', number, 1000)
  .option('--outstanding <n>', 'submissions under way at peak', number, 24)
  .option('--rate <n>', 'requests per second at light load', number, 100)
  .option('--runs <n>', 'how often each scenario is run', number, 1)
  .option('--clients <n>', 'client keys', number, 64)
  .option('--accounts <n>', 'ledger accounts', number, 10_000)
  .option('--threads <n>', 'actor threads of each node', 'auto')
  .option('--profile <folder>', 'leave a CPU profile of every thread of every node there')
  .option('--json <file>', 'where the result goes')
  .option('--keep', 'keep the cluster folder', false)
  .action(async (scenarios: string[], options: Options) => main(scenarios, options))
  .parseAsync();
