/** althing.v1.State: queries of any module, their arguments as JSON has them. */
import type { sendUnaryData, ServerUnaryCall, UntypedServiceImplementation } from '@grpc/grpc-js';
import { queryArgs } from '../edge/catalog.ts';
import type { Edge } from '../edge/edge.ts';
import { malformed, Problem } from '../edge/problem.ts';
import { parseMsgpack } from '../edge/strict-msgpack.ts';
import type { Calls } from './calls.ts';
import { fromStruct, toProtoValue, type ProtoStruct, type ProtoValue } from './struct-values.ts';
import { answerUnary } from './transactions-service.ts';

interface QueryMessage {
  readonly module: string;
  readonly query: string;
  readonly arguments?: 'args' | 'argsMsgpack';
  readonly args?: ProtoStruct;
  readonly argsMsgpack?: Uint8Array;
}

interface QueryAnswer {
  readonly height: number;
  readonly result: ProtoValue;
}

export function stateService(edge: Edge, calls: Calls): UntypedServiceImplementation {
  return {
    Query: (call: ServerUnaryCall<QueryMessage, QueryAnswer>, done: sendUnaryData<QueryAnswer>) =>
      answerUnary(edge, call, done, calls, () => query(edge, call.request)),
    Modules: (call: ServerUnaryCall<object, object>, done: sendUnaryData<object>) =>
      answerUnary(edge, call, done, calls, () => Promise.resolve(modules(edge))),
  };
}

async function query(edge: Edge, asked: QueryMessage): Promise<QueryAnswer | Problem> {
  const given = argumentsOf(asked);
  if (given instanceof Problem) return malformed(given.detail, 'args');
  const args = queryArgs(edge.catalog, asked.module, asked.query, given.value, false);
  if (args instanceof Problem) return args;
  const read = await edge.query(asked.module, asked.query, args.value);
  if (read instanceof Problem) return read;
  return { height: read.height, result: toProtoValue(read.value) };
}

function argumentsOf(asked: QueryMessage): { readonly value: unknown } | Problem {
  return asked.arguments === 'argsMsgpack'
    ? parseMsgpack(asked.argsMsgpack ?? new Uint8Array(0))
    : fromStruct(asked.args ?? {});
}

function modules({ catalog }: Edge): object {
  const all = catalog.modules.map((module) => ({
    name: module.name,
    version: module.version,
    description: module.description,
    commands: Object.keys(module.commandDefinitions),
    queries: Object.keys(module.queryDefinitions),
    events: Object.keys(module.eventDefinitions),
  }));
  return { modules: all };
}
