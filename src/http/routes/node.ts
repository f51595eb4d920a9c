/** What the node says of itself: limits, metrics, and the page that names the routes. */
import { Type } from '@sinclair/typebox';
import { WAIT_MS_DEFAULT, WAIT_MS_MAX } from '../../edge/outcome.ts';
import { moduleNames } from '../../edge/catalog.ts';
import type { Edge } from '../../edge/edge.ts';
import { DEPTH_MAX, VALUES_MAX } from '../../edge/strict-json.ts';
import { GRPC_LIMITS, messageBytesMax, STANDARD_LIMITS } from '../../grpc/limits.ts';
import { answer, eitherFormat } from '../negotiation.ts';
import { PROBLEMS, type Operation } from '../operation.ts';
import { json, JSON_TYPE, type Reply } from '../request.ts';
import type { Route } from '../router.ts';

/** A page costs a millisecond of the thread that everything runs on: it is made once in this time. */
const METRICS_MS = 1_000;

const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const LIMITS: Operation = {
  id: 'getLimits',
  tag: 'node',
  summary: 'What the cluster and this node accept at most.',
  answers: { 200: { description: 'the limits', content: eitherFormat('Limits') } },
  problems: [PROBLEMS.negotiated],
};
const METRICS: Operation = {
  id: 'getMetrics',
  tag: 'node',
  summary: 'Metrics of the node, for Prometheus.',
  answers: { 200: { description: 'the page', content: { [METRICS_TYPE]: Type.String() } } },
};
const ROOT: Operation = {
  id: 'getRoot',
  tag: 'node',
  summary: 'Which node this is, and the names of its routes and modules.',
  answers: { 200: { description: 'the page', content: { [JSON_TYPE]: 'Root' } } },
};

export function nodeRoutes(edge: Edge, metricsPage: () => string, named: () => string[]): Route[] {
  const limits = limitsView(edge);
  const page = shared(() => metrics(edge, metricsPage), METRICS_MS);
  return [
    {
      method: 'GET',
      path: '/api/v11/limits',
      operation: LIMITS,
      handle: (request) => answer(request, limits),
    },
    { method: 'GET', path: '/metrics', operation: METRICS, handle: page },
    { method: 'GET', path: '/', operation: ROOT, handle: () => rootPage(edge, named()) },
  ];
}

/** Sizes in bytes, times in milliseconds. */
function limitsView({ cluster, port }: Edge): object {
  return {
    consensus: cluster.genesis.limits,
    http: {
      bodyBytesMax: bodyBytesMax(cluster.genesis.limits.submissionBytesMax),
      nestingMax: DEPTH_MAX,
      valuesMax: VALUES_MAX,
      waitMsDefault: WAIT_MS_DEFAULT,
      waitMsMax: WAIT_MS_MAX,
    },
    stream: port.streams.limits,
    grpc: {
      messageBytesMax: messageBytesMax(cluster.genesis.limits.submissionBytesMax),
      ...GRPC_LIMITS,
      standard: STANDARD_LIMITS,
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
    contentType: METRICS_TYPE,
  };
}

/** What `make` last made, to all who ask for it within so many milliseconds of its making. */
function shared<T>(make: () => Promise<T>, ms: number): () => Promise<T> {
  let made: { readonly value: Promise<T>; readonly atMs: number } | null = null;
  return () => {
    const atMs = performance.now();
    if (made !== null && atMs - made.atMs < ms) return made.value;
    const value = make();
    made = { value, atMs };
    // A failure is nobody's but theirs who waited for it.
    value.catch(() => {
      made = null;
    });
    return value;
  };
}

function rootPage(edge: Edge, routes: string[]): Reply {
  const { nodeId, clusterName, clusterId, version, devMode } = edge.port.info;
  const node = { name: 'Althing', version, nodeId, clusterName, clusterId, devMode };
  const page = { ...node, documentation: '/docs', routes };
  return json({ ...page, modules: moduleNames(edge.catalog) });
}
