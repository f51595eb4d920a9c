/**
 * One SubmitStream call: many submissions under way at once, answers as they come.
 *
 * G1. At most IN_FLIGHT_MAX submissions of a call are under way: beyond that the call is not read, and
 *     HTTP/2 flow control pushes back to the client.
 * G2. The call ends only after every request has its answer.
 */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { Problem } from '../edge/problem.ts';
import type { SubmitAnswer, SubmitMessage } from './transactions-service.ts';

const IN_FLIGHT_MAX = 256;

export class SubmitStream {
  readonly #call: ServerDuplexStream<SubmitMessage, object>;
  /** Never rejects. */
  readonly #submit: (request: SubmitMessage) => Promise<SubmitAnswer | Problem>;
  #sequence = 0;
  #inFlight = 0;
  #ended = false;
  #gone = false;

  constructor(
    call: ServerDuplexStream<SubmitMessage, object>,
    submit: (request: SubmitMessage) => Promise<SubmitAnswer | Problem>,
  ) {
    this.#call = call;
    this.#submit = submit;
  }

  start(): void {
    const call = this.#call;
    call.on('data', (request: SubmitMessage) => this.#take(request));
    call.on('end', () => {
      this.#ended = true;
      this.#finish();
    });
    for (const event of ['cancelled', 'error']) {
      call.on(event, () => {
        this.#gone = true;
      });
    }
  }

  #take(request: SubmitMessage): void {
    const sequence = this.#sequence++;
    if (++this.#inFlight >= IN_FLIGHT_MAX) this.#call.pause();
    void this.#submit(request).then((outcome) =>
      this.#answer(sequence, request.requestId, outcome),
    );
  }

  #answer(sequence: number, requestId: string, outcome: SubmitAnswer | Problem): void {
    this.#inFlight--;
    if (this.#gone) return;
    const told = outcome instanceof Problem ? { problem: view(outcome) } : { response: outcome };
    this.#call.write({ sequence, requestId, ...told });
    if (this.#call.isPaused()) this.#call.resume();
    this.#finish();
  }

  #finish(): void {
    if (this.#ended && this.#inFlight === 0 && !this.#gone) this.#call.end();
  }
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
