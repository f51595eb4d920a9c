/**
 * The leader is killed with SIGKILL under load, again and again: how long until the next block is
 * final at every survivor, whether a client that retries notices, and whether anything is lost.
 */
import { PROMISED_MS, type Bed } from '../bed.ts';
import type { Cluster } from '../cluster.ts';
import { agreedLeader, allNodes, blockAt, caughtUp, statusOf, until } from '../observer.ts';
import { LIGHT_RATE } from '../options.ts';
import { progress, round, type Report } from '../report.ts';
import { underLoad } from './under-load.ts';

const TIMES = 10;
const NEXT_BLOCK_MS_MAX = 2_000;
const ELECTION_BOUND_MS = 30_000;
/** Load between a node's return and the next kill. */
const CALM_MS = 500;

/** What one killed leader cost. */
export interface Failover {
  readonly killed: string;
  /** Milliseconds from the kill to the first block of a later term, final at one survivor … */
  readonly firstMs: number;
  /** … and at all of them. */
  readonly allMs: number;
  /** Milliseconds from the restart until the killed node has caught up. */
  readonly returnMs: number;
}

export async function failover(bed: Bed): Promise<Report> {
  const { times = TIMES, rate = LIGHT_RATE, clients, accounts, threads } = bed.options;
  await bed.prepare(PROMISED_MS);
  const kills: Failover[] = [];
  const loaded = await underLoad(bed, rate, async () => {
    for (let at = 1; at <= times; at++) {
      const one = await killLeader(bed.cluster);
      kills.push(one);
      progress(`${at} of ${times}: ${one.killed} killed, next block final in ${one.allMs} ms`);
    }
  });
  const all = kills.map(({ allMs }) => allMs);
  const max = Math.max(...all);
  return {
    scenario: 'failover',
    configuration: { times, rate, patienceMs: PROMISED_MS, clients, accounts, threads },
    measured: { maxMs: max, kills, ...loaded.measured },
    violations: [...tooSlow(kills), ...loaded.violations],
    text: [
      `next block    max ${max} ms; each: ${all.join(' ')}`,
      `caught up ms  ${kills.map(({ returnMs }) => returnMs).join(' ')}`,
      ...loaded.text,
    ],
  };
}

function tooSlow(kills: readonly Failover[]): string[] {
  return kills
    .filter(({ allMs }) => allMs > NEXT_BLOCK_MS_MAX)
    .map(({ killed, allMs }) => `${killed} killed: ${allMs} ms, more than ${NEXT_BLOCK_MS_MAX}`);
}

async function killLeader(cluster: Cluster): Promise<Failover> {
  const { node, term } = await agreedLeader(cluster);
  const survivors = allNodes(cluster).filter((each) => each !== node);
  const ended = cluster.end(node, 'SIGKILL');
  const killedAt = performance.now();
  const sinceKill = await Promise.all(
    survivors.map(async (survivor) => {
      await finalAfter(cluster, survivor, term);
      return round(performance.now() - killedAt, 1);
    }),
  );
  await ended;
  const startedAt = performance.now();
  await cluster.start([node]);
  await caughtUp(cluster, node);
  const returnMs = Math.round(performance.now() - startedAt);
  await new Promise((resolve) => setTimeout(resolve, CALM_MS));
  const [firstMs, allMs] = [Math.min(...sinceKill), Math.max(...sinceKill)];
  return { killed: cluster.id(node), firstMs, allMs, returnMs };
}

/**
 * Resolves when the node has executed a final block of a term after `term`: one that the killed leader
 * had under way does not count.
 */
async function finalAfter(cluster: Cluster, node: number, term: number): Promise<void> {
  let seen = 0;
  await until(
    `${cluster.id(node)} has a final block of a term after ${term}`,
    ELECTION_BOUND_MS,
    async () => {
      const { executedHeight } = await statusOf(cluster, node);
      if (executedHeight <= seen) return false;
      seen = executedHeight;
      return (await blockAt(cluster, node, executedHeight)).term > term;
    },
    (isAfter) => isAfter,
  );
}
