/**
 * Sends signed submissions that execute once, however often they are sent and to whichever nodes (rule E2).
 *
 * X1. What is sent again is the same bytes, so it executes at most once. Whoever says that it executed is
 *     to prove it; where that does not succeed, the next node is sent the same. Where a node is believed,
 *     no more is read than the outcomes of as many transactions as were sent (X3).
 */
import type { Crypto } from '../../protocols/crypto.ts';
import { DEFAULT_LIMITS } from '../../protocols/genesis.ts';
import { isRefusal } from '../../protocols/transaction/refusals.ts';
import { submissionId } from '../../protocols/transaction/submission.ts';
import {
  SubmissionReader,
  type Submission,
} from '../../protocols/transaction/submission-reader.ts';
import { decodeReceipts, type Receipt } from '../../protocols/transaction/receipts.ts';
import type { SubmissionOutcomes } from '../../protocols/submission-receipts.ts';
import type { Digest } from '../../protocols/types.ts';
import { isFinalRefusal, Refusals } from './asking.ts';
import { AlthingError, OutcomeUnknown } from './errors.ts';
import { attempts } from './hedging.ts';
import { problemOf, type NodeAnswer, type Nodes } from './nodes.ts';
import { readOutcomes } from './outcomes.ts';
import { Said } from './said.ts';
import { within } from './waiting.ts';

export const SUBMISSION_TYPE = 'application/vnd.althing.submission';
export const RECEIPTS_TYPE = 'application/vnd.althing.receipts';

export interface SubmitterOptions {
  readonly nodes: Nodes;
  readonly clusterId: Digest;
  /** f: how many nodes may be faulty. */
  readonly faultyMax: number;
  readonly crypto: Crypto;
  /** How long a submission may wait to be executed, in milliseconds: as long is its outcome asked for. */
  readonly validityMs: number;
}

/** A submission that is final. */
export interface Submitted {
  readonly id: Digest;
  readonly height: number;
  /** One for each transaction, in order. */
  readonly receipts: readonly Receipt[];
}

/** What a node says of a submission, from that node, proved; or why it does not prove it. */
export type Prove = (
  node: number,
  id: Digest,
  signal: AbortSignal,
) => Promise<Submitted | AlthingError>;

/** Time for an answer after the submission has expired: a node may have to catch up to say so. */
const AFTERWARDS_MS = 15_000;
/** As a proof of them may have. */
const RECEIPTS_BYTES_MAX = 16 * 1024 * 1024;
/** What a cluster takes, its nodes say. */
const BOUNDLESS = {
  ...DEFAULT_LIMITS,
  submissionBytesMax: Infinity,
  transactionBytesMax: Infinity,
  transactionsPerSubmissionMax: Infinity,
};

export class Submitter {
  readonly #options: SubmitterOptions;
  readonly #reader: SubmissionReader;

  constructor(options: SubmitterOptions) {
    this.#options = options;
    this.#reader = new SubmissionReader(options.clusterId, BOUNDLESS);
  }

  /** Throws AlthingError `malformed` or `wrong_cluster`. */
  #parse(bytes: Uint8Array): Submission {
    const submission = this.#reader.parse(bytes);
    if (!isRefusal(submission)) return submission;
    throw new AlthingError(submission.code, submission.message);
  }

  /**
   * Sends until the submission is final, and proved where `prove` is given. Throws AlthingError when it
   * was refused and never executes, OutcomeUnknown when nobody could tell in time.
   */
  async send(bytes: Uint8Array, prove: Prove | null, signal?: AbortSignal): Promise<Submitted> {
    const { nodes, validityMs, faultyMax, crypto } = this.#options;
    const submission = this.#parse(bytes);
    const id = submissionId(crypto, submission.signed());
    return within(validityMs + AFTERWARDS_MS, signal, async (patience) => {
      const refusals = new Refusals(nodes, faultyMax + 1);
      const said = new Said(nodes);
      const one = (node: number, end: AbortSignal) =>
        this.#sendTo(node, submission, bytes, { id, prove, end });
      for await (const { node, result, ms } of attempts(nodes, 'POST', patience, one)) {
        if (result === null) continue;
        if (!(result instanceof AlthingError)) {
          nodes.prefer(node, 'POST', ms);
          return result;
        }
        said.add(node, result);
        if (isFinalRefusal(result) && refusals.areEnough(node, result)) throw result;
      }
      throw new OutcomeUnknown(id, bytes, said.text);
    });
  }

  /** What one node makes of it: null without an answer. */
  async #sendTo(
    node: number,
    submission: Submission,
    bytes: Uint8Array,
    { id, prove, end }: { id: Digest; prove: Prove | null; end: AbortSignal },
  ): Promise<Submitted | AlthingError | null> {
    const { nodes } = this.#options;
    const answer = await nodes.ask(node, requestOf(bytes), end);
    if (answer === null) return null;
    const said = outcomesIn(answer, id);
    if (said === null) return problemOf(answer);
    const submitted = prove === null ? believed(said, submission) : await prove(node, id, end);
    if (!(submitted instanceof AlthingError)) return submitted;
    nodes.distrust(node);
    const reason = `${submitted.code}: ${submitted.message}`;
    const detail = `it says that it is final, and does not prove it: ${reason}`;
    return new AlthingError('not_proved', detail);
  }
}

function requestOf(body: Uint8Array) {
  const headers = { 'content-type': SUBMISSION_TYPE, accept: RECEIPTS_TYPE };
  const path = '/api/v11/transactions';
  return { method: 'POST', path, headers, body, bytesMax: RECEIPTS_BYTES_MAX } as const;
}

/** Null also for an answer that is about something else. */
function outcomesIn({ status, body }: NodeAnswer, id: Digest): SubmissionOutcomes | null {
  const outcomes = status === 200 ? readOutcomes(body) : null;
  return outcomes?.id === id ? outcomes : null;
}

/** As the node says, unless these are not the outcomes of so many transactions. */
function believed(outcomes: SubmissionOutcomes, { txCount }: Submission): Submitted | AlthingError {
  const receipts = outcomes.txCount === txCount ? decodeReceipts(outcomes) : null;
  if (receipts === null) return new AlthingError('bad_answer', 'these are no receipts of it');
  return { id: outcomes.id, height: outcomes.height, receipts };
}
