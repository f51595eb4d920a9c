/** Every route of the HTTP edge, in one list. */
import type { Edge } from '../../edge/edge.ts';
import type { Route } from '../router.ts';
import { chainRoutes } from './chain.ts';
import { historyRoutes } from './history.ts';
import { healthRoutes } from './health.ts';
import { bodyBytesMax, nodeRoutes } from './node.ts';
import { kvRoutes } from './kv.ts';
import { proofRoutes } from './proofs.ts';
import { queryRoutes } from './queries.ts';
import { reservedRoutes } from './reserved.ts';
import { streamRoutes } from './stream.ts';
import { transactionRoutes } from './transactions.ts';

/** `metricsPage` renders the HTTP edge's own metrics. */
export function routes(edge: Edge, metricsPage: () => string): readonly Route[] {
  const bytesMax = bodyBytesMax(edge.cluster.genesis.limits.submissionBytesMax);
  const served: Route[] = [
    ...transactionRoutes(edge, bytesMax),
    ...chainRoutes(edge),
    ...historyRoutes(edge),
    ...healthRoutes(edge),
    ...kvRoutes(edge, bytesMax),
    ...proofRoutes(edge),
    ...streamRoutes(edge),
    ...nodeRoutes(edge, metricsPage, () => served.map(({ method, path }) => `${method} ${path}`)),
    // Last: its patterns match what the others name.
    ...queryRoutes(edge),
  ];
  return [...served, ...reservedRoutes()];
}
