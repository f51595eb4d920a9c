/** althing.v1.State: queries of any module, their arguments as JSON has them, and proofs. */
import type {
  Metadata,
  sendUnaryData,
  ServerUnaryCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { queryArgs } from '../edge/catalog.ts';
import type { Edge } from '../edge/edge.ts';
import { integerField } from '../edge/fields.ts';
import { malformed, Problem } from '../edge/problem.ts';
import { oneOption, type StateReadOptions } from '../edge/read-options.ts';
import { answerProblem } from '../edge/refusal-problems.ts';
import { parseMsgpack } from '../edge/strict-msgpack.ts';
import type { Calls } from './calls.ts';
import { onlyOptions } from './read-metadata.ts';
import { fromStruct, toProtoValue, type ProtoStruct, type ProtoValue } from './struct-values.ts';
import { answerUnary } from './unary.ts';

/** As proto-loader decodes it, defaults filled in. */
interface QueryMessage {
  readonly module: string;
  readonly query: string;
  readonly arguments?: 'args' | 'argsMsgpack';
  readonly args?: ProtoStruct;
  readonly argsMsgpack?: Uint8Array;
  readonly consistency: string;
  readonly atHeight?: number | null;
  readonly proof: boolean;
}

interface QueryAnswer {
  readonly height: number;
  readonly result?: ProtoValue;
  readonly proof?: Uint8Array;
  readonly error?: { readonly code: string; readonly message: string };
}

interface RowMessage {
  readonly module: string;
  readonly table: string;
  readonly key: string;
}

interface RowAnswer {
  readonly height: number;
  readonly row: ProtoValue;
  readonly proof: Uint8Array;
}

const CONSISTENCIES = ['CONSISTENCY_FINALIZED', 'CONSISTENCY_LINEARIZABLE'];
const NAMES = {
  proof: 'proof',
  atHeight: 'at_height',
  linearizable: 'consistency=CONSISTENCY_LINEARIZABLE',
};

export function stateService(edge: Edge, calls: Calls): UntypedServiceImplementation {
  return {
    Query: (call: ServerUnaryCall<QueryMessage, QueryAnswer>, done: sendUnaryData<QueryAnswer>) =>
      answerUnary(edge, call, done, calls, () => query(edge, call.request, call.metadata)),
    ProveRow: (call: ServerUnaryCall<RowMessage, RowAnswer>, done: sendUnaryData<RowAnswer>) =>
      answerUnary(edge, call, done, calls, () => proveRow(edge, call.request)),
    Modules: (call: ServerUnaryCall<object, object>, done: sendUnaryData<object>) =>
      answerUnary(edge, call, done, calls, () => Promise.resolve(modules(edge))),
  };
}

async function query(
  edge: Edge,
  asked: QueryMessage,
  metadata: Metadata,
): Promise<QueryAnswer | Problem> {
  const options = onlyOptions(metadata, []) ?? optionsOf(asked);
  if (options instanceof Problem) return options;
  const given = argumentsOf(asked);
  if (given instanceof Problem) return malformed(given.detail, 'args');
  const { module, query: name } = asked;
  const args = queryArgs(edge.catalog, module, name, given.value, false);
  if (args instanceof Problem) return args;
  if (options.proof) return proveQuery(edge, { module, query: name, args: args.value });
  const read = await edge.query(module, name, args.value, options);
  if (read instanceof Problem) return read;
  return { height: read.height, result: toProtoValue(read.value) };
}

/** A refusal that is proved is an answer: no status has room for its proof. */
async function proveQuery(
  edge: Edge,
  asked: { readonly module: string; readonly query: string; readonly args: unknown },
): Promise<QueryAnswer | Problem> {
  const proved = await edge.prove({ kind: 'query', ...asked });
  if (proved instanceof Problem) return proved;
  const { height, result, proof } = proved;
  if (result.ok) return { height, result: toProtoValue(result.value), proof };
  return { height, error: { code: result.code, message: result.message }, proof };
}

function optionsOf({ consistency, atHeight, proof }: QueryMessage): StateReadOptions | Problem {
  if (!CONSISTENCIES.includes(consistency)) {
    const detail = `expected ${CONSISTENCIES.join(' or ')}`;
    return new Problem(400, 'unsupported_consistency', detail, { field: 'consistency' });
  }
  const linearizable = consistency === CONSISTENCIES[1];
  if (atHeight === undefined || atHeight === null) return oneOption({ proof, linearizable }, NAMES);
  const height = integerField(atHeight, 'at_height');
  if (height instanceof Problem) return height;
  return oneOption({ proof, linearizable, atHeight: height }, NAMES);
}

function argumentsOf(asked: QueryMessage): { readonly value: unknown } | Problem {
  return asked.arguments === 'argsMsgpack'
    ? parseMsgpack(asked.argsMsgpack ?? new Uint8Array(0))
    : fromStruct(asked.args ?? {});
}

async function proveRow(
  edge: Edge,
  { module, table, key }: RowMessage,
): Promise<RowAnswer | Problem> {
  const proved = await edge.prove({ kind: 'row', module, table, key });
  if (proved instanceof Problem) return proved;
  const { height, result, proof } = proved;
  if (!result.ok) return answerProblem(result, { height });
  return { height, row: toProtoValue(result.value), proof };
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
