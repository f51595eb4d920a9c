/**
 * When all is over, every honest node is asked about everything that clients were told: what was
 * final is still there, the same everywhere, and what was refused for good never happened.
 */
import type { AnswerResult, EdgeMessage, SubmissionReceipts } from '../../protocols/messages.ts';
import type { SimNode } from './node.ts';
import type { Wish } from './submissions.ts';
import type { World } from './world.ts';

type Check = (result: AnswerResult) => void;

export class Audit {
  readonly #world: World;
  readonly #wishes: readonly Wish[];
  readonly #newRequest: () => number;
  readonly #open = new Map<number, Check>();

  constructor(world: World, wishes: readonly Wish[], newRequest: () => number) {
    this.#world = world;
    this.#wishes = wishes;
    this.#newRequest = newRequest;
  }

  start(): void {
    for (const node of this.#world.honest) {
      for (const wish of this.#wishes) this.#find(node, wish);
    }
  }

  isDone(): boolean {
    return this.#open.size === 0;
  }

  answered(_node: SimNode, message: Extract<EdgeMessage, { kind: 'answer' }>): void {
    this.#open.get(message.request)?.(message.result);
    this.#open.delete(message.request);
  }

  #find(node: SimNode, wish: Wish): void {
    const id = wish.told?.id ?? wish.idFor(node.validator);
    const request = this.#newRequest();
    this.#open.set(request, (result) => this.#checkFound(node, wish, result));
    node.deliver('transaction', { kind: 'findSubmission', request, id });
  }

  #checkFound(node: SimNode, wish: Wish, result: AnswerResult): void {
    if (wish.told === null) {
      if (result.ok && wish.signed) {
        this.#report(
          `${wish.label} was refused (${wish.refused}), but n${node.instance} executed it`,
        );
      }
      return;
    }
    if (!result.ok) {
      return this.#report(
        `${wish.label} was final, n${node.instance} does not know it: ${result.code}`,
      );
    }
    this.#world.clients.expectSame(wish, wish.told, result.value as SubmissionReceipts, node);
  }

  #report(detail: string): void {
    this.#world.report('loss', detail);
  }
}
