/**
 * kill -9 of a random node at a random moment under load, also while it recovers from the kill before,
 * or with `--all` of all nodes at once, under many times that load. A node checks every row of its log
 * when it starts, so that a log that a kill has damaged shows as a start that fails (exit code 3).
 */
import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bed } from '../bed.ts';
import type { Cluster } from '../cluster.ts';
import { allNodes, progressed } from '../observer.ts';
import type { Options } from '../options.ts';
import { progress, type Report } from '../report.ts';
import { underLoad } from './under-load.ts';

const TIMES = 200;
/** With all nodes down nobody answers: the client waits for their return. */
const PATIENCE_MS = 60_000;
/** Kills of a running node come within this time after all were well; … */
const CALM_MS_MAX = 400;
/** … when all are killed, after up to so many more answers: however slow the machine, there are some. */
const ANSWERS_MAX = 400;
/** A node that starts executes every block of its log again: so many kills, then a new cluster. */
const KILLS_OF_A_CLUSTER = 50;
/**
 * Requests per second, each of one transfer, or of `--batch` where all are killed: that many transfers are
 * near to all that two cores bear. What comes in while all are down must be answered before the next kill.
 */
const RATE = 40;
const RATE_OF_ALL = 20;
const LOOK_MS = 20;
/** One in so many kills hits a node that has not recovered from the one before, … */
const IN_RECOVERY_ONE_IN = 3;
/** … within this time after its start. */
const RECOVERY_MS_MAX = 1_500;
const PROGRESS_EVERY = 10;

interface Counts {
  /** Kills, and how many of them hit a node that had not recovered from the kill before. */
  kills: number;
  inRecovery: number;
  /** Milliseconds from each start that was not interrupted to readiness. */
  readonly readyMs: number[];
}

/** How many kills each cluster sees. */
export function roundsOfKills({ times = TIMES }: Options): number[] {
  const full = Array.from(
    { length: Math.floor(times / KILLS_OF_A_CLUSTER) },
    () => KILLS_OF_A_CLUSTER,
  );
  return times % KILLS_OF_A_CLUSTER === 0 ? full : [...full, times % KILLS_OF_A_CLUSTER];
}

export async function kills(bed: Bed, times: number): Promise<Report> {
  const { all, rate = all ? RATE_OF_ALL : RATE, clients, accounts, threads } = bed.options;
  const batch = all ? bed.options.batch : 1;
  await bed.prepare(PATIENCE_MS);
  const counts: Counts = { kills: 0, inRecovery: 0, readyMs: [] };
  const startedAt = performance.now();
  const disturb = async (): Promise<void> => {
    while (counts.kills < times) {
      const nodes = all ? allNodes(bed.cluster) : [randomInt(bed.cluster.size)];
      await killAndReturn(bed, nodes, times, counts);
    }
  };
  const loaded = await underLoad(bed, rate, disturb, batch);
  const seconds = Math.round((performance.now() - startedAt) / 1000);
  return {
    scenario: 'kills',
    configuration: { times, all, rate, batch, patienceMs: PATIENCE_MS, clients, accounts, threads },
    measured: { ...counts, seconds, ...loaded.measured },
    violations: loaded.violations,
    text: [
      `kills         ${counts.kills} in ${seconds} s, ${counts.inRecovery} of them in recovery`,
      `ready ms      max ${Math.max(...counts.readyMs)}; each: ${counts.readyMs.join(' ')}`,
      ...loaded.text,
    ],
  };
}

/** Kills the nodes at a random moment, perhaps again while they start, and waits until all go on. */
async function killAndReturn(
  bed: Bed,
  nodes: readonly number[],
  times: number,
  counts: Counts,
): Promise<void> {
  const { cluster } = bed;
  if (nodes.length === 1) await pause(randomInt(CALM_MS_MAX));
  else await moreAnswers(bed, randomInt(1, ANSWERS_MAX));
  await killAll(cluster, nodes, counts);
  while (counts.kills < times && randomInt(IN_RECOVERY_ONE_IN) === 0) {
    for (const node of nodes) cluster.spawn(node);
    await pause(randomInt(RECOVERY_MS_MAX));
    await killAll(cluster, nodes, counts);
    counts.inRecovery++;
  }
  const startedAt = performance.now();
  await cluster.start(nodes);
  counts.readyMs.push(Math.round(performance.now() - startedAt));
  await progressed(cluster);
}

/** Resolves when clients have got so many more answers. */
async function moreAnswers(bed: Bed, count: number): Promise<void> {
  const answered = async (): Promise<number> =>
    (await bed.generator.measure({ kind: 'progress' })).result.answered;
  const enough = (await answered()) + count;
  while ((await answered()) < enough) await pause(LOOK_MS);
}

async function killAll(cluster: Cluster, nodes: readonly number[], counts: Counts): Promise<void> {
  await Promise.all(nodes.map((node) => cluster.end(node, 'SIGKILL')));
  counts.kills++;
  if (counts.kills % PROGRESS_EVERY === 0) progress(`${counts.kills} kills`);
}
