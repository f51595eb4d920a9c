/** What the edge asks of the executed state, answered between blocks: queries, proofs, and confirmations. */
import type { AnswerResult, Effect, TransactionInput } from '../messages.ts';
import type { Output } from '../machine.ts';
import type { Millis } from '../types.ts';
import { Confirmations } from './confirmations.ts';
import { BUSY, CATCHING_UP, tellAnswer } from './edge-answers.ts';
import type { Executor } from './executor.ts';
import { DRAINING, type IngressMode } from './ingress.ts';
import type { Prover } from './prover.ts';
import type { AskedQuery, Queries } from './queries.ts';

/** Between two steps that answer queries everybody else has a turn. */
export const ANSWER_TIMER = 'transaction/answer';

type AskedProof = Extract<TransactionInput, { kind: 'prove' }>;
type Out = Output<Effect>;

const DRAINS: AnswerResult = { ok: false, code: DRAINING.code, message: DRAINING.message };
const CONFIRMED: AnswerResult = { ok: true, value: null };

export class Answering {
  readonly confirmations = new Confirmations();
  readonly #executor: Executor;
  readonly #queries: Queries;
  readonly #prover: Prover;
  /** Queries were answered, and no turn has passed since. */
  #pauses = false;

  constructor(executor: Executor, queries: Queries, prover: Prover) {
    this.#executor = executor;
    this.#queries = queries;
    this.#prover = prover;
  }

  query(asked: AskedQuery, now: Millis, out: Out): void {
    if (this.#queries.take(asked)) return this.answer(now, out);
    tellAnswer(out, asked.request, this.#executor.height, BUSY);
  }

  prove(asked: AskedProof, { catchingUp }: IngressMode, now: Millis, out: Out): void {
    if (catchingUp) return tellAnswer(out, asked.request, this.#executor.height, CATCHING_UP);
    this.#prover.take(asked, now, out);
    this.answer(now, out);
  }

  confirm(request: number, { draining, catchingUp }: IngressMode, out: Out): void {
    const { height } = this.#executor;
    if (draining) return tellAnswer(out, request, height, DRAINS);
    if (catchingUp) return tellAnswer(out, request, height, CATCHING_UP);
    if (!this.confirmations.take(request)) tellAnswer(out, request, height, BUSY);
  }

  /** A block was executed; `sealed`: so many batches of this node lie at or below it. */
  blockDone(sealed: number, now: Millis, out: Out): void {
    const { height } = this.#executor;
    for (const request of this.confirmations.executed(sealed)) {
      tellAnswer(out, request, height, CONFIRMED);
    }
    this.answer(now, out);
  }

  /** ANSWER_TIMER went off. */
  goOn(now: Millis, out: Out): void {
    this.#pauses = false;
    this.answer(now, out);
  }

  /** Those that come in the middle of a block are answered at its end (I99). */
  answer(now: Millis, out: Out): void {
    if ((this.#queries.waiting === 0 && !this.#prover.isDue) || this.#pauses) return;
    if (!this.#executor.isBetweenBlocks) return;
    this.#queries.answer((request, height, result) => tellAnswer(out, request, height, result));
    this.#prover.answer(out);
    this.#pauses = true;
    out.immediate.push({ kind: 'setTimer', timer: ANSWER_TIMER, at: now });
  }
}
