/**
 * Sends signed submissions that execute once, however often they are sent and to whichever nodes (rule E2).
 *
 * X1. What is sent again is the same bytes, so it executes at most once. Whoever says that it executed is
 *     to prove it; where that does not succeed, the next node is sent the same.
 */
import type { Crypto } from '../../protocols/crypto.ts';
import { submissionId } from '../../protocols/transaction/submission.ts';
import { decodeReceipts, type Receipt } from '../../protocols/transaction/receipts.ts';
import type { Digest } from '../../protocols/types.ts';
import { isRefusal, Refusals } from './asking.ts';
import { OutcomeUnknown } from './errors.ts';
import { problemOf, type NodeAnswer, type Nodes } from './nodes.ts';
import { readOutcomes } from './outcomes.ts';
import { within } from './waiting.ts';

export const SUBMISSION_TYPE = 'application/vnd.althing.submission';
export const RECEIPTS_TYPE = 'application/vnd.althing.receipts';

export interface SubmitterOptions {
  readonly nodes: Nodes;
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

/** What a node says of a submission, from that node, proved; null when it does not prove it. */
export type Prove = (node: number, id: Digest, signal: AbortSignal) => Promise<Submitted | null>;

/** Time for an answer after the submission has expired: a node may have to catch up to say so. */
const AFTERWARDS_MS = 15_000;

export class Submitter {
  readonly #options: SubmitterOptions;

  constructor(options: SubmitterOptions) {
    this.#options = options;
  }

  idOf(bytes: Uint8Array): Digest {
    return submissionId(this.#options.crypto, bytes.subarray(0, bytes.length - 64));
  }

  /**
   * Sends until the submission is final, and proved where `prove` is given. Throws AlthingError when it
   * was refused and never executes, OutcomeUnknown when nobody could tell in time.
   */
  send(bytes: Uint8Array, prove: Prove | null, signal?: AbortSignal): Promise<Submitted> {
    const { nodes, validityMs, faultyMax } = this.#options;
    const id = this.idOf(bytes);
    return within(validityMs + AFTERWARDS_MS, signal, async (patience) => {
      const refusals = new Refusals(nodes, faultyMax + 1);
      let last = 'no node answered';
      for await (const node of nodes.turns(patience)) {
        const answer = await nodes.ask(node, requestOf(bytes), patience);
        if (answer === null) continue;
        const said = finalOf(answer, id);
        if (said !== null) {
          const submitted = prove === null ? said : await prove(node, id, patience);
          if (submitted !== null) return submitted;
          last = `not_proved: ${nodes.urls[node]} says that it is final, and does not prove it`;
          nodes.distrust(node);
          continue;
        }
        const problem = problemOf(answer);
        last = `${problem.code}: ${problem.message}`;
        if (isRefusal(answer.status) && refusals.areEnough(node, problem)) throw problem;
      }
      throw new OutcomeUnknown(id, bytes, last);
    });
  }
}

function requestOf(body: Uint8Array) {
  const headers = { 'content-type': SUBMISSION_TYPE, accept: RECEIPTS_TYPE };
  return { method: 'POST', path: '/api/v11/transactions', headers, body } as const;
}

/** Null also for an answer that is about something else, or unreadable. */
function finalOf({ status, body }: NodeAnswer, id: Digest): Submitted | null {
  if (status !== 200) return null;
  const outcomes = readOutcomes(body);
  if (outcomes === null || outcomes.id !== id) return null;
  const receipts = decodeReceipts(outcomes);
  return receipts === null ? null : { id, height: outcomes.height, receipts };
}
