/**
 * Clients of shared keys and accounts against real nodes, each with a database of its own, under faults
 * that a seed draws: what they were told is linearizable, key by key, and no money is made or lost, and
 * in the end all nodes agree.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { abortable } from '../../src/abortable.ts';
import { residentBytes } from '../accounting.ts';
import { toMiB } from '../bed.ts';
import { Cluster } from '../cluster.ts';
import { Disks } from '../faults/disks.ts';
import { Injector } from '../faults/injector.ts';
import { Keeper } from '../faults/keeper.ts';
import { roundOf, type Fault, type FaultKind } from '../faults/plan.ts';
import { keep } from '../histories/keeping.ts';
import { Session } from '../histories/session.ts';
import { unready } from '../observer.ts';
import type { Options } from '../options.ts';
import { Random } from '../random.ts';
import { progress, type Report } from '../report.ts';

const SECONDS = 1_200;
const SEEDS = 1_000_000;
/** Before a round of faults, and after the last one. */
const CALM_MS = 3_000;
/** Until every node is ready with no faults any more, however busy the machine is. */
const READY_MS = 300_000;
const CLOCK = fileURLToPath(new URL('../faults/clock.js', import.meta.url));

export async function histories(options: Options, signal: AbortSignal): Promise<Report> {
  const { seed = 1 + Math.floor(Math.random() * SEEDS), seconds = SECONDS } = options;
  const missing = options.faults.includes('disk') ? Disks.missing() : null;
  if (missing !== null) progress(`no disks are filled up: ${missing}`);
  const kinds = options.faults.filter((kind) => kind !== 'disk' || missing === null);
  const run = new Run({ ...options, seconds, faults: kinds }, seed);
  try {
    return await abortable(run.report(signal), signal);
  } finally {
    await run.close();
  }
}

class Run {
  readonly #options: Options & { readonly seconds: number };
  readonly #seed: number;
  readonly #random: Random;
  /** What the nodes use besides the cluster's folder: their disks and their clocks. */
  readonly #places = mkdtempSync(join(tmpdir(), 'althing-places-'));
  readonly #disks: Disks | null;
  readonly #keeper = new Keeper();
  readonly #faults: (readonly [number, string])[] = [];
  #cluster: Cluster | null = null;
  #injector: Injector | null = null;

  constructor(options: Options & { readonly seconds: number }, seed: number) {
    this.#options = options;
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#disks = options.faults.includes('disk') ? new Disks(this.#places) : null;
  }

  async report(signal: AbortSignal): Promise<Report> {
    const { seconds, faults } = this.#options;
    const cluster = await this.#start(signal);
    const session = new Session(cluster, this.#random.fork(), (node) => this.#keeper.lifeOf(node));
    await session.start();
    progress(`seed ${this.#seed}: ${faults.join(', ')} for ${seconds} s`);
    const before = memoryOf(cluster);
    const plan = await this.#disturb(session);
    await session.stop();
    progress('looking at what clients were told');
    const violations = [...this.#keeper.violations, ...(await session.violations())];
    const report = this.#reportOf(session, plan, violations, [before, memoryOf(cluster)]);
    if (violations.length > 0) this.#keep(session, plan, report, cluster);
    return report;
  }

  async #start(signal: AbortSignal): Promise<Cluster> {
    const folder = mkdtempSync(join(tmpdir(), 'althing-bench-'));
    progress(`starting four nodes in ${folder}`);
    this.#cluster = await Cluster.create({
      folder,
      threads: this.#options.threads,
      signal,
      linked: true,
      placeOf: (id) => this.#disks?.placeOf(id) ?? join(this.#places, id),
      execArgv: ['--import', CLOCK],
      env: (id) => ({ BENCH_CLOCK: this.#clockOf(id) }),
      onEnded: this.#keeper.onEnded,
    });
    await this.#keeper.start(this.#cluster);
    return this.#cluster;
  }

  #clockOf(id: string): string {
    return join(this.#places, `clock-${id}`);
  }

  /** Round after round until the time is over. Resolves with all that was done. */
  async #disturb(session: Session): Promise<Fault[]> {
    const random = this.#random.fork();
    const cluster = this.#cluster!;
    const startedAt = performance.now();
    const elapsedMs = (): number => Math.round(performance.now() - startedAt);
    const say = (what: string): void => {
      progress(`${(elapsedMs() / 1000).toFixed(1)} s: ${what}`);
      this.#faults.push([elapsedMs(), what]);
    };
    const injector = new Injector({
      cluster,
      keeper: this.#keeper,
      disks: this.#disks,
      clockOf: (node) => this.#clockOf(cluster.id(node)),
      say,
    });
    this.#injector = injector;
    const plan: Fault[] = [];
    const rounds = async (): Promise<void> => {
      while (elapsedMs() < this.#options.seconds * 1000) {
        await pause(CALM_MS);
        const round = roundOf(random.fork(), this.#options.faults, cluster.size);
        plan.push(...round);
        await injector.run(round);
        this.#keeper.violations.push(...(await unready(cluster, READY_MS)));
        say(`all is mended; ${session.tally.line}`);
      }
      await pause(CALM_MS);
    };
    const over = rounds();
    await Promise.race([over, session.failed().then(() => over)]);
    return plan;
  }

  #reportOf(
    session: Session,
    plan: readonly Fault[],
    violations: readonly string[],
    [before, after]: readonly (readonly number[])[],
  ): Report {
    const { seconds, faults, threads } = this.#options;
    const injected = countOf(plan);
    const summary = session.tally.summary();
    const exits = Object.fromEntries(this.#keeper.exits);
    const operations = session.keys.operations.length + session.money.transfers.length;
    return {
      scenario: 'histories',
      configuration: { seed: this.#seed, seconds, faults, threads },
      measured: {
        ...summary,
        operations,
        glances: session.glances,
        injected,
        exits,
        before,
        after,
      },
      violations,
      text: [
        `operations    ${summary.ok} ok, ${summary.unknown} unknown, ${summary.refused} refused; ${session.glances} glances`,
        `faults        ${plan.length}: ${JSON.stringify(injected)}`,
        `nodes ended   by themselves ${JSON.stringify(exits)}`,
        `unavailable   ${summary.unavailableSeconds} s without an answered write; longest wait ${summary.longestWaitMs} ms`,
        `not answered  ${JSON.stringify(summary.reasons)}`,
        `memory MiB    ${before?.join(' ')} at first, ${after?.join(' ')} in the end`,
        `verdict       ${violations.length === 0 ? 'linearizable, nothing lost, all nodes agree' : 'VIOLATED'}`,
      ],
    };
  }

  #keep(session: Session, plan: readonly Fault[], report: Report, cluster: Cluster): void {
    const results = dirname(this.#options.json ?? join('bench', 'results', 'x'));
    const folder = join(results, `histories-seed-${this.#seed}-${Date.now()}`);
    const { configuration, violations } = report;
    const { operations } = session.keys;
    const { transfers } = session.money;
    const kept = { configuration, violations, plan, faults: this.#faults, operations, transfers };
    keep(folder, kept, cluster);
    progress(`the history, its faults and the nodes' logs are in ${folder}`);
  }

  /** Leaves nothing running, mounted or written but what was to be kept. */
  async close(): Promise<void> {
    this.#injector?.stop();
    this.#keeper.stop();
    await this.#cluster?.close(this.#options.keep);
    this.#disks?.close();
    rmSync(this.#places, { recursive: true, force: true });
  }
}

function memoryOf(cluster: Cluster): number[] {
  return cluster.pids().map((pid) => toMiB(residentBytes(pid)));
}

function countOf(plan: readonly Fault[]): Partial<Record<FaultKind, number>> {
  const counts: Partial<Record<FaultKind, number>> = {};
  for (const { kind } of plan) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
