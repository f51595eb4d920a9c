/** Writes of one command, whose answer is about that alone: what its module refuses is a problem. */
import { commandArgs } from '../edge/catalog.ts';
import type { Edge } from '../edge/edge.ts';
import { refusedByModule, soleReceipt } from '../edge/one-receipt.ts';
import type { Outcome } from '../edge/outcome.ts';
import { Problem } from '../edge/problem.ts';
import { parseJson } from '../edge/strict-json.ts';
import { parseMsgpack } from '../edge/strict-msgpack.ts';
import { answer, answerFormat, bodyFormat } from './negotiation.ts';
import type { Reply, Request } from './request.ts';
import { callerOf, readWait, tellAccepted } from './writes.ts';

export function readBody(request: Request): { readonly value: unknown } | Problem {
  const format = bodyFormat(request, ['json', 'msgpack']);
  if (format instanceof Problem) return format;
  return format === 'json' ? parseJson(request.body) : parseMsgpack(request.body);
}

export interface OneCommand {
  readonly module: string;
  readonly command: string;
  /** Of the query string, beside those that every write takes. */
  readonly parameters: readonly string[];
}

/**
 * Hands the command over as a submission that the node signs for its caller: the body of one that it
 * will not sign is not read.
 */
export async function submitOne(
  edge: Edge,
  request: Request,
  { parameters, ...called }: OneCommand,
  readArgs: () => { readonly value: unknown } | Problem,
): Promise<Outcome | Problem> {
  const format = answerFormat(request);
  if (format instanceof Problem) return format;
  const wait = readWait(request, parameters);
  if (wait instanceof Problem) return wait;
  const principal = edge.authorize(callerOf(request));
  if (principal instanceof Problem) return principal;
  const given = readArgs();
  if (given instanceof Problem) return given;
  const args = commandArgs(edge.catalog, { ...called, args: given.value }, null);
  if (args instanceof Problem) return args;
  const calls = [{ ...called, args: args.value }];
  return edge.submitRequest({ calls, validUntil: null, client: null }, callerOf(request), wait);
}

export function tellOne(request: Request, outcome: Outcome): Reply | Problem {
  if (outcome.kind === 'accepted') return tellAccepted(request, outcome);
  const receipt = soleReceipt(outcome);
  if (receipt.error !== undefined) return refusedByModule(receipt, receipt.error);
  const { height } = receipt;
  return answer(request, { ...receipt, exactlyOnce: outcome.exactlyOnce }, 200, { height });
}
