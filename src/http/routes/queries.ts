/**
 * Reads of executed state by module queries: `/api/v11/{module}/{query}?…`, and for one thing by its
 * name `/api/v11/{module}/{things}/{name}`. The answer is the query's result; the executed height that
 * it reflects stands in `x-althing-height`.
 */
import { queryArgs, singularOf } from '../../edge/catalog.ts';
import type { Edge } from '../../edge/edge.ts';
import { Problem } from '../../edge/problem.ts';
import { answer } from '../negotiation.ts';
import { READ_OPTIONS, readOptions } from '../reads.ts';
import { answerProved } from './proofs.ts';
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
  return run(edge, request, module, query, parametersOf(request));
}

async function askByName(edge: Edge, request: Request): Promise<Reply | Problem> {
  const [module = '', things = '', name = ''] = request.params;
  const query = singularOf(edge.catalog, module, things);
  if (query === null) {
    return new Problem(404, 'unknown_query', `nothing is served at ${module}/${things}/…`);
  }
  return run(edge, request, module, query, { ...parametersOf(request), [query]: name });
}

async function run(
  edge: Edge,
  request: Request,
  module: string,
  query: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Reply | Problem> {
  const options = readOptions(request);
  if (options instanceof Problem) return options;
  const args = queryArgs(edge.catalog, module, query, parameters);
  if (args instanceof Problem) return args;
  if (options.proof) {
    return answerProved(edge, request, { kind: 'query', module, query, args: args.value });
  }
  const read = await edge.query(module, query, args.value, options);
  if (read instanceof Problem) return read;
  return answer(request, read.value, 200, { height: read.height });
}

/** Those of the module's own query. */
function parametersOf({ query }: Request): Readonly<Record<string, string>> {
  return Object.fromEntries([...query].filter(([name]) => !READ_OPTIONS.includes(name)));
}
