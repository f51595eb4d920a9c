/** How the transaction machine answers the edge. */
import type { Output } from '../machine.ts';
import type { AnswerResult, EdgeMessage, Effect } from '../messages.ts';

export const BUSY: AnswerResult = {
  ok: false,
  code: 'overloaded',
  message: 'too many questions wait at this node: try again',
};

export const CATCHING_UP: AnswerResult = {
  ok: false,
  code: 'catching_up',
  message: 'this node executes its log again: ask again, or ask another node',
};

export function tellEdge(out: Output<Effect>, message: EdgeMessage): void {
  out.immediate.push({ kind: 'tell', to: 'edge', message });
}

export function tellAnswer(
  out: Output<Effect>,
  request: number,
  height: number,
  result: AnswerResult,
): void {
  tellEdge(out, { kind: 'answer', request, height, result });
}
