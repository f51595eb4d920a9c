/** What the machine says to the other actors of its node. */
import type { Output } from '../machine.ts';
import type { AnswerResult, EdgeMessage, Effect, ReplicationMessage } from '../messages.ts';

export function tellReplication(out: Output<Effect>, message: ReplicationMessage): void {
  out.immediate.push({ kind: 'tell', to: 'replication', message });
}

export function tellEdge(out: Output<Effect>, message: EdgeMessage): void {
  out.immediate.push({ kind: 'tell', to: 'edge', message });
}

export function answer(
  out: Output<Effect>,
  request: number,
  height: number,
  result: AnswerResult,
): void {
  tellEdge(out, { kind: 'answer', request, height, result });
}
