/**
 * When all is over, every honest node is asked about everything that clients were told: what was
 * final is still there, the same everywhere, and what was refused for good never happened.
 */
import type { AnswerResult, EdgeMessage, SubmissionReceipts } from '../../protocols/messages.ts';
import { complaintAbout, expectBalances, type Expectation } from './books.ts';
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
    const expected = expectBalances(this.#wishes);
    for (const wish of this.#wishes) {
      const complaint = complaintAbout(wish);
      if (complaint !== null) this.#report(complaint);
    }
    for (const node of this.#world.honest) {
      for (const wish of this.#wishes) this.#find(node, wish);
      for (const expectation of expected) this.#query(node, expectation);
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
        this.#report(`${wish.label} was refused (${wish.refused}), but n${node.instance} executed it`);
      }
      return;
    }
    if (!result.ok) {
      return this.#report(`${wish.label} was final, n${node.instance} does not know it: ${result.code}`);
    }
    this.#world.clients.expectSame(wish, wish.told, result.value as SubmissionReceipts, node);
  }

  #query(node: SimNode, { module, query, args, check }: Expectation): void {
    const request = this.#newRequest();
    this.#open.set(request, (result) => {
      const complaint = check(result);
      if (complaint !== null) this.#report(`n${node.instance}: ${complaint}`);
    });
    node.deliver('transaction', { kind: 'query', request, module, query, args });
  }

  #report(detail: string): void {
    this.#world.report('loss', detail);
  }
}
