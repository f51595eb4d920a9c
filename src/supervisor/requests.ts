/**
 * Requests of the edges that wait for an actor's answer.
 *
 * I18. Each request is answered exactly once: by its actor, or with `overloaded` when the actors do not
 *      keep up (a submission at once, a question when it had to wait), or when they start again or stop:
 *      a question with `catching_up`, or `no_quorum` where it waited for one; a submission, which may have been taken, with `outcome_unknown`.
 */
import type { EdgeMessage, SubmitRequest } from '../../protocols/messages.ts';
import { OUTCOME_UNKNOWN, type Answered, type Submitted } from '../edge/port.ts';
import type { ActorSystem } from './actor-system.ts';
import { Confirmations, type ConfirmationLimits } from './confirmations.ts';
import { PROOF_LIMITS, Questions, type Question, type QuestionLimits } from './questions.ts';

/** Submissions handed over and not answered; beyond it clients are told to come back. */
const SUBMISSIONS_MAX = 100_000;
const SUBMISSION_BYTES_MAX = 64 * 1024 * 1024;
const RETRY_AFTER_MS = 1_000;

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
const LOST: Submitted = {
  ok: false,
  code: OUTCOME_UNKNOWN,
  message: 'the node stops, or restarts its actors',
};

export class Requests {
  readonly #system: ActorSystem;
  readonly #finalised: (tookMs: number) => void;
  readonly #submissions = new Map<number, Waiting>();
  readonly #questions: Questions;
  readonly #confirmations: Confirmations;
  readonly #proofs: Questions;
  #next = 1;
  #bytes = 0;
  #batch: SubmitRequest[] = [];

  /** @param finalised told how long each finalised submission took, in milliseconds */
  constructor(
    system: ActorSystem,
    finalised: (tookMs: number) => void,
    questionLimits?: QuestionLimits,
    confirmationLimits?: ConfirmationLimits,
  ) {
    this.#system = system;
    this.#finalised = finalised;
    const nextNumber = (): number => this.#next++;
    this.#questions = new Questions(system, nextNumber, questionLimits);
    this.#confirmations = new Confirmations(system, nextNumber, confirmationLimits);
    this.#proofs = new Questions(system, nextNumber, PROOF_LIMITS);
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

  ask(question: Question): Promise<Answered> {
    return this.#for(question).ask(question);
  }

  #for({ kind }: Question): Questions {
    return kind === 'prove' ? this.#proofs : this.#questions;
  }

  /** The height of an answer that is `ok` reflects all that was final anywhere when this was called. */
  confirm(): Promise<Answered> {
    return this.#confirmations.confirm();
  }

  /** The actors may have room again. */
  resume(): void {
    this.#confirmations.resume();
    this.#questions.resume();
    this.#proofs.resume();
  }

  answered(message: Exclude<EdgeMessage, { kind: 'programs' }>): void {
    switch (message.kind) {
      case 'submitted':
        for (const { request, ...result } of message.results) this.#resolve(request, result);
        return;
      case 'answer':
        // Each knows its own by their numbers.
        this.#confirmations.answered(message);
        this.#questions.answered(message);
        return this.#proofs.answered(message);
      case 'blockExecuted': {
        const { height } = message.block;
        this.#confirmations.executed(height);
        this.#questions.executed(height);
        return this.#proofs.executed(height);
      }
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
    this.#questions.giveUp();
    this.#confirmations.giveUp();
    this.#proofs.giveUp();
    this.#batch = [];
  }
}
