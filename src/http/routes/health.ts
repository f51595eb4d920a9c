/**
 * Health in the shapes that its readers expect: MicroProfile JSON for people and Consul, one line of
 * text for Kubernetes, and the role of the node for load balancers. 503 means no.
 */
import { Type } from '@sinclair/typebox';
import type { Edge } from '../../edge/edge.ts';
import { lagOf, type Check, type Health } from '../../edge/health.ts';
import { malformed, Problem } from '../../edge/problem.ts';
import { integerField } from '../../edge/fields.ts';
import { PROBLEMS, type Operation, type Parameter, type SchemaOrName } from '../operation.ts';
import { json, JSON_TYPE, onlyParameters, type Reply, type Request } from '../request.ts';
import type { Route } from '../router.ts';

const NO_STORE = [['cache-control', 'no-store']] as const;
const TEXT_TYPE = 'text/plain; charset=utf-8';

export function healthRoutes(edge: Edge): Route[] {
  const { health } = edge;
  const all = (): Reply => report(health.all());
  const live = (): Reply => report(health.live());
  const ready = (): Reply => report(health.ready());
  return [
    ...['/q/health', '/health', '/api/v11/health'].map((path) =>
      get(path, told('Every check of the node.', 'Health'), all),
    ),
    ...['/q/health/live', '/health/live'].map((path) =>
      get(path, told('Whether the process lives.', 'Health'), live),
    ),
    ...['/q/health/ready', '/health/ready'].map((path) =>
      get(path, told('Whether the node is ready for reads.', 'Health'), ready),
    ),
    get('/livez', told('Whether the process lives.', LINES, VERBOSE), (request) =>
      lines(request, health.live()),
    ),
    get('/startupz', told('Whether the node has been ready once.', LINES, VERBOSE), (request) =>
      lines(request, health.started()),
    ),
    get('/readyz', told('Whether the node is ready.', LINES, FOR, VERBOSE), (request) =>
      readyz(edge, request),
    ),
    get('/leader', told('Whether the node leads the term.', 'Role'), () => role(edge, 'LEADER')),
    get('/follower', told('Whether the node follows.', 'Role', LAG), (request) =>
      follower(edge, request),
    ),
  ];
}

const LINES = null;
const VERBOSE: Parameter = {
  name: 'verbose',
  in: 'query',
  description: 'every check, not only those that fail',
  schema: Type.String(),
};
const FOR: Parameter = {
  name: 'for',
  in: 'query',
  description: 'ready for what: below a quorum a node still reads',
  schema: Type.Union([Type.Literal('reads'), Type.Literal('writes')]),
};
const LAG: Parameter = {
  name: 'lag',
  in: 'query',
  description: 'most final heights that may wait for execution',
  schema: Type.Integer({ minimum: 0 }),
};

type Told = Pick<Operation, 'summary' | 'parameters' | 'answers'>;

/** @param schema of the answer; null for lines of text */
function told(
  summary: string,
  schema: SchemaOrName | null,
  ...parameters: readonly Parameter[]
): Told {
  const content = schema === null ? { [TEXT_TYPE]: Type.String() } : { [JSON_TYPE]: schema };
  return {
    summary,
    parameters,
    answers: { 200: { description: 'yes', content }, 503: { description: 'no', content } },
  };
}

/** A balancer that asks for what it misspells must not be told that it is there. */
function get(path: string, of: Told, handle: Route['handle']): Route {
  const names = (of.parameters ?? []).map(({ name }) => name);
  const id = path.slice(1).replaceAll('/', '.');
  return {
    method: 'GET',
    path,
    operation: { ...of, id, tag: 'health', problems: [PROBLEMS.parameters] },
    handle: (request) => onlyParameters(request, names) ?? handle(request),
  };
}

function statusOf(health: Health): number {
  return health.status === 'UP' ? 200 : 503;
}

function report(health: Health): Reply {
  return json(health, statusOf(health), { headers: NO_STORE });
}

function readyz(edge: Edge, request: Request): Reply | Problem {
  const purpose = request.query.get('for');
  if (purpose === undefined || purpose === 'reads') return lines(request, edge.health.ready());
  if (purpose === 'writes') return lines(request, edge.health.readyForWrites());
  return malformed('expected reads or writes', 'for');
}

/** `ok`, or what is not; with `?verbose`, every check. */
function lines(request: Request, health: Health): Reply {
  const shown = request.query.has('verbose')
    ? health.checks
    : health.checks.filter((check) => check.status === 'DOWN');
  const verdict = health.status === 'UP' ? 'ok' : 'not ok';
  const body = [...shown.map(line), verdict, ''].join('\n');
  return {
    status: statusOf(health),
    body,
    contentType: TEXT_TYPE,
    headers: NO_STORE,
  };
}

function line({ name, status, data }: Check): string {
  const mark = status === 'UP' ? '+' : '-';
  const values = Object.entries(data).map(([key, value]) => `${key}=${value}`);
  return `[${mark}]${name} ${status}${values.length === 0 ? '' : ` ${values.join(' ')}`}`;
}

function role(edge: Edge, wanted: 'LEADER' | 'FOLLOWER', lagMax = Infinity): Reply {
  const { state, currentLeader, term } = edge.status();
  const lag = lagOf(edge.port.live());
  const holds = state === wanted && lag <= lagMax && edge.health.ready().status === 'UP';
  return json({ state, currentLeader, term, lag }, holds ? 200 : 503, { headers: NO_STORE });
}

/** `?lag=`: most final heights that may wait for execution. */
function follower(edge: Edge, request: Request): Reply | Problem {
  const asked = request.query.get('lag');
  const lagMax = asked === undefined ? undefined : integerField(asked, 'lag');
  return lagMax instanceof Problem ? lagMax : role(edge, 'FOLLOWER', lagMax);
}
