/** Questions about one submission that only the log can answer, and who waits for the answer. */
import type { LogEvent, Output } from '../machine.ts';
import type { AnswerResult, Effect } from '../messages.ts';
import type { SubmissionReceipts } from '../submission-receipts.ts';
import type { Digest } from '../types.ts';
import { BUSY, tellAnswer, tellEdge } from './edge-answers.ts';
import type { Executor } from './executor.ts';
import { refusedResult, type Ingress, type Lookup } from './ingress.ts';
import { WAITING_REQUESTS_MAX } from './ingress-limits.ts';
import { findReceipts, RECEIPTS_STREAM } from './receipt-log.ts';

type Asker =
  | { readonly kind: 'submit'; readonly lookup: Lookup }
  | { readonly kind: 'find'; readonly request: number; readonly id: Digest };

export class Lookups {
  readonly #executor: Executor;
  readonly #ingress: Ingress;
  readonly #askers = new Map<string, Asker>();
  #asked = 0;

  constructor(executor: Executor, ingress: Ingress) {
    this.#executor = executor;
    this.#ingress = ingress;
  }

  /** False when too many wait for the log already. */
  take(lookup: Lookup, out: Output<Effect>): boolean {
    return this.#ask({ kind: 'submit', lookup }, lookup.id, out);
  }

  /** The edge asks for the receipts of a submission. */
  find(request: number, id: Digest, out: Output<Effect>): void {
    const known = this.#ingress.recent.get(id);
    if (known !== undefined) return this.#answer(request, known, id, out);
    if (this.#ask({ kind: 'find', request, id }, id, out)) return;
    tellAnswer(out, request, this.#executor.height, BUSY);
  }

  found(tag: string, event: LogEvent | null, out: Output<Effect>): void {
    const asker = this.#askers.get(tag);
    if (asker === undefined) return;
    this.#askers.delete(tag);
    const id = asker.kind === 'find' ? asker.id : asker.lookup.id;
    const receipts =
      event === null || event.stream !== RECEIPTS_STREAM ? null : findReceipts(event, id);
    if (asker.kind === 'find') return this.#answer(asker.request, receipts, id, out);
    const { request, absent } = asker.lookup;
    const result =
      receipts === null
        ? refusedResult(request, absent)
        : ({ request, ok: true, receipts } as const);
    tellEdge(out, { kind: 'submitted', results: [result] });
  }

  #ask(asker: Asker, id: Digest, out: Output<Effect>): boolean {
    if (this.#askers.size >= WAITING_REQUESTS_MAX) return false;
    const tag = `find/${this.#asked++}`;
    this.#askers.set(tag, asker);
    out.immediate.push({ kind: 'findLog', tag, key: id });
    return true;
  }

  #answer(
    request: number,
    receipts: SubmissionReceipts | null,
    id: Digest,
    out: Output<Effect>,
  ): void {
    tellAnswer(out, request, this.#executor.height, this.#resultOf(receipts, id));
  }

  #resultOf(receipts: SubmissionReceipts | null, id: Digest): AnswerResult {
    if (receipts !== null) return { ok: true, value: receipts };
    if (this.#ingress.has(id)) {
      return { ok: false, code: 'in_progress', message: 'the submission is not final yet' };
    }
    return { ok: false, code: 'not_found', message: 'no such submission was executed here' };
  }
}
