/**
 * Requests of the edges that wait for an actor's answer.
 *
 * I18. Each request is answered exactly once: by its actor, or at once with `overloaded` when the actors
 *      do not keep up, or when they start again or stop: a question with `catching_up`, a submission,
 *      which may have been taken, with `outcome_unknown`.
 */
import type { AnswerResult, EdgeMessage, SubmitRequest } from '../../protocols/messages.ts';
import type { Digest } from '../../protocols/types.ts';
import { OUTCOME_UNKNOWN, type Submitted } from '../edge/port.ts';
import type { ActorSystem } from './actor-system.ts';

/** Submissions handed over and not answered; beyond it clients are told to come back. */
const SUBMISSIONS_MAX = 100_000;
const SUBMISSION_BYTES_MAX = 64 * 1024 * 1024;
/**
 * Questions handed over and not answered: enough to keep the answers coming, and few enough that those
 * of them which have large answers keep the threads, through which consensus goes too, for no longer
 * than some 30 ms.
 */
export const QUESTIONS_MAX = 32;
const RETRY_AFTER_MS = 1_000;

export interface Answer {
  readonly height: number;
  readonly result: AnswerResult;
}

type Question =
  | {
      readonly kind: 'query';
      readonly module: string;
      readonly query: string;
      readonly args: unknown;
    }
  | { readonly kind: 'findSubmission'; readonly id: Digest };

interface Waiting {
  readonly bytes: number;
  readonly since: number;
  readonly resolve: (result: Submitted) => void;
}

const OVERLOADED = {
  ok: false,
  code: 'overloaded',
  message: 'this node has more waiting work than it can take',
  retryAfterMs: RETRY_AFTER_MS,
} as const;
const TOO_MANY_QUESTIONS = {
  code: 'overloaded',
  message: 'this node answers as many reads as it can: ask again later, or ask another node',
} as const;
const LOST: Submitted = {
  ok: false,
  code: OUTCOME_UNKNOWN,
  message: 'the node stops, or restarts its actors',
};
const RESTARTING = {
  code: 'catching_up',
  message: 'the node stops, or restarts its actors: ask again',
} as const;

export class Requests {
  readonly #system: ActorSystem;
  readonly #finalised: (tookMs: number) => void;
  readonly #submissions = new Map<number, Waiting>();
  readonly #questions = new Map<number, (answer: Answer) => void>();
  #next = 1;
  #bytes = 0;
  #batch: SubmitRequest[] = [];
  #height = 0;

  /** @param finalised told how long each finalised submission took, in milliseconds */
  constructor(system: ActorSystem, finalised: (tookMs: number) => void) {
    this.#system = system;
    this.#finalised = finalised;
  }

  get waiting(): number {
    return this.#submissions.size;
  }

  submit(bytes: Uint8Array, until?: 'admitted'): Promise<Submitted> {
    if (this.#isOverloaded()) return Promise.resolve(OVERLOADED);
    const request = this.#next++;
    this.#bytes += bytes.length;
    const answered = new Promise<Submitted>((resolve) => {
      this.#submissions.set(request, { bytes: bytes.length, since: performance.now(), resolve });
    });
    this.#batch.push(until === undefined ? { request, bytes } : { request, bytes, until });
    if (this.#batch.length === 1) queueMicrotask(() => this.#flush());
    return answered;
  }

  #isOverloaded(): boolean {
    return (
      this.#submissions.size >= SUBMISSIONS_MAX ||
      this.#bytes >= SUBMISSION_BYTES_MAX ||
      this.#system.isFull('transaction', 'client')
    );
  }

  #flush(): void {
    const submissions = this.#batch;
    this.#batch = [];
    if (submissions.length === 0) return;
    const message = { kind: 'submit', submissions } as const;
    this.#system.send('transaction', { kind: 'local', to: 'transaction', message });
  }

  ask(question: Question): Promise<Answer> {
    if (this.#questions.size >= QUESTIONS_MAX || this.#system.isFull('transaction', 'client')) {
      return Promise.resolve(this.#refusal(TOO_MANY_QUESTIONS));
    }
    const request = this.#next++;
    const message = { ...question, request };
    const answered = new Promise<Answer>((resolve) => void this.#questions.set(request, resolve));
    this.#system.send('transaction', { kind: 'local', to: 'transaction', message });
    return answered;
  }

  answered(message: EdgeMessage): void {
    switch (message.kind) {
      case 'submitted':
        for (const { request, ...result } of message.results) this.#resolve(request, result);
        return;
      case 'answer': {
        const resolve = this.#questions.get(message.request);
        this.#questions.delete(message.request);
        resolve?.({ height: message.height, result: message.result });
        return;
      }
      case 'blockExecuted':
        this.#height = message.block.height;
        return;
    }
  }

  #resolve(request: number, result: Submitted): void {
    const waiting = this.#submissions.get(request);
    if (waiting === undefined) return; // answered when the actors started again
    this.#submissions.delete(request);
    this.#bytes -= waiting.bytes;
    if (result.ok && result.receipts !== null) this.#finalised(performance.now() - waiting.since);
    waiting.resolve(result);
  }

  /** The actors lost what they were asked, or have no more time for it. */
  giveUp(): void {
    for (const request of this.#submissions.keys()) this.#resolve(request, LOST);
    for (const resolve of this.#questions.values()) resolve(this.#refusal(RESTARTING));
    this.#questions.clear();
    this.#batch = [];
  }

  #refusal({ code, message }: { readonly code: string; readonly message: string }): Answer {
    return { height: this.#height, result: { ok: false, code, message } };
  }
}
