/**
 * Reads of executed state by module queries: `/api/v11/{module}/{query}?…`, and for one thing by its
 * name `/api/v11/{module}/{things}/{name}`. The answer is the query's result; the executed height that
 * it reflects stands in `x-althing-height`.
 */
import { queryArgs, singularOf } from '../../edge/catalog.ts';
import type { Edge } from '../../edge/edge.ts';
import { Problem } from '../../edge/problem.ts';
import { answer } from '../negotiation.ts';
import { CONSISTENCY, readOptions } from '../reads.ts';
import type { Reply, Request } from '../request.ts';
import type { Route } from '../router.ts';

export function queryRoutes(edge: Edge): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/v11/:module/:query',
      handle: (request) => ask(edge, request),
    },
    {
      method: 'GET',
      path: '/api/v11/:module/:things/:name',
      handle: (request) => askByName(edge, request),
    },
  ];
}

async function ask(edge: Edge, request: Request): Promise<Reply | Problem> {
  const [module = '', query = ''] = request.params;
  const parameters = parametersOf(request);
  return parameters instanceof Problem ? parameters : run(edge, request, module, query, parameters);
}

async function askByName(edge: Edge, request: Request): Promise<Reply | Problem> {
  const [module = '', things = '', name = ''] = request.params;
  const parameters = parametersOf(request);
  if (parameters instanceof Problem) return parameters;
  const query = singularOf(edge.catalog, module, things);
  if (query === null) {
    return new Problem(404, 'unknown_query', `nothing is served at ${module}/${things}/…`);
  }
  return run(edge, request, module, query, { ...parameters, [query]: name });
}

async function run(
  edge: Edge,
  request: Request,
  module: string,
  query: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Reply | Problem> {
  const args = queryArgs(edge.catalog, module, query, parameters);
  if (args instanceof Problem) return args;
  const read = await edge.query(module, query, args.value);
  if (read instanceof Problem) return read;
  return answer(request, read.value, 200, { height: read.height });
}

/** Those of the module's own query. */
function parametersOf(request: Request): Readonly<Record<string, string>> | Problem {
  const refused = readOptions(request);
  if (refused !== null) return refused;
  const { [CONSISTENCY]: _, ...parameters } = Object.fromEntries(request.query);
  return parameters;
}
