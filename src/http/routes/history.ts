/**
 * What became final, from the read model: lists with filters, in pages. It follows the chain a little
 * behind: the newest stands in `GET /api/v11/history`, and what a node has executed in the other routes.
 */
import { OptionalKind, Type } from '@sinclair/typebox';
import { TypeCompiler } from '@sinclair/typebox/compiler';
import type { Edge } from '../../edge/edge.ts';
import { Problem, unavailable, unprocessable } from '../../edge/problem.ts';
import { argsOf } from '../../modules/args.ts';
import { Misfit } from '../../modules/from-json.ts';
import { filtersOf, LISTS, type List, type Parameters } from '../../read-model/queries.ts';
import type { ReadModel } from '../../read-model/read-model.ts';
import { answer, eitherFormat } from '../negotiation.ts';
import { PROBLEMS, type Operation, type Problems } from '../operation.ts';
import type { Reply, Request } from '../request.ts';
import type { Route } from '../router.ts';

const RETRY_MS = 2_000;
export const HISTORY_PATH = '/api/v11/history';

const TAG = 'history';
const SWITCHED_OFF: Problems = { 404: ['no_read_model'] };

const STATUS: Operation = {
  id: 'getHistoryStatus',
  tag: TAG,
  summary: 'How far the read model has followed the chain.',
  answers: { 200: { description: 'the state', content: eitherFormat('HistoryStatus') } },
  problems: [PROBLEMS.negotiated, SWITCHED_OFF],
};

function listOperation({ name, description, parameters }: List): Operation {
  return {
    id: `history.${name}`,
    tag: TAG,
    summary: description,
    parameters: Object.entries(parameters.properties).map(([each, schema]) => ({
      name: each,
      in: 'query',
      description: schema.description ?? each,
      required: !(OptionalKind in schema),
      schema,
    })),
    answers: {
      200: {
        description: 'a page; go on with `cursor` set to `next`',
        content: eitherFormat(
          Type.Object({
            height: Type.Integer({ minimum: 0, description: 'up to which the list is complete' }),
            rows: Type.Array(Type.Unsafe({ type: 'object' })),
            next: Type.Union([Type.String(), Type.Null()]),
          }),
        ),
      },
    },
    problems: [
      PROBLEMS.negotiated,
      SWITCHED_OFF,
      { 422: ['invalid_args', 'one_filter_at_a_time'], 503: ['read_model_unavailable'] },
    ],
  };
}

export function historyRoutes(edge: Edge): Route[] {
  const lists = LISTS.map((list): Route => {
    const read = parametersOf(list);
    return {
      method: 'GET',
      path: `${HISTORY_PATH}/${list.name}`,
      operation: listOperation(list),
      handle: (request) => rows(edge, request, list, read),
    };
  });
  return [
    {
      method: 'GET',
      path: HISTORY_PATH,
      operation: STATUS,
      handle: (request) => status(edge, request),
    },
    ...lists,
  ];
}

function status({ port }: Edge, request: Request): Reply | Problem {
  const model = port.readModel();
  return model === null ? switchedOff() : answer(request, model.status());
}

type ReadParameters = (request: Request) => Parameters | Problem;

function parametersOf(list: List): ReadParameters {
  const { parameters: schema } = list;
  const type = TypeCompiler.Compile(schema);
  const filters = filtersOf(list);
  return ({ query }) => {
    const [, second] = filters.filter((name) => query.has(name));
    if (second !== undefined) {
      const detail = `ask for ${filters.join(' or ')}, beside times and heights`;
      return unprocessable('one_filter_at_a_time', detail, second);
    }
    const read = argsOf({ schema, type }, Object.fromEntries(query), true);
    if (!(read instanceof Misfit)) return read.args as Parameters;
    return read.field === ''
      ? unprocessable('invalid_args', read.message)
      : unprocessable('invalid_args', read.message, read.field);
  };
}

async function rows(
  { port }: Edge,
  request: Request,
  list: List,
  read: ReadParameters,
): Promise<Reply | Problem> {
  const parameters = read(request);
  if (parameters instanceof Problem) return parameters;
  const model = port.readModel();
  if (model === null) return switchedOff();
  const page = await model.list(list, parameters).catch((error: Error) => failed(model, error));
  if (page instanceof Problem) return page;
  return answer(request, { height: model.status().height, ...page });
}

function switchedOff(): Problem {
  const detail = 'this node keeps no read model: start it with --read-model on, or ask another one';
  return new Problem(404, 'no_read_model', detail);
}

/** Whatever the database says stays here: it may name what is no client's business. */
function failed(model: ReadModel, error: Error): Problem {
  model.told(error);
  const detail = 'the read model does not answer now: ask again later, or ask another node';
  return unavailable('read_model_unavailable', detail, RETRY_MS);
}
