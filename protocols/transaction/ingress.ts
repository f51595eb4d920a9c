/**
 * The requests that wait at this node: from the bytes that a client handed over to the one answer
 * that it gets.
 *
 * I58. Every request is answered exactly once: with the receipts of its submission, or with why it was
 *      not executed; one that waits for no more than admission, with that.
 * I125. None that executed is said to be refused: what waits here is answered when it executes, and before
 *      it is said of anything else that it can not execute any more, the log is asked for its receipts.
 * I59. What waits is bounded in number and in bytes; beyond the bound a request is refused with a time
 *      to retry, and nothing is dropped silently.
 */
import { bytesEqual } from '../bytes.ts';
import type { Crypto } from '../crypto.ts';
import type { Cluster } from '../genesis.ts';
import type { SubmissionReceipts, SubmitRequest, SubmitResult } from '../messages.ts';
import type { Digest, Millis, PublicKey } from '../types.ts';
import { Admitter, refusedAs, type ChainRefusal } from './admission.ts';
import type { Executor } from './executor.ts';
import { keyName } from './idempotency.ts';
import * as limits from './ingress-limits.ts';
import type { Place } from './places.ts';
import { RecentReceipts } from './recent-receipts.ts';
import { isRefusal, refusal, type Refusal } from './refusals.ts';
import { Sealing, type Sealable } from './sealing.ts';
import { submissionId } from './submission.ts';
import type { Submission } from './submission-reader.ts';

interface Waiting extends Sealable {
  readonly id: Digest;
  readonly submission: Submission;
  readonly requests: number[];
}

/** A question that only the log can answer; `absent` is the answer when it does not know either. */
export interface Lookup {
  readonly request: number;
  readonly id: Digest;
  readonly absent: Refusal;
}

export interface IngressMode {
  readonly draining: boolean;
  readonly catchingUp: boolean;
}

export const DRAINING = refusal(
  'draining',
  'the node is about to stop: ask another one',
  limits.RETRY_DRAINING_MS,
);
const CATCHING_UP = refusal(
  'catching_up',
  'the node executes its log again after a restart',
  limits.RETRY_CATCHING_UP_MS,
);
const IN_PROGRESS = refusal(
  'in_progress',
  'a request with this idempotency key is under way',
  limits.RETRY_PROGRESS_MS,
);
export const LOG_BUSY = refusal(
  'overloaded',
  'too many requests wait for the log of this node',
  limits.RETRY_OVERLOADED_MS,
);
const RECEIPTS_PENDING = refusal(
  'receipts_pending',
  'executed; its receipts are being written: send the same again',
  limits.RETRY_PROGRESS_MS,
);

export class Ingress {
  readonly sealing: Sealing;
  readonly recent = new RecentReceipts();
  readonly #crypto: Crypto;
  readonly #executor: Executor;
  readonly #admitter: Admitter;
  readonly #waiting = new Map<Digest, Waiting>();
  /** Submissions that wait, by idempotency key. */
  readonly #byKey = new Map<string, Waiting>();
  #requests = 0;
  #bytes = 0;
  /** No waiting submission expires before. */
  #firstExpiry = Infinity;
  /** Answers and questions since the machine took them last. */
  #results: SubmitResult[] = [];
  #lookups: Lookup[] = [];

  constructor(crypto: Crypto, cluster: Cluster, ownKey: PublicKey, executor: Executor) {
    this.#crypto = crypto;
    this.#executor = executor;
    this.#admitter = new Admitter(crypto, cluster, ownKey, executor.state);
    this.sealing = new Sealing(cluster.genesis.limits);
  }

  get requests(): number {
    return this.#requests;
  }

  get bytes(): number {
    return this.#bytes;
  }

  has(id: Digest): boolean {
    return this.#waiting.has(id);
  }

  /** Whether the signature is the one that was checked when this submission was taken. */
  isChecked(id: Digest, signature: Uint8Array): boolean {
    const waiting = this.#waiting.get(id);
    return waiting !== undefined && bytesEqual(waiting.submission.signature(), signature);
  }

  take(request: SubmitRequest, now: Millis, mode: IngressMode): void {
    if (mode.draining) return this.#refuse([request.request], DRAINING);
    if (mode.catchingUp) return this.#refuse([request.request], CATCHING_UP);
    const submission = this.#executor.reader.parse(request.bytes);
    if (isRefusal(submission)) return this.#refuse([request.request], submission);
    const id = submissionId(this.#crypto, submission.signed());
    const known = this.#waiting.get(id);
    if (known !== undefined) return this.#join(known, request);
    const admission = this.#admitter.admit(submission, id, this.#executor.time, now);
    switch (admission.kind) {
      case 'admitted':
        return this.#admit(request, submission, id);
      case 'executed':
        return this.#answerFrom([request.request], admission.place.id, RECEIPTS_PENDING);
      case 'over':
        return this.#answerFrom([request.request], id, refusedAs(admission.code));
      case 'refused':
        return this.#refuse([request.request], admission.refusal);
    }
  }

  executed(receipts: SubmissionReceipts): void {
    this.recent.add(receipts);
    const waiting = this.#end(receipts.id);
    if (waiting === null) return;
    for (const request of waiting.requests) this.#results.push({ request, ok: true, receipts });
  }

  repeated(id: Digest, place: Place): void {
    const waiting = this.#end(id);
    if (waiting !== null) this.#answerFrom(waiting.requests, place.id, RECEIPTS_PENDING);
  }

  refused(id: Digest, code: ChainRefusal): void {
    const waiting = this.#end(id);
    if (waiting !== null) this.#refuse(waiting.requests, refusedAs(code));
  }

  /** Everything that was not executed by block time `time` and can not be any more. */
  expire(time: Millis): void {
    if (time < this.#firstExpiry) return;
    this.#firstExpiry = Infinity;
    for (const { id, submission, requests } of this.#waiting.values()) {
      const { validUntil } = submission;
      if (validUntil > time) this.#firstExpiry = Math.min(this.#firstExpiry, validUntil);
      else {
        this.#end(id);
        this.#refuse(requests, refusedAs('expired'));
      }
    }
  }

  takeResults(): SubmitResult[] {
    const results = this.#results;
    if (results.length > 0) this.#results = [];
    return results;
  }

  takeLookups(): Lookup[] {
    const lookups = this.#lookups;
    if (lookups.length > 0) this.#lookups = [];
    return lookups;
  }

  #admit(asked: SubmitRequest, submission: Submission, id: Digest): void {
    const name = submission.kind === 'node' ? keyName(submission) : null;
    if (name !== null && this.#byKey.has(name))
      return this.#refuse([asked.request], this.#clash(name, submission));
    const full = this.#obstacle(submission.bytes.length);
    if (full !== null) return this.#refuse([asked.request], full);
    const waiting: Waiting = {
      id,
      submission,
      requests: [],
      bytes: submission.bytes,
      txCount: submission.txCount,
      isWanted: () => this.#waiting.get(id) === waiting,
    };
    this.#waiting.set(id, waiting);
    if (name !== null) this.#byKey.set(name, waiting);
    this.#bytes += submission.bytes.length;
    this.#firstExpiry = Math.min(this.#firstExpiry, submission.validUntil);
    this.sealing.add(waiting);
    this.#join(waiting, asked);
  }

  /** Two requests under one idempotency key at the same time. */
  #clash(name: string, submission: Submission): Refusal {
    const first = this.#byKey.get(name)!.submission;
    const same = bytesEqual(first.content(), submission.content());
    return same ? IN_PROGRESS : refusedAs('idempotency_key_reused');
  }

  #obstacle(bytes: number): Refusal | null {
    // Of submissions whose clients wait for no more than admission there may be more than requests.
    const waiting = Math.max(this.#requests, this.#waiting.size);
    const crowded = waiting >= limits.WAITING_REQUESTS_MAX;
    // Bytes are bounded there, before the lane and in it.
    const code = crowded ? 'overloaded' : this.sealing.obstacle(bytes);
    if (code === null) return null;
    if (code === 'lane_full') {
      return refusal(code, 'this node waits for its earlier batches', limits.RETRY_FULL_MS);
    }
    return refusal(code, 'too much waits at this node', limits.RETRY_OVERLOADED_MS);
  }

  #join(waiting: Waiting, { request, until }: SubmitRequest): void {
    if (until === 'admitted') return void this.#results.push({ request, ok: true, receipts: null });
    const crowded =
      this.#requests >= limits.WAITING_REQUESTS_MAX ||
      waiting.requests.length >= limits.REQUESTS_PER_SUBMISSION_MAX;
    if (crowded) {
      const message = 'too many requests wait for this submission';
      return this.#refuse([request], refusal('overloaded', message, limits.RETRY_OVERLOADED_MS));
    }
    waiting.requests.push(request);
    this.#requests++;
  }

  /** The submission waits no more; its requests are the caller's to answer. */
  #end(id: Digest): Waiting | null {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return null;
    this.#waiting.delete(id);
    const { submission } = waiting;
    if (submission.kind === 'node') this.#byKey.delete(keyName(submission));
    this.#requests -= waiting.requests.length;
    this.#bytes -= submission.bytes.length;
    return waiting;
  }

  #answerFrom(requests: readonly number[], id: Digest, absent: Refusal): void {
    const receipts = this.recent.get(id);
    for (const request of requests) {
      if (receipts !== undefined) this.#results.push({ request, ok: true, receipts });
      else this.#lookups.push({ request, id, absent });
    }
  }

  #refuse(requests: readonly number[], why: Refusal): void {
    for (const request of requests) this.#results.push(refusedResult(request, why));
  }
}

export function refusedResult(request: number, why: Refusal): SubmitResult {
  const { code, message, retryAfterMs } = why;
  return retryAfterMs === undefined
    ? { request, ok: false, code, message }
    : { request, ok: false, code, message, retryAfterMs };
}
