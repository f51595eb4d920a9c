/** Which cluster the nodes belong to, as they say themselves. */
import { faultyMax } from '../../protocols/quorum.ts';
import type { ConsensusLimits } from '../../protocols/genesis.ts';
import type { Digest } from '../../protocols/types.ts';
import { AlthingError } from './errors.ts';
import { askAll } from './hedging.ts';
import type { Nodes } from './nodes.ts';
import { within } from './waiting.ts';

export interface ClusterFacts {
  readonly clusterId: Digest;
  readonly validators: readonly string[];
  /** f: how many of them may be faulty. */
  readonly faultyMax: number;
  readonly limits: Pick<
    ConsensusLimits,
    'transactionsPerSubmissionMax' | 'submissionBytesMax' | 'transactionBytesMax'
  >;
}

const PATIENCE_MS = 30_000;
const FACTS_BYTES_MAX = 256 * 1024;

/** Throws AlthingError: `no_answer`, `other_cluster`, or `nodes_disagree`. */
export async function askCluster(nodes: Nodes, expected?: Digest): Promise<ClusterFacts> {
  // All at once: who is silent is not waited for when others are enough.
  const said = await within(PATIENCE_MS, undefined, (patience) =>
    askAll(
      nodes,
      patience,
      (node, signal) => factsOf(nodes, node, signal),
      (told) => agreedBy(told, nodes.count, expected) !== null,
    ),
  );
  const agreed = agreedBy(said, nodes.count, expected);
  if (agreed !== null) return agreed;
  if (said.size === 0)
    throw new AlthingError('no_answer', `none answers: ${nodes.urls.join(', ')}`);
  const code = expected === undefined ? 'nodes_disagree' : 'other_cluster';
  throw new AlthingError(code, saidText(nodes, said, expected));
}

function saidText(
  nodes: Nodes,
  said: ReadonlyMap<number, ClusterFacts>,
  expected: Digest | undefined,
): string {
  const of = [...said].map(([node, { clusterId }]) => [nodes.urls[node], clusterId] as const);
  const [first, ...others] = new Set(of.map(([, clusterId]) => clusterId));
  if (expected !== undefined && first !== expected && others.length === 0) {
    return `the nodes at ${of.map(([url]) => url).join(', ')} are of cluster ${first}`;
  }
  const each = nodes.urls.map((url, node) => {
    const facts = said.get(node);
    return facts === undefined ? `${url} is silent` : `${url} is of ${facts.clusterId}`;
  });
  return `these nodes do not belong together: ${each.join('; ')}`;
}

/**
 * What f + 1 nodes say alike, or all that there are: f of the cluster that they tell of, and not below that of
 * one of as many nodes as are known; and two at least, or one that lies would only have to be the first.
 */
export function agreedBy(
  said: ReadonlyMap<number, ClusterFacts>,
  count: number,
  expected: Digest | undefined,
): ClusterFacts | null {
  for (const facts of said.values()) {
    if (expected !== undefined && facts.clusterId !== expected) continue;
    const same = [...said.values()].filter(
      (each) => JSON.stringify(each) === JSON.stringify(facts),
    ).length;
    const enough = 1 + Math.max(1, faultyMax(count), facts.faultyMax);
    if (same >= Math.min(count, enough)) return facts;
  }
  return null;
}

async function factsOf(
  nodes: Nodes,
  node: number,
  signal: AbortSignal,
): Promise<ClusterFacts | undefined> {
  const [status, limits] = await Promise.all([
    json(nodes, node, '/api/v11/consensus/status', signal),
    json(nodes, node, '/api/v11/limits', signal),
  ]);
  const { clusterId, validators } = status;
  const consensus = (limits['consensus'] ?? {}) as Readonly<Record<string, unknown>>;
  const { transactionsPerSubmissionMax, submissionBytesMax, transactionBytesMax } = consensus;
  const isSound =
    typeof clusterId === 'string' &&
    /^[0-9a-f]{64}$/.test(clusterId) &&
    areNames(validators) &&
    isCount(transactionsPerSubmissionMax) &&
    isCount(submissionBytesMax) &&
    isCount(transactionBytesMax);
  if (!isSound) return undefined;
  return {
    clusterId: clusterId as Digest,
    validators,
    faultyMax: faultyMax(validators.length),
    limits: { transactionsPerSubmissionMax, submissionBytesMax, transactionBytesMax },
  };
}

function areNames(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string')
  );
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

async function json(
  nodes: Nodes,
  node: number,
  path: string,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const answer = await nodes.ask(node, { method: 'GET', path, bytesMax: FACTS_BYTES_MAX }, signal);
  if (answer?.status !== 200) return {};
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(answer.body));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
