/** What the nodes say of themselves: who leads, how far each is, and whether they agree. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Digest } from '../protocols/types.ts';
import { getJson, type Cluster } from './cluster.ts';

/** What the benches read of `GET /api/v11/consensus/status`. */
export interface Status {
  readonly nodeId: string;
  readonly currentLeader: string;
  readonly term: number;
  readonly commitIndex: number;
  readonly knownCommitIndex: number;
  readonly executedHeight: number;
  readonly certifiedHeight: number;
}

/** What the benches read of `GET /api/v11/blocks/{height}`. */
export interface BlockView {
  readonly height: number;
  readonly digest: Digest;
  readonly term: number;
  readonly executed: {
    readonly height: number;
    readonly stateRoot: Digest;
    readonly receiptsRoot: Digest;
  };
}

const POLL_MS = 5;
const CAUGHT_UP_MS = 60_000;
const ANSWER_MS = 5_000;

export function statusOf(cluster: Cluster, node: number): Promise<Status> {
  return getJson<Status>(`${cluster.urls[node]}/api/v11/consensus/status`);
}

export function blockAt(cluster: Cluster, node: number, height: number): Promise<BlockView> {
  return getJson<BlockView>(`${cluster.urls[node]}/api/v11/blocks/${height}`);
}

export function allNodes(cluster: Cluster): number[] {
  return Array.from({ length: cluster.size }, (_, node) => node);
}

/**
 * Asks again and again until the condition holds, and resolves with what showed it. A node that does
 * not answer is asked again as well. Throws when the time is over, with what was last seen.
 */
export async function until<T>(
  what: string,
  boundMs: number,
  look: () => Promise<T>,
  holds: (seen: T) => boolean,
): Promise<T> {
  const deadline = performance.now() + boundMs;
  for (;;) {
    const seen = await look().catch((error: unknown) => String(error));
    if (typeof seen !== 'string' && holds(seen)) return seen;
    if (performance.now() > deadline) {
      throw new Error(`not in ${boundMs} ms: ${what}; last seen ${JSON.stringify(seen)}`);
    }
    await pause(POLL_MS);
  }
}

/** The leader that every node named knows, with its term. */
export async function agreedLeader(
  cluster: Cluster,
): Promise<{ readonly node: number; readonly term: number }> {
  const nodes = allNodes(cluster);
  const [first] = await until(
    'all nodes know one leader',
    CAUGHT_UP_MS,
    () => Promise.all(nodes.map((node) => statusOf(cluster, node))),
    (statuses) => statuses.every(({ term }) => term === statuses[0]!.term),
  );
  const node = nodes.find((each) => cluster.id(each) === first!.currentLeader);
  if (node === undefined) throw new Error(`nobody is called ${first!.currentLeader}`);
  return { node, term: first!.term };
}

/** Resolves when the node has executed what the others have made final by now. */
export async function caughtUp(cluster: Cluster, node: number): Promise<void> {
  const others = allNodes(cluster).filter((other) => other !== node);
  const statuses = await Promise.all(others.map((other) => statusOf(cluster, other)));
  const height = Math.max(...statuses.map(({ commitIndex }) => commitIndex));
  await until(
    `${cluster.id(node)} has executed up to ${height}`,
    CAUGHT_UP_MS,
    () => statusOf(cluster, node),
    ({ executedHeight }) => executedHeight >= height,
  );
}

/** Resolves when every node has executed a block that is not final anywhere yet. */
export async function progressed(cluster: Cluster): Promise<void> {
  const nodes = allNodes(cluster);
  const statuses = await Promise.all(nodes.map((node) => statusOf(cluster, node)));
  const height = Math.max(...statuses.map(({ commitIndex }) => commitIndex)) + 1;
  await until(
    `every node has executed block ${height}`,
    CAUGHT_UP_MS,
    () => Promise.all(nodes.map((node) => statusOf(cluster, node))),
    (seen) => seen.every(({ executedHeight }) => executedHeight >= height),
  );
}

export interface Agreement {
  readonly height: number;
  readonly executed: BlockView['executed'];
  readonly violations: readonly string[];
}

/** One line for each node that does not become ready in time, with what it says of that. */
export async function unready(
  cluster: Pick<Cluster, 'urls'>,
  boundMs = CAUGHT_UP_MS,
): Promise<string[]> {
  const found = cluster.urls.map(async (url) => {
    const look = async () => {
      const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(ANSWER_MS) });
      return { status: answer.status, text: await answer.text() };
    };
    const holds = ({ status }: { readonly status: number }): boolean => status === 200;
    return until(`${url} is ready`, boundMs, look, holds).then(
      () => [],
      (error: Error) => [error.message],
    );
  });
  return (await Promise.all(found)).flat();
}

/**
 * Waits until every node has executed all that is final now and holds a block that certifies it, and
 * compares that block, and the state that it certifies, on all nodes. Every node must be ready, too:
 * one that has stopped taking writes may agree with the others for good.
 */
export async function agreement(cluster: Cluster, boundMs = CAUGHT_UP_MS): Promise<Agreement> {
  const nodes = allNodes(cluster);
  const before = await Promise.all(nodes.map((node) => statusOf(cluster, node)));
  const final = Math.max(...before.map(({ commitIndex }) => commitIndex));
  const after = await until(
    `every node knows block ${final} executed and certified`,
    boundMs,
    () => Promise.all(nodes.map((node) => statusOf(cluster, node))),
    (statuses) =>
      statuses.every((each) => each.executedHeight >= final && each.certifiedHeight >= final),
  );
  // The node that is least far said of this block that it certifies what was waited for.
  const height = Math.min(...after.map(({ commitIndex }) => commitIndex));
  const blocks = await until(
    `every node shows block ${height}`,
    boundMs,
    () => Promise.all(nodes.map((node) => blockAt(cluster, node, height))),
    () => true,
  );
  const [first] = blocks;
  const violations = [...differences(cluster, blocks), ...(await unready(cluster, boundMs))];
  return { height, executed: first!.executed, violations };
}

function differences(cluster: Cluster, blocks: readonly BlockView[]): string[] {
  const said = blocks.map(({ digest, executed }) => JSON.stringify({ digest, executed }));
  return said.flatMap((text, node) =>
    text === said[0]
      ? []
      : [`${cluster.id(node)} has ${text} where ${cluster.id(0)} has ${said[0]}`],
  );
}
