/** Every route of the HTTP edge, in one list. */
import type { Edge } from '../../edge/edge.ts';
import type { Route } from '../router.ts';
import { chainRoutes } from './chain.ts';
import { healthRoutes } from './health.ts';
import { nodeRoutes } from './node.ts';

/** `metricsPage` renders the HTTP edge's own metrics. */
export function routes(edge: Edge, metricsPage: () => string): readonly Route[] {
  const all: Route[] = [
    ...chainRoutes(edge),
    ...healthRoutes(edge),
    ...nodeRoutes(edge, metricsPage, () => all.map(({ method, path }) => `${method} ${path}`)),
  ];
  return all;
}
