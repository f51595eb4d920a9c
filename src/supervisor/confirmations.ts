/**
 * Readers that wait until this node has executed all that was final when they came (I106, I18).
 *
 * Those that come within one turn of the event loop, or while ASKED_MAX requests are with the actor,
 * share one request. A reader waits for a bounded time: where no quorum is, none confirms it.
 */
import type { EdgeMessage } from '../../protocols/messages.ts';
import type { Answered } from '../edge/port.ts';
import type { ActorSystem } from './actor-system.ts';
import { RESTARTING } from './questions.ts';

export interface ConfirmationLimits {
  readonly waitingMax: number;
  /** Milliseconds until a reader that nothing confirmed is told so. */
  readonly waitMsMax: number;
}

const LIMITS: ConfirmationLimits = { waitingMax: 4_096, waitMsMax: 3_000 };
/** Requests with the actor. One that is not answered keeps its place, whether or not its readers wait. */
const ASKED_MAX = 4;

interface Reader {
  readonly resolve: (answer: Answered) => void;
  readonly deadline: NodeJS.Timeout;
}

const TOO_MANY = {
  code: 'overloaded',
  message: 'as many linearizable reads wait at this node as it can take: ask again later',
} as const;

export class Confirmations {
  readonly #system: ActorSystem;
  readonly #nextNumber: () => number;
  readonly #limits: ConfirmationLimits;
  /** By request, those that wait for its answer. */
  readonly #asked = new Map<number, ReadonlySet<Reader>>();
  #next = new Set<Reader>();
  readonly #waiting = new Set<Reader>();
  #height = 0;
  #flushing = false;

  /** @param nextNumber numbers a request to the actors */
  constructor(system: ActorSystem, nextNumber: () => number, limits = LIMITS) {
    this.#system = system;
    this.#nextNumber = nextNumber;
    this.#limits = limits;
  }

  confirm(): Promise<Answered> {
    const { waitingMax, waitMsMax } = this.#limits;
    if (this.#waiting.size >= waitingMax) return Promise.resolve(this.#refusal(TOO_MANY));
    return new Promise((resolve) => {
      const message = `no quorum confirmed the read within ${waitMsMax} ms: ask again, or another node`;
      const late = (): void => this.#end(reader, this.#refusal({ code: 'no_quorum', message }));
      const reader = { resolve, deadline: setTimeout(late, waitMsMax) };
      this.#waiting.add(reader);
      this.#next.add(reader);
      if (this.#flushing) return;
      this.#flushing = true;
      queueMicrotask(() => {
        this.#flushing = false;
        this.resume();
      });
    });
  }

  /** Asks for those that no request was made for, if the actor has room. */
  resume(): void {
    if (this.#next.size === 0 || this.#asked.size >= ASKED_MAX) return;
    if (this.#system.isFull('transaction', 'client')) return;
    const request = this.#nextNumber();
    this.#asked.set(request, this.#next);
    this.#next = new Set();
    const message = { kind: 'confirm', request } as const;
    this.#system.send('transaction', { kind: 'local', to: 'transaction', message });
  }

  /** False when the answer is not to one of these requests. */
  answered({ request, height, result }: Extract<EdgeMessage, { kind: 'answer' }>): boolean {
    const readers = this.#asked.get(request);
    if (readers === undefined) return false;
    this.#asked.delete(request);
    for (const reader of readers) this.#end(reader, { height, result });
    this.resume();
    return true;
  }

  /** The height that refusals tell. */
  executed(height: number): void {
    this.#height = height;
  }

  /** The actors lost what they were asked, or have no more time for it. */
  giveUp(): void {
    this.#asked.clear();
    this.#next.clear();
    for (const reader of this.#waiting) this.#end(reader, this.#refusal(RESTARTING));
  }

  #end(reader: Reader, answer: Answered): void {
    if (!this.#waiting.delete(reader)) return;
    clearTimeout(reader.deadline);
    this.#next.delete(reader);
    reader.resolve(answer);
  }

  #refusal({ code, message }: { readonly code: string; readonly message: string }): Answered {
    return { height: this.#height, result: { ok: false, code, message } };
  }
}
