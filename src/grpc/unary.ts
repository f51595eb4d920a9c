/** Calls of one request and one answer. */
import { Metadata, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import type { Edge } from '../edge/edge.ts';
import { Problem } from '../edge/problem.ts';
import type { Calls } from './calls.ts';
import { problemStatus } from './problem-status.ts';

/** Answers a unary call with what `work` gives. */
export function answerUnary<Request, Answer>(
  edge: Edge,
  call: ServerUnaryCall<Request, Answer>,
  done: sendUnaryData<Answer>,
  calls: Calls,
  work: () => Promise<Answer | Problem>,
): void {
  call.sendMetadata(headOf(edge));
  void respond(calls.run(call.getPath(), work), done);
}

/** Which node answers, at which executed height. */
export function headOf(edge: Edge): Metadata {
  const head = new Metadata();
  head.set('x-althing-node', edge.port.info.nodeId);
  const height = edge.executedHeight();
  const ageMs = edge.ageMs(height);
  head.set('x-althing-height', String(height));
  if (ageMs !== null) head.set('x-althing-age-ms', String(ageMs));
  return head;
}

async function respond<Answer>(
  working: Promise<Answer | Problem>,
  done: sendUnaryData<Answer>,
): Promise<void> {
  const answer = await working;
  if (answer instanceof Problem) done(problemStatus(answer));
  else done(null, answer);
}
