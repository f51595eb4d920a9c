/**
 * Requests of the edges that wait for an actor's answer.
 *
 * I18. Each request is answered exactly once: by its actor, or with `catching_up` when the actors
 *      start again, or at once with `overloaded` when they do not keep up.
 */
import type { AnswerResult, EdgeMessage, SubmitRequest } from '../../protocols/messages.ts';
import type { Digest } from '../../protocols/types.ts';
import type { Submitted } from '../edge/port.ts';
import type { ActorSystem } from './actor-system.ts';

/** Submissions handed over and not answered; beyond it clients are told to come back. */
const SUBMISSIONS_MAX = 100_000;
const SUBMISSION_BYTES_MAX = 64 * 1024 * 1024;
const QUESTIONS_MAX = 10_000;
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

const OVERLOADED: Submitted = {
  ok: false,
  code: 'overloaded',
  message: 'this node has more waiting work than it can take',
  retryAfterMs: RETRY_AFTER_MS,
};
const RESTARTING: Submitted = {
  ok: false,
  code: 'catching_up',
  message:
    'the node restarts its actors: whether this was executed is not known here; send it again',
  retryAfterMs: RETRY_AFTER_MS,
};

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

  submit(bytes: Uint8Array): Promise<Submitted> {
    if (this.#isOverloaded()) return Promise.resolve(OVERLOADED);
    const request = this.#next++;
    this.#bytes += bytes.length;
    const answered = new Promise<Submitted>((resolve) => {
      this.#submissions.set(request, { bytes: bytes.length, since: performance.now(), resolve });
    });
    this.#batch.push({ request, bytes });
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
      return Promise.resolve(this.#refusal('overloaded', OVERLOADED));
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
    if (result.ok) this.#finalised(performance.now() - waiting.since);
    waiting.resolve(result);
  }

  /** The actors lost what they were asked. */
  restarted(): void {
    for (const request of this.#submissions.keys()) this.#resolve(request, RESTARTING);
    for (const resolve of this.#questions.values())
      resolve(this.#refusal('catching_up', RESTARTING));
    this.#questions.clear();
    this.#batch = [];
  }

  #refusal(code: string, because: Submitted): Answer {
    const message = because.ok ? '' : because.message;
    return { height: this.#height, result: { ok: false, code, message } };
  }
}
