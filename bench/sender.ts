/**
 * The client of the benches: sends a submission over kept-alive connections, and when a node refuses,
 * dies or says nothing, sends the same bytes to the next node until its patience ends. Sending twice
 * is safe, because a submission executes once (rule E2).
 */
import { Pool } from 'undici';
import { toHex } from '../protocols/bytes.ts';
import type { SubmissionOutcomes } from '../protocols/messages.ts';
import { decodeReceipts } from '../protocols/transaction/receipts.ts';
import type { Digest } from '../protocols/types.ts';

const SUBMISSION_TYPE = 'application/vnd.althing.submission';
const RECEIPTS_TYPE = 'application/vnd.althing.receipts';
/** Before the outcomes: submission id, height, index, number of transactions. */
const RECEIPTS_HEAD_BYTES = 48;
/** Before the first retry; each later pause is twice as long, up to the second. */
const RETRY_MS_MIN = 25;
const RETRY_MS_MAX = 400;
const ERROR_TEXT_MAX = 300;

export interface SenderOptions {
  readonly urls: readonly string[];
  readonly connectionsPerNode: number;
  /** From the first attempt on; after it a submission counts as failed. */
  readonly patienceMs: number;
  /** One node's time to answer. */
  readonly attemptMs: number;
}

export type Sent =
  | { readonly ok: true; readonly retries: number; readonly receipts: SubmissionOutcomes }
  | { readonly ok: false; readonly retries: number; readonly error: string };

type Attempt =
  | { readonly kind: 'answered'; readonly receipts: SubmissionOutcomes }
  | { readonly kind: 'again' | 'refused'; readonly error: string };

export class Sender {
  readonly #pools: readonly Pool[];
  readonly #patienceMs: number;

  constructor({ urls, connectionsPerNode, patienceMs, attemptMs }: SenderOptions) {
    const options = { connections: connectionsPerNode, pipelining: 1 };
    const timeouts = { headersTimeout: attemptMs, bodyTimeout: attemptMs };
    this.#pools = urls.map((url) => new Pool(url, { ...options, ...timeouts }));
    this.#patienceMs = patienceMs;
  }

  /** Sends to `node` first. Resolves when the submission is answered, refused, or out of time. */
  async send(bytes: Uint8Array, node: number): Promise<Sent> {
    const deadline = performance.now() + this.#patienceMs;
    for (let retries = 0; ; retries++) {
      const attempt = await this.#attempt(bytes, node + retries);
      if (attempt.kind === 'answered') {
        if (performance.now() <= deadline) return judge(attempt.receipts, retries);
        return { ok: false, retries, error: `answered after more than ${this.#patienceMs} ms` };
      }
      const pause = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** retries);
      if (attempt.kind === 'refused' || performance.now() + pause > deadline) {
        return { ok: false, retries, error: attempt.error };
      }
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  async #attempt(bytes: Uint8Array, node: number): Promise<Attempt> {
    const pool = this.#pools[node % this.#pools.length]!;
    try {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: '/api/v11/transactions',
        headers: { 'content-type': SUBMISSION_TYPE, accept: RECEIPTS_TYPE },
        body: bytes,
      });
      if (statusCode === 200) {
        return {
          kind: 'answered',
          receipts: readReceipts(new Uint8Array(await body.arrayBuffer())),
        };
      }
      const error = `${statusCode} ${(await body.text()).slice(0, ERROR_TEXT_MAX)}`;
      return { kind: statusCode >= 500 || statusCode === 429 ? 'again' : 'refused', error };
    } catch (error) {
      return { kind: 'again', error: error instanceof Error ? error.message : String(error) };
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
  }
}

function readReceipts(answer: Uint8Array): SubmissionOutcomes {
  const view = new DataView(answer.buffer, answer.byteOffset);
  return {
    id: toHex(answer.subarray(0, 32)) as Digest,
    height: Number(view.getBigUint64(32)),
    index: view.getUint32(40),
    txCount: view.getUint32(44),
    encoded: answer.subarray(RECEIPTS_HEAD_BYTES),
  };
}

/** Only transactions that succeeded count; a failed one makes its whole submission a failure. */
function judge(receipts: SubmissionOutcomes, retries: number): Sent {
  const decoded = decodeReceipts(receipts);
  if (decoded === null) return { ok: false, retries, error: 'receipts that cannot be read' };
  const failed = decoded.find(({ status }) => status === 'failed');
  if (failed === undefined) return { ok: true, retries, receipts };
  return { ok: false, retries, error: `${failed.error?.code}: ${failed.error?.message}` };
}
