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

async function fetchFailedChecks({ url }: NodePlan): Promise<readonly string[]> {
  try {
    const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (answer.ok) return [];
    return failedChecks(await answer.text());
  } catch {
    return ['no answer'];
  }
}

/** @param text of `GET /readyz`: a line for each check, `[-]log DOWN …` for one that fails */
export function failedChecks(text: string): readonly string[] {
  const names = [...text.matchAll(/^\[-\](\S+) DOWN/gm)].map(([, name = '']) => name);
  return names.length === 0 ? ['unknown'] : names;
}

export interface NodeAnswers {
  /** Null while the node does not answer. */
  readonly status: NodeStatus | null;
  /** Names of the checks that keep it from being ready; empty when it is. */
  readonly failed: readonly string[];
}

export async function askNode(node: NodePlan): Promise<NodeAnswers> {
  const [status, failed] = await Promise.all([fetchStatus(node), fetchFailedChecks(node)]);
  return { status, failed };
}
