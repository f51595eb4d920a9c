/** Every route of the HTTP edge, in one list. */
import type { Edge } from '../../edge/edge.ts';
import { openApiDocument } from '../openapi.ts';
import type { Route } from '../router.ts';
import { chainRoutes } from './chain.ts';
import { docsRoutes } from './docs.ts';
import { historyRoutes } from './history.ts';
import { healthRoutes } from './health.ts';
import { kvRoutes } from './kv.ts';
import { moduleRoutes, unknownModuleRoutes } from './modules.ts';
import { bodyBytesMax, nodeRoutes } from './node.ts';
import { proofRoutes } from './proofs.ts';
import { streamRoutes } from './stream.ts';
import { transactionRoutes } from './transactions.ts';

/** `metricsPage` renders the HTTP edge's own metrics. */
export function routes(edge: Edge, metricsPage: () => string): readonly Route[] {
  const bytesMax = bodyBytesMax(edge.cluster.genesis.limits.submissionBytesMax);
  const { version } = edge.port.info;
  const document = (): object => openApiDocument(served, edge.catalog, version);
  const served: Route[] = [
    ...transactionRoutes(edge, bytesMax),
    ...moduleRoutes(edge, bytesMax),
    ...kvRoutes(edge, bytesMax),
    ...chainRoutes(edge),
    ...historyRoutes(edge),
    ...healthRoutes(edge),
    ...proofRoutes(edge),
    ...streamRoutes(edge),
    ...nodeRoutes(edge, metricsPage, () => served.map(({ method, path }) => `${method} ${path}`)),
    ...docsRoutes(document),
  ];
  // Last: its patterns match what the others name.
  return [...served, ...unknownModuleRoutes(edge)];
}
