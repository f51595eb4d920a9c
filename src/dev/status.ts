/** Asks every node for its own view of the cluster. */
import type { NodePlan } from './plan.ts';

/** What the screen shows of `GET /api/v11/consensus/status`. */
export interface NodeStatus {
  readonly state: string;
  readonly currentLeader: string;
  readonly term: number;
  readonly commitIndex: number;
  readonly executedHeight: number;
  readonly tps: number;
  readonly finality: { readonly p50Ms: number | null; readonly p99Ms: number | null };
  readonly memoryBytes: number;
}

const TIMEOUT_MS = 2_000;

/** Null when the node does not answer in time. */
export async function fetchStatus(node: NodePlan): Promise<NodeStatus | null> {
  try {
    const answer = await fetch(`${node.url}/api/v11/consensus/status`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return answer.ok ? ((await answer.json()) as NodeStatus) : null;
  } catch {
    return null;
  }
}

export function fetchStatuses(nodes: readonly NodePlan[]): Promise<readonly (NodeStatus | null)[]> {
  return Promise.all(nodes.map(fetchStatus));
}
