/**
 * One SubmitStream call: many submissions under way at once, answers as they come. How many, and that
 * a client which does not read its answers is not read either, is the intake's to see to (G4).
 *
 * G1. Answers leave one by one, as fast as the client takes them; those that wait are kept as compact
 *     as the node gave them.
 * G2. The call ends only after every request has its answer.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { Outcome } from '../edge/outcome.ts';
import { Problem } from '../edge/problem.ts';
import { submitAnswer } from './submit-answer.ts';
import type { SubmitMessage } from './transactions-service.ts';

interface Told {
  readonly sequence: number;
  readonly requestId: string;
  readonly outcome: Outcome | Problem;
}

export class SubmitStream {
  readonly #call: ServerDuplexStream<SubmitMessage, object>;
  /** Never rejects. */
  readonly #submit: (request: SubmitMessage) => Promise<Outcome | Problem>;
  readonly #told: Told[] = [];
  #sequence = 0;
  #unanswered = 0;
  #isSending = false;
  #ended = false;
  #gone = false;

  constructor(
    call: ServerDuplexStream<SubmitMessage, object>,
    submit: (request: SubmitMessage) => Promise<Outcome | Problem>,
  ) {
    this.#call = call;
    this.#submit = submit;
  }

  start(): void {
    const call = this.#call;
    call.on('data', (request: SubmitMessage) => this.#take(request));
    call.on('end', () => {
      this.#ended = true;
      this.#send();
    });
    for (const event of ['cancelled', 'error']) {
      call.on(event, () => {
        this.#gone = true;
      });
    }
  }

  #take(request: SubmitMessage): void {
    const sequence = this.#sequence++;
    const { requestId } = request;
    this.#unanswered++;
    void this.#submit(request).then((outcome) => {
      this.#told.push({ sequence, requestId, outcome });
      this.#send();
    });
  }

  #send(): void {
    if (this.#isSending || this.#gone) return;
    const told = this.#told.shift();
    if (told !== undefined) {
      this.#isSending = true;
      this.#call.write(answerOf(told), () => {
        this.#isSending = false;
        this.#unanswered--;
        this.#send();
      });
    } else if (this.#ended && this.#unanswered === 0) this.#call.end();
  }
}

function answerOf({ sequence, requestId, outcome }: Told): object {
  return outcome instanceof Problem
    ? { sequence, requestId, problem: view(outcome) }
    : { sequence, requestId, response: submitAnswer(outcome) };
}

function view({ code, detail, field, retryAfterMs, status, extras }: Problem): object {
  const id = extras['id'];
  return {
    code,
    detail,
    field: field ?? '',
    retryAfterMs: retryAfterMs ?? 0,
    httpStatus: status,
    id: typeof id === 'string' ? id : '',
  };
}
