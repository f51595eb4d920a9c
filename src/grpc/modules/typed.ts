/**
 * Commands and queries of a module as typed messages. A command is a transaction of its own, signed by
 * the node for its caller or by its client, and told when it is final; its refusal is a Problem.
 */
import type { Metadata } from '@grpc/grpc-js';
import { commandArgs, queryArgs } from '../../edge/catalog.ts';
import type { Caller, Edge } from '../../edge/edge.ts';
import { refusedByModule, soleReceipt } from '../../edge/one-receipt.ts';
import { WAIT_MS_DEFAULT, type Outcome } from '../../edge/outcome.ts';
import { malformed, Problem } from '../../edge/problem.ts';
import { answerProblem } from '../../edge/refusal-problems.ts';
import { soleCommand } from '../../edge/raw-submission.ts';
import type { DefinedModule } from '../../modules/define.ts';
import { readOptions, text } from '../read-metadata.ts';
import { orProblem, toProtoValue } from '../struct-values.ts';
import { argumentsFrom, toMessage } from './conversion.ts';
import { shapeOf, type Shape } from './shape.ts';

/** As answerUnary takes what it answers with. */
export type Told = Promise<object | Problem>;

export type TypedQuery = (message: unknown, metadata: Metadata) => Told;

export interface TypedCommand {
  /** Signed by the node for its caller (metadata `authorization`, `idempotency-key`). */
  readonly vouched: TypedQuery;
  /** The canonical bytes of a submission of this command alone, signed by its client. */
  readonly signed: (submission: Uint8Array, metadata: Metadata) => Told;
}

const WAIT = { until: 'finalized', timeoutMs: WAIT_MS_DEFAULT } as const;

export function typedCommand(edge: Edge, module: DefinedModule, command: string): TypedCommand {
  const { schema, result } = module.commandDefinitions[command]!;
  const takes = shapeOf(schema);
  const gives = result === null ? null : shapeOf(result);
  const called = { module: module.name, command };
  return {
    vouched: async (message, metadata) => {
      const caller = callerOf(metadata);
      const refused = edge.authorize(caller);
      if (refused instanceof Problem) return refused;
      const given = orProblem(() => argumentsFrom(takes, message));
      if (given instanceof Problem) return given;
      const args = commandArgs(edge.catalog, { ...called, args: given.value }, null);
      if (args instanceof Problem) return args;
      const asked = { calls: [{ ...called, args: args.value }], validUntil: null, client: null };
      return receiptOf(gives, await edge.submitRequest(asked, caller, WAIT));
    },
    signed: async (submission, metadata) => {
      const sole = soleCommand(submission);
      if (sole?.module !== called.module || sole.command !== command) {
        const detail = `expected one transaction, ${command} of ${called.module}, signed by its client`;
        return malformed(detail, 'submission');
      }
      // A copy that nobody else holds: what comes off the wire is a part of a larger buffer.
      const bytes = Uint8Array.from(submission);
      return receiptOf(gives, await edge.submitBytes(bytes, callerOf(metadata), WAIT));
    },
  };
}

function receiptOf(gives: Shape | null, outcome: Outcome | Problem): object | Problem {
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

export function typedQuery(edge: Edge, module: DefinedModule, query: string): TypedQuery {
  const { schema, result } = module.queryDefinitions[query]!;
  const takes = shapeOf(schema);
  const gives = shapeOf(result);
  return async (message, metadata) => {
    const options = readOptions(metadata);
    if (options instanceof Problem) return options;
    const given = orProblem(() => argumentsFrom(takes, message));
    if (given instanceof Problem) return given;
    const args = queryArgs(edge.catalog, module.name, query, given.value, false);
    if (args instanceof Problem) return args;
    if (options.proof) return proved(edge, gives, { module: module.name, query, args: args.value });
    const read = await edge.query(module.name, query, args.value, options);
    if (read instanceof Problem) return read;
    return { height: read.height, result: toMessage(gives, read.value) };
  };
}

/** A refusal is a status here too, which has no room for its proof: State.Query answers with that. */
async function proved(
  edge: Edge,
  gives: Shape,
  asked: { readonly module: string; readonly query: string; readonly args: unknown },
): Told {
  const answer = await edge.prove({ kind: 'query', ...asked });
  if (answer instanceof Problem) return answer;
  const { height, result, proof } = answer;
  if (!result.ok) return answerProblem(result, { height });
  return { height, result: toMessage(gives, result.value), proof };
}

function callerOf(metadata: Metadata): Caller {
  return {
    authorization: text(metadata, 'authorization'),
    idempotencyKey: text(metadata, 'idempotency-key'),
  };
}
