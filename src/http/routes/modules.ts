/**
 * The routes that follow from the declarations of the modules: `POST /api/v11/{module}/{command}` sends
 * one command, `GET /api/v11/{module}/{query}?…` reads executed state, and so does, for one thing by its
 * name, `GET /api/v11/{module}/{things}/{name}`. The executed height that an answer reflects stands in
 * `x-althing-height`.
 */
import { OptionalKind, type TSchema } from '@sinclair/typebox';
import { commandArgs, queryArgs } from '../../edge/catalog.ts';
import type { Edge } from '../../edge/edge.ts';
import { Problem, unprocessable } from '../../edge/problem.ts';
import { statusOfRefusal } from '../../edge/refusal-problems.ts';
import type { DefinedModule } from '../../modules/define.ts';
import { answer, eitherFormat } from '../negotiation.ts';
import { readBody, submitOne, tellOne } from '../one-command.ts';
import { referred, schemaName } from '../openapi.ts';
import { OTHERS, PROBLEMS, type Operation, type Parameter, type Problems } from '../operation.ts';
import {
  ownParameters,
  provable,
  readOptions,
  STATE_PARAMETERS,
  STATE_PROBLEMS,
} from '../reads.ts';
import { answerProved } from './proofs.ts';
import type { Reply, Request } from '../request.ts';
import type { Route } from '../router.ts';
import { oneReceipt } from '../schemas.ts';
import { ACCEPTED, WRITE_PARAMETERS, WRITE_PROBLEMS } from '../writes.ts';

const ROOT = '/api/v11';

export function moduleRoutes(edge: Edge, bodyBytesMax: number): Route[] {
  return edge.catalog.modules.flatMap((module) => [
    ...Object.keys(module.commandDefinitions).map((name) =>
      commandRoute(edge, module, name, bodyBytesMax),
    ),
    ...Object.keys(module.queryDefinitions).flatMap((name) => queryRoutes(edge, module, name)),
  ]);
}

/** For who names what is not there: which there are. */
export function unknownModuleRoutes({ catalog }: Edge): Route[] {
  const query = ({ params: [module = '', name = ''] }: Request): Problem => {
    const found = queryArgs(catalog, module, name, {}, true);
    return found instanceof Problem && found.status === 404 ? found : notServed(module, name);
  };
  const command = ({ params: [module = '', name = ''] }: Request): Problem => {
    const found = commandArgs(catalog, { module, command: name, args: {} }, null);
    return found instanceof Problem ? found : notServed(module, name);
  };
  const path = `${ROOT}/:module/:name`;
  return [
    { method: 'GET', path, operation: null, handle: query },
    { method: 'POST', path, operation: null, handle: command },
    { method: 'GET', path: `${path}/:key`, operation: null, handle: query },
  ];
}

function notServed(module: string, name: string): Problem {
  return new Problem(404, 'unknown_query', `nothing is served at ${module}/${name}/…`);
}

// ------------------------------------------------------------------------------------- commands

function commandRoute(
  edge: Edge,
  module: DefinedModule,
  command: string,
  bodyBytesMax: number,
): Route {
  const { description, result } = module.commandDefinitions[command]!;
  const operation: Operation = {
    id: `command.${module.name}.${command}`,
    tag: module.name,
    summary: description,
    description:
      'The body is the arguments; the node signs for its caller. Answered when it is final: a ' +
      'refusal is final as well, changes nothing, and names its transaction.',
    parameters: WRITE_PARAMETERS,
    body: {
      description: 'the arguments',
      content: eitherFormat(schemaName.arguments(module.name, command)),
    },
    answers: {
      200: { description: 'the receipt', content: eitherFormat(oneReceipt(result)) },
      202: ACCEPTED,
    },
    // A command may call other modules, and end with what they refuse.
    problems: [
      ...WRITE_PROBLEMS,
      PROBLEMS.body,
      refusalsOf(module),
      { 404: [OTHERS], 422: ['invalid_args', 'module_fault', OTHERS] },
    ],
    credential: 'token',
  };
  return {
    method: 'POST',
    path: `${ROOT}/${module.name}/${command}`,
    bodyBytesMax,
    operation,
    handle: async (request) => {
      const called = { module: module.name, command, parameters: [] };
      const outcome = await submitOne(edge, request, called, () => readBody(request));
      return outcome instanceof Problem ? outcome : tellOne(request, outcome);
    },
  };
}

/** By status; whatever ends in `not_found` is 404. */
function refusalsOf({ refusals }: DefinedModule): Problems {
  const codes = Object.keys(refusals);
  const absent = codes.filter((code) => statusOfRefusal(code) === 404);
  return {
    ...(absent.length === 0 ? {} : { 404: absent }),
    422: codes.filter((code) => statusOfRefusal(code) === 422),
  };
}

// -------------------------------------------------------------------------------------- queries

function queryRoutes(edge: Edge, module: DefinedModule, query: string): Route[] {
  const { schema } = module.queryDefinitions[query]!;
  const path = `${ROOT}/${module.name}/${query}`;
  const whole: Route = {
    method: 'GET',
    path,
    operation: queryOperation(module, query, null),
    handle: (request) => ask(edge, request, module.name, query, {}),
  };
  if (!Object.hasOwn(propertiesOf(schema), query)) return [whole];
  const byName: Route = {
    method: 'GET',
    path: `${path}s/:${query}`,
    operation: queryOperation(module, query, query),
    handle: (request) =>
      ask(edge, request, module.name, query, { [query]: request.params[0] ?? '' }),
  };
  return [whole, byName];
}

/** @param inPath the argument that is part of the path */
function queryOperation(module: DefinedModule, query: string, inPath: string | null): Operation {
  const { description, schema } = module.queryDefinitions[query]!;
  const parameters = Object.entries(propertiesOf(schema)).map(([name, each]): Parameter => ({
    name,
    in: name === inPath ? 'path' : 'query',
    description: each.description ?? name,
    required: !(OptionalKind in each),
    schema: each,
  }));
  return {
    id: `query.${module.name}.${query}${inPath === null ? '' : '.byName'}`,
    tag: module.name,
    summary: description,
    parameters: [...parameters, ...STATE_PARAMETERS],
    answers: {
      200: {
        description: 'the result',
        content: eitherFormat(provable(referred(schemaName.result(module.name, query)))),
      },
    },
    problems: [...STATE_PROBLEMS, refusalsOf(module), { 422: ['invalid_args'] }],
  };
}

function propertiesOf(schema: TSchema): Readonly<Record<string, TSchema>> {
  return (schema['properties'] ?? {}) as Readonly<Record<string, TSchema>>;
}

async function ask(
  edge: Edge,
  request: Request,
  module: string,
  query: string,
  named: Readonly<Record<string, string>>,
): Promise<Reply | Problem> {
  const options = readOptions(request);
  if (options instanceof Problem) return options;
  const own = ownParameters(request);
  const twice = Object.keys(named).find((name) => Object.hasOwn(own, name));
  if (twice !== undefined) {
    return unprocessable('invalid_args', 'it stands in the path already', twice);
  }
  const parameters = { ...own, ...named };
  const args = queryArgs(edge.catalog, module, query, parameters, true);
  if (args instanceof Problem) return args;
  if (options.proof) {
    return answerProved(edge, request, { kind: 'query', module, query, args: args.value });
  }
  const read = await edge.query(module, query, args.value, options);
  if (read instanceof Problem) return read;
  return answer(request, read.value, 200, { height: read.height });
}
