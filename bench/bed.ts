/**
 * What every scenario runs on: a cluster of real processes, a generator process, and the accounting of
 * the CPU between two points in time.
 */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { abortable } from '../src/abortable.ts';
import { cpuSecondsBelow, residentBytes } from './accounting.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { Generator } from './generator-process.ts';
import type { Options } from './options.ts';
import { progress } from './report.ts';
import type { Mix } from './workload.ts';

/** CPU seconds of the cluster so far. */
export interface Cpu {
  readonly nodes: number;
  readonly postgres: number;
}

/** For runs that measure: long enough that a slow answer counts as slow and not as failed. */
export const PATIENT_MS = 60_000;
/** For runs that break nodes: what a client is promised. */
export const PROMISED_MS = 10_000;

/** What a cluster needs that is to be disturbed. */
export type BedOptions = Pick<ClusterOptions, 'linked'>;

export class Bed {
  readonly cluster: Cluster;
  readonly generator: Generator;
  readonly options: Options;

  private constructor(cluster: Cluster, options: Options) {
    this.cluster = cluster;
    this.generator = new Generator();
    this.options = options;
  }

  /**
   * Starts four nodes in a folder of their own. Rejects with the signal's reason once that is aborted, and
   * then, as after any failure, nothing stays behind.
   */
  static async make(options: Options, signal: AbortSignal, more: BedOptions = {}): Promise<Bed> {
    const folder = mkdtempSync(join(tmpdir(), 'althing-bench-'));
    progress(`starting four nodes in ${folder}`);
    const { profile } = options;
    const execArgv = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
    const { threads } = options;
    const cluster = await Cluster.create({ folder, threads, execArgv, signal, ...more });
    const bed = new Bed(cluster, options);
    try {
      await abortable(cluster.start(), signal);
    } catch (error) {
      await bed.close();
      throw error;
    }
    return bed;
  }

  /** Makes clients and accounts that no run before has touched. */
  async prepare(patienceMs: number): Promise<void> {
    const { clients, accounts } = this.options;
    progress(`opening ${accounts} accounts of ${clients} clients`);
    await this.generator.ask({
      kind: 'prepare',
      clusterId: this.cluster.clusterId,
      urls: this.cluster.urls,
      issuerPem: readFileSync(join(this.cluster.folder, 'operator.pem'), 'utf8'),
      clients,
      accounts,
      patienceMs,
    });
  }

  async sign(submissions: number, txPerSubmission: number, mix: Mix = 'plain'): Promise<void> {
    progress(`signing ${submissions} submissions of ${txPerSubmission}`);
    await this.generator.ask({ kind: 'sign', submissions, txPerSubmission, mix });
  }

  cpu(): Cpu {
    const spent = (pids: readonly number[]): number =>
      pids.reduce((sum, pid) => sum + cpuSecondsBelow(pid), 0);
    const { cluster } = this;
    return { nodes: spent(cluster.pids()), postgres: spent(cluster.servers.map(({ pid }) => pid)) };
  }

  residentMiB(): number[] {
    return this.cluster.pids().map((pid) => toMiB(residentBytes(pid)));
  }

  async close(): Promise<void> {
    this.generator.close();
    await this.cluster.close(this.options.keep);
  }
}

export function toMiB(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
