/** What the node says of itself: limits, metrics, and the page that names the routes. */
import { WAIT_MS_DEFAULT, WAIT_MS_MAX } from '../../edge/outcome.ts';
import { moduleNames } from '../../edge/catalog.ts';
import type { Edge } from '../../edge/edge.ts';
import { DEPTH_MAX } from '../../edge/strict-json.ts';
import { answer } from '../negotiation.ts';
import { json, type Reply } from '../request.ts';
import type { Route } from '../router.ts';

export function nodeRoutes(edge: Edge, metricsPage: () => string, named: () => string[]): Route[] {
  const limits = limitsView(edge);
  return [
    {
      method: 'GET',
      path: '/api/v11/limits',
      handle: (request) => answer(request, limits),
    },
    { method: 'GET', path: '/metrics', handle: () => metrics(edge, metricsPage) },
    { method: 'GET', path: '/', handle: () => rootPage(edge, named()) },
  ];
}

/** Sizes in bytes, times in milliseconds. */
function limitsView({ cluster }: Edge): object {
  return {
    consensus: cluster.genesis.limits,
    http: {
      bodyBytesMax: bodyBytesMax(cluster.genesis.limits.submissionBytesMax),
      nestingMax: DEPTH_MAX,
      waitMsDefault: WAIT_MS_DEFAULT,
      waitMsMax: WAIT_MS_MAX,
    },
  };
}

/** JSON takes more room than the canonical bytes that it becomes. */
export function bodyBytesMax(submissionBytesMax: number): number {
  return 4 * submissionBytesMax;
}

async function metrics(edge: Edge, ownPage: () => string): Promise<Reply> {
  const nodePage = await edge.port.metrics();
  return {
    status: 200,
    body: `${nodePage.trimEnd()}\n${ownPage()}`,
    contentType: 'text/plain; version=0.0.4; charset=utf-8',
  };
}

function rootPage(edge: Edge, routes: string[]): Reply {
  const { nodeId, clusterName, clusterId, version, devMode } = edge.port.info;
  const page = { name: 'Althing', version, nodeId, clusterName, clusterId, devMode, routes };
  return json({ ...page, modules: moduleNames() });
}
