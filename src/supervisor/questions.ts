/**
 * Reads of executed state that wait for the transaction actor's answer (I18, requests.ts).
 *
 * The actor is given a few at a time; the others wait here, in the order in which they came, and are
 * refused when they are too many or have waited too long. Over HTTP a connection asks one at a time,
 * so that each has its turn.
 */
import type { EdgeMessage } from '../../protocols/messages.ts';
import type { ProofWanted } from '../../protocols/proofs/request.ts';
import type { StateRead } from '../../protocols/state-read.ts';
import type { Digest } from '../../protocols/types.ts';
import type { Answered } from '../edge/port.ts';
import type { ActorSystem } from './actor-system.ts';

export interface QuestionLimits {
  /**
   * Handed over and not answered: enough to keep the answers coming, and few enough that those of them
   * which have large answers keep the threads, through which consensus goes too, for no longer than
   * some 30 ms.
   */
  readonly askedMax: number;
  /** Not handed over yet. */
  readonly waitingMax: number;
  /** Milliseconds until one that is not handed over is refused. */
  readonly waitMsMax: number;
}

export const QUESTION_LIMITS: QuestionLimits = {
  askedMax: 32,
  waitingMax: 4_096,
  waitMsMax: 1_000,
};

/** Proofs wait for checkpoints, and must not keep reads waiting meanwhile. */
export const PROOF_LIMITS: QuestionLimits = {
  askedMax: 256,
  waitingMax: 1_024,
  waitMsMax: 1_000,
};

export type Question =
  | ({ readonly kind: 'query' } & StateRead)
  | { readonly kind: 'findSubmission'; readonly id: Digest }
  | { readonly kind: 'prove'; readonly wanted: ProofWanted };

interface Waiting {
  readonly question: Question;
  readonly resolve: (answer: Answered) => void;
  readonly deadline: NodeJS.Timeout;
}

const TOO_MANY = {
  code: 'overloaded',
  message: 'this node answers as many reads as it can: ask again later, or ask another node',
} as const;
/** What was asked of actors that are no more. */
export const RESTARTING = {
  code: 'catching_up',
  message: 'the node stops, or restarts its actors: ask again',
} as const;

export class Questions {
  readonly #system: ActorSystem;
  readonly #limits: QuestionLimits;
  readonly #nextNumber: () => number;
  readonly #asked = new Map<number, (answer: Answered) => void>();
  /** In the order in which they came. */
  readonly #waiting = new Set<Waiting>();
  #height = 0;

  /** @param nextNumber numbers a request to the actors */
  constructor(system: ActorSystem, nextNumber: () => number, limits = QUESTION_LIMITS) {
    this.#system = system;
    this.#nextNumber = nextNumber;
    this.#limits = limits;
  }

  ask(question: Question): Promise<Answered> {
    const { waitingMax, waitMsMax } = this.#limits;
    if (this.#waiting.size >= waitingMax) return Promise.resolve(this.#refusal(TOO_MANY));
    return new Promise((resolve) => {
      const late = (): void => this.#refuse(waiting, TOO_MANY);
      const waiting = { question, resolve, deadline: setTimeout(late, waitMsMax) };
      this.#waiting.add(waiting);
      this.resume();
    });
  }

  /** Hands over what the actor has room for: to be called when it may have more. */
  resume(): void {
    for (const waiting of this.#waiting) {
      const { question, resolve } = waiting;
      if (this.#asked.size >= this.#limits.askedMax) return;
      if (this.#system.isFull('transaction', 'client')) return;
      this.#leave(waiting);
      const request = this.#nextNumber();
      this.#asked.set(request, resolve);
      const message = { ...question, request };
      this.#system.send('transaction', { kind: 'local', to: 'transaction', message });
    }
  }

  answered({ request, height, result }: Extract<EdgeMessage, { kind: 'answer' }>): void {
    const resolve = this.#asked.get(request);
    this.#asked.delete(request);
    resolve?.({ height, result });
    this.resume();
  }

  /** The height that refusals tell. */
  executed(height: number): void {
    this.#height = height;
  }

  /** The actors lost what they were asked, or have no more time for it. */
  giveUp(): void {
    for (const resolve of this.#asked.values()) resolve(this.#refusal(RESTARTING));
    this.#asked.clear();
    for (const waiting of this.#waiting) this.#refuse(waiting, RESTARTING);
  }

  #refuse(waiting: Waiting, why: { readonly code: string; readonly message: string }): void {
    this.#leave(waiting);
    waiting.resolve(this.#refusal(why));
  }

  #leave(waiting: Waiting): void {
    clearTimeout(waiting.deadline);
    this.#waiting.delete(waiting);
  }

  #refusal({ code, message }: { readonly code: string; readonly message: string }): Answered {
    return { height: this.#height, result: { ok: false, code, message } };
  }
}
