/**
 * The services of a module: `althing.module.<name>.v1.Commands` and `.Queries`. A command is sent as a
 * transaction of its own, which the node signs for its caller (metadata `authorization`,
 * `idempotency-key`), and answered when it is final; its refusal is a status.
 */
import type {
  Metadata,
  sendUnaryData,
  ServerUnaryCall,
  ServiceDefinition,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { commandArgs, queryArgs } from '../../edge/catalog.ts';
import type { Edge } from '../../edge/edge.ts';
import { refusedByModule, soleReceipt } from '../../edge/one-receipt.ts';
import { WAIT_MS_DEFAULT } from '../../edge/outcome.ts';
import { Problem } from '../../edge/problem.ts';
import type { DefinedModule } from '../../modules/define.ts';
import type { Calls } from '../calls.ts';
import { orProblem, toProtoValue } from '../struct-values.ts';
import { answerUnary } from '../transactions-service.ts';
import { fromMessage, toMessage } from './conversion.ts';
import { packageOf, pascal } from './module-proto.ts';
import { shapeOf, type Shape } from './shape.ts';

export interface ModuleService {
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
}

/** The services of a module by full name, for those that have a method. */
export function moduleServices(
  edge: Edge,
  calls: Calls,
  module: DefinedModule,
  definitions: Readonly<Record<string, unknown>>,
): readonly ModuleService[] {
  const commands = Object.keys(module.commandDefinitions).map(
    (name) => [pascal(name), commandMethod(edge, calls, module, name)] as const,
  );
  const queries = Object.keys(module.queryDefinitions).map(
    (name) => [pascal(name), queryMethod(edge, calls, module, name)] as const,
  );
  const all = [
    ['Commands', commands],
    ['Queries', queries],
  ] as const;
  return all
    .filter(([, methods]) => methods.length > 0)
    .map(([name, methods]) => ({
      definition: definitions[`${packageOf(module.name)}.${name}`] as ServiceDefinition,
      implementation: Object.fromEntries(methods),
    }));
}

type Call = ServerUnaryCall<unknown, unknown>;

function commandMethod(
  edge: Edge,
  calls: Calls,
  module: DefinedModule,
  command: string,
): UntypedHandleCall {
  const { schema, result } = module.commandDefinitions[command]!;
  const takes = shapeOf(schema);
  const gives = result === null ? null : shapeOf(result);
  return (call: Call, done: sendUnaryData<unknown>) =>
    answerUnary(edge, call, done, calls, () =>
      execute(edge, { module: module.name, command }, { takes, gives }, call),
    );
}

async function execute(
  edge: Edge,
  called: { readonly module: string; readonly command: string },
  { takes, gives }: { readonly takes: Shape; readonly gives: Shape | null },
  { request, metadata }: Call,
): Promise<unknown> {
  const caller = {
    authorization: text(metadata, 'authorization'),
    idempotencyKey: text(metadata, 'idempotency-key'),
  };
  const principal = edge.authorize(caller);
  if (principal instanceof Problem) return principal;
  const given = orProblem(() => fromMessage(takes, request));
  if (given instanceof Problem) return given;
  const args = commandArgs(edge.catalog, { ...called, args: given.value }, null);
  if (args instanceof Problem) return args;
  const asked = { calls: [{ ...called, args: args.value }], validUntil: null, client: null };
  const wait = { until: 'finalized', timeoutMs: WAIT_MS_DEFAULT } as const;
  const outcome = await edge.submitRequest(asked, caller, wait);
  if (outcome instanceof Problem) return outcome;
  if (outcome.kind === 'accepted') throw new Error('a submission was answered before it was final');
  const { id, height, events, result, error } = soleReceipt(outcome);
  if (error !== undefined) return refusedByModule({ id, height }, error);
  return {
    id,
    height,
    exactlyOnce: outcome.exactlyOnce,
    events: events.map((event) => ({ ...event, data: toProtoValue(event.data) })),
    ...(gives === null ? {} : { result: toMessage(gives, result) }),
  };
}

function queryMethod(
  edge: Edge,
  calls: Calls,
  module: DefinedModule,
  query: string,
): UntypedHandleCall {
  const { schema, result } = module.queryDefinitions[query]!;
  const takes = shapeOf(schema);
  const gives = shapeOf(result);
  return (call: Call, done: sendUnaryData<unknown>) =>
    answerUnary(edge, call, done, calls, async () => {
      const given = orProblem(() => fromMessage(takes, call.request));
      if (given instanceof Problem) return given;
      const args = queryArgs(edge.catalog, module.name, query, given.value, false);
      if (args instanceof Problem) return args;
      const read = await edge.query(module.name, query, args.value);
      if (read instanceof Problem) return read;
      return { height: read.height, result: toMessage(gives, read.value) };
    });
}

function text(metadata: Metadata, name: string): string | undefined {
  return metadata.get(name)[0]?.toString();
}
