/** What is done to four nodes under load, each with what is measured of it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from '../cluster.ts';
import { FAIR, type Weather } from '../faults/link-proxy.ts';
import { CUT, HOLE } from '../faults/links.ts';
import { agreedLeader, allNodes, caughtUp, progressed } from '../observer.ts';
import type { Watch } from './watch.ts';

export interface Stage {
  readonly cluster: Cluster;
  readonly watch: Watch;
}

/** Milliseconds, by what they are of. */
export type Figures = Readonly<Record<string, number>>;

export interface Failover {
  readonly says: string;
  /** Once; afterwards all nodes run and have caught up. */
  readonly trial: (stage: Stage) => Promise<Figures>;
  /** Of the 99th percentile of a figure, in milliseconds. */
  readonly bars?: Figures;
  /** Without a quorum nobody is answered: clients wait for it longer than they are promised otherwise. */
  readonly isQuorumLost?: true;
  /** Near to all that the machine bears, and not the light load of the others. */
  readonly isLoadFull?: true;
}

const NEXT = 'next block';
const BACK = 'caught up';
const READY = 'all ready';
const GAP = 'longest gap';
const ONE_SECOND = { [NEXT]: 1_000 };
/** How long a cluster is watched without a quorum, and how long links flap or a node is away. */
const STILL_MS = 2_000;
const FLAPPING_MS = 3_000;
const FLAP_MS = 300;
const AWAY_MS = 10_000;
const LEADERS_IN_A_ROW = 3;

const others = (cluster: Cluster, ...but: readonly number[]): number[] =>
  allNodes(cluster).filter((node) => !but.includes(node));

/** The leader stops leading; how long until the others have another's block, and until it has it, too. */
function leaderLost(
  says: string,
  lose: (stage: Stage, leader: number) => unknown,
  regain: (stage: Stage, leader: number) => unknown,
): Failover {
  return {
    says,
    bars: ONE_SECOND,
    trial: async (stage) => {
      const { cluster, watch } = stage;
      const { node, term } = await agreedLeader(cluster);
      const since = performance.now();
      const lost = Promise.resolve(lose(stage, node));
      const next = await watch.afterTerm(others(cluster, node), term, since);
      await lost;
      const again = performance.now();
      await regain(stage, node);
      await caughtUp(cluster, node);
      return { [NEXT]: next, [BACK]: performance.now() - again };
    },
  };
}

const start = ({ cluster }: Stage, node: number): Promise<void> => cluster.start([node]);
const heal = ({ cluster }: Stage): void => cluster.links.heal();

/** The leader's links are not what they should be, both ways or one. */
function leaderParted(says: string, weather: Weather, ways: 'both' | 'said' | 'heard'): Failover {
  const part = ({ cluster }: Stage, leader: number): void =>
    cluster.links.isolate([leader], weather, ways);
  return leaderLost(says, part, heal);
}

/** A node that does not lead. */
async function follower(cluster: Cluster): Promise<number> {
  const { node } = await agreedLeader(cluster);
  return (node + 1) % cluster.size;
}

/** Something is done to a node that does not lead: the others are to go on. */
function followerLost(
  says: string,
  lose: (stage: Stage, node: number) => unknown,
  regain: (stage: Stage, node: number) => unknown,
): Failover {
  return {
    says,
    bars: ONE_SECOND,
    trial: async (stage) => {
      const { cluster, watch } = stage;
      const node = await follower(cluster);
      const rest = others(cluster, node);
      const height = await watch.height(rest);
      const since = performance.now();
      await lose(stage, node);
      const next = await watch.after(rest, height + 1, since);
      const again = performance.now();
      await regain(stage, node);
      await caughtUp(cluster, node);
      return { [NEXT]: next, [BACK]: performance.now() - again };
    },
  };
}

/** Two of four are lost, nothing becomes final, and when they are back it does. */
function quorumLost(
  says: string,
  lose: (stage: Stage, nodes: readonly number[]) => unknown,
  regain: (stage: Stage, nodes: readonly number[]) => unknown,
): Failover {
  return {
    says,
    isQuorumLost: true,
    trial: async (stage) => {
      const { cluster, watch } = stage;
      const { node: leader } = await agreedLeader(cluster);
      const lost = [leader, (leader + 2) % cluster.size];
      const rest = others(cluster, ...lost);
      await lose(stage, lost);
      const height = await watch.still(rest, STILL_MS);
      const since = performance.now();
      await regain(stage, lost);
      const back = performance.now();
      const next = await watch.after(allNodes(cluster), height, back);
      return { 'nodes back': back - since, [NEXT]: next };
    },
  };
}

const killBoth = ({ cluster }: Stage, nodes: readonly number[]) =>
  Promise.all(nodes.map((node) => cluster.end(node, 'SIGKILL')));

async function cascade({ cluster, watch }: Stage): Promise<Figures> {
  let longest = 0;
  for (let at = 0; at < LEADERS_IN_A_ROW; at++) {
    const { node, term } = await agreedLeader(cluster);
    const since = performance.now();
    const ended = cluster.end(node, 'SIGKILL');
    longest = Math.max(longest, await watch.afterTerm(others(cluster, node), term, since));
    await ended;
    // Ready, and no more: the next leader is killed while this one still catches up.
    await cluster.start([node]);
  }
  await progressed(cluster);
  return { [NEXT]: longest };
}

async function allKilled({ cluster, watch }: Stage): Promise<Figures> {
  const height = await watch.height(allNodes(cluster));
  await Promise.all(allNodes(cluster).map((node) => cluster.end(node, 'SIGKILL')));
  const since = performance.now();
  await cluster.start();
  const ready = performance.now() - since;
  return { [READY]: ready, [NEXT]: await watch.after(allNodes(cluster), height, since) };
}

async function coldStart({ cluster, watch }: Stage): Promise<Figures> {
  const height = await watch.height(allNodes(cluster));
  await Promise.all(allNodes(cluster).map((node) => cluster.end(node)));
  await cluster.start();
  const ready = performance.now();
  const next = await watch.after(allNodes(cluster), height, ready);
  await agreedLeader(cluster);
  return { [NEXT]: next };
}

async function rollingRestart({ cluster, watch }: Stage): Promise<Figures> {
  const since = performance.now();
  const gap = await watch.longestGap(allNodes(cluster), async () => {
    for (const node of allNodes(cluster)) {
      const code = await cluster.end(node);
      if (code !== 0) watch.violations.push(`${cluster.id(node)} drained with exit code ${code}`);
      await cluster.start([node]);
      await caughtUp(cluster, node);
    }
  });
  return { [GAP]: gap, 'all restarted': performance.now() - since };
}

async function flapping({ cluster, watch }: Stage): Promise<Figures> {
  const { node } = await agreedLeader(cluster);
  const gap = await watch.longestGap(others(cluster, node), async () => {
    for (let flaps = 0; flaps * FLAP_MS < FLAPPING_MS; flaps++) {
      cluster.links.isolate([node], flaps % 2 === 0 ? CUT : FAIR);
      await pause(FLAP_MS);
    }
  });
  const since = performance.now();
  cluster.links.heal();
  await caughtUp(cluster, node);
  return { [GAP]: gap, [BACK]: performance.now() - since };
}

/** Nobody hears the next one: every node hears a quorum, and no two the same one. */
async function oneWayRing({ cluster, watch }: Stage): Promise<Figures> {
  const nodes = allNodes(cluster);
  const height = await watch.height(nodes);
  const since = performance.now();
  for (const node of nodes) cluster.links.set((node + 1) % cluster.size, node, HOLE);
  const next = await watch.after(nodes, height + 1, since);
  const again = performance.now();
  cluster.links.heal();
  await progressed(cluster);
  return { [NEXT]: next, [BACK]: performance.now() - again };
}

async function awayLong({ cluster }: Stage): Promise<Figures> {
  const node = await follower(cluster);
  await cluster.end(node, 'SIGKILL');
  await pause(AWAY_MS);
  const since = performance.now();
  await cluster.start([node]);
  await caughtUp(cluster, node);
  return { [BACK]: performance.now() - since };
}

export const FAILOVERS: Readonly<Record<string, Failover>> = {
  'leader-killed': leaderLost(
    'the leader is killed (SIGKILL) and started again',
    ({ cluster }, leader) => cluster.end(leader, 'SIGKILL'),
    start,
  ),
  'leader-paused': leaderLost(
    'the leader stands still (SIGSTOP) and goes on',
    ({ cluster }, leader) => cluster.pause(leader),
    ({ cluster }, leader) => cluster.resume(leader),
  ),
  'leader-drained': leaderLost(
    'the leader is stopped (SIGTERM) and started again',
    ({ cluster }, leader) => cluster.end(leader),
    start,
  ),
  'leader-parted': leaderParted('nothing passes to or from the leader', HOLE, 'both'),
  'leader-unheard': leaderParted('the leader hears all and is not heard', HOLE, 'said'),
  'leader-deaf': leaderParted('the leader is heard and hears nobody', HOLE, 'heard'),
  'leader-cut': leaderParted('connections of the leader are reset and refused', CUT, 'both'),
  'leader-flapping': { says: 'connections of the leader come and go', trial: flapping },
  cascade: {
    says: 'three leaders are killed in a row, each as soon as the one before is back',
    bars: ONE_SECOND,
    trial: cascade,
  },
  'follower-killed': followerLost(
    'one that follows is killed and started again',
    ({ cluster }, node) => cluster.end(node, 'SIGKILL'),
    start,
  ),
  'follower-paused': followerLost(
    'one that follows stands still and goes on',
    ({ cluster }, node) => cluster.pause(node),
    ({ cluster }, node) => cluster.resume(node),
  ),
  'follower-parted': followerLost(
    'nothing passes to or from one that follows',
    ({ cluster }, node) => cluster.links.isolate([node], HOLE),
    heal,
  ),
  'follower-away': { says: 'one that follows is away for ten seconds', trial: awayLong },
  'one-way-ring': {
    says: 'each node does not hear one other, and no two the same',
    bars: ONE_SECOND,
    trial: oneWayRing,
  },
  'two-killed': quorumLost(
    'the leader and another are killed and started again',
    killBoth,
    ({ cluster }, nodes) => cluster.start(nodes),
  ),
  halves: quorumLost(
    'nothing passes between two and the other two',
    ({ cluster }, nodes) => cluster.links.isolate(nodes, HOLE),
    heal,
  ),
  'all-killed': {
    says: 'all four are killed under full load and started again',
    bars: { [READY]: 10_000 },
    isQuorumLost: true,
    isLoadFull: true,
    trial: allKilled,
  },
  'cold-start': {
    says: 'all four are stopped and started again: from all ready to a block',
    bars: { [NEXT]: 500 },
    isQuorumLost: true,
    trial: coldStart,
  },
  'rolling-restart': {
    says: 'one after the other is stopped and started again',
    trial: rollingRestart,
  },
};
