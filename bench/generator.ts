/**
 * The load generator: a process of its own, so that its CPU is not the cluster's. It prepares signed
 * submissions, then sends them to all nodes over kept-alive connections and measures, by its own
 * clock, from when a submission should have left to its receipts.
 */
import { createHistogram, performance, type RecordableHistogram } from 'node:perf_hooks';
import { Pool } from 'undici';
import { toHex } from '../protocols/bytes.ts';
import { decodeReceipts } from '../protocols/transaction/receipts.ts';
import type { Digest } from '../protocols/types.ts';

const SUBMISSION_TYPE = 'application/vnd.althing.submission';
const RECEIPTS_TYPE = 'application/vnd.althing.receipts';
/** Before the outcomes: submission id, height, index, number of transactions (the edge's receiptsBytes). */
const RECEIPTS_HEAD_BYTES = 48;
const ATTEMPTS_MAX = 200;
const RETRY_MS = 50;

export interface RunResult {
  readonly seconds: number;
  /** Submissions answered with receipts. */
  readonly answered: number;
  readonly transactions: number;
  /** Submissions whose receipts show a failed transaction, or that were refused for good. */
  readonly failed: number;
  readonly retries: number;
  /** Milliseconds from due to answered. */
  readonly latency: Percentiles;
  readonly firstError: string | null;
}

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Sender {
  /** Sends one submission until it is answered; resolves with the number of retries. */
  send(bytes: Uint8Array, node: number): Promise<{ readonly ok: boolean; readonly retries: number; readonly error?: string }>;
  close(): Promise<void>;
}

export function newSender(urls: readonly string[], connectionsPerNode: number): Sender {
  const pools = urls.map((url) => new Pool(url, { connections: connectionsPerNode, pipelining: 1 }));
  const once = async (bytes: Uint8Array, node: number): Promise<{ retry: boolean; error?: string }> => {
    const pool = pools[node % pools.length]!;
    try {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: '/api/v11/transactions',
        headers: { 'content-type': SUBMISSION_TYPE, accept: RECEIPTS_TYPE },
        body: bytes,
      });
      if (statusCode === 200) {
        return { retry: false, ...failureIn(new Uint8Array(await body.arrayBuffer())) };
      }
      const text = await body.text();
      return { retry: statusCode >= 500 || statusCode === 429, error: `${statusCode} ${text.slice(0, 300)}` };
    } catch (error) {
      return { retry: true, error: error instanceof Error ? error.message : String(error) };
    }
  };
  return {
    async send(bytes, node) {
      for (let attempt = 0; ; attempt++) {
        const { retry, error } = await once(bytes, node + attempt);
        if (error === undefined) return { ok: true, retries: attempt };
        if (!retry || attempt >= ATTEMPTS_MAX) return { ok: false, retries: attempt, error };
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    },
    async close() {
      await Promise.all(pools.map((pool) => pool.destroy()));
    },
  };
}

/** Only transactions that succeeded count; a failed one makes its whole submission a failure. */
function failureIn(answer: Uint8Array): { error?: string } {
  const view = new DataView(answer.buffer, answer.byteOffset);
  const receipts = decodeReceipts({
    id: toHex(answer.subarray(0, 32)) as Digest,
    height: Number(view.getBigUint64(32)),
    index: view.getUint32(40),
    txCount: view.getUint32(44),
    encoded: answer.subarray(RECEIPTS_HEAD_BYTES),
  });
  if (receipts === null) return { error: 'receipts that cannot be read' };
  const failed = receipts.find(({ status }) => status === 'failed');
  return failed === undefined ? {} : { error: `${failed.error?.code}: ${failed.error?.message}` };
}

class Tally {
  readonly histogram: RecordableHistogram = createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });
  answered = 0;
  transactions = 0;
  failed = 0;
  retries = 0;
  firstError: string | null = null;

  take(outcome: Awaited<ReturnType<Sender['send']>>, txCount: number, latencyMs: number): void {
    this.retries += outcome.retries;
    if (!outcome.ok) {
      this.failed++;
      this.firstError ??= outcome.error ?? 'unknown';
      return;
    }
    this.answered++;
    this.transactions += txCount;
    this.histogram.record(Math.max(1, Math.round(latencyMs * 1000)));
  }

  result(seconds: number): RunResult {
    const at = (percentile: number): number => this.histogram.percentile(percentile) / 1000;
    return {
      seconds,
      answered: this.answered,
      transactions: this.transactions,
      failed: this.failed,
      retries: this.retries,
      latency: { p50: at(50), p90: at(90), p99: at(99), p999: at(99.9), max: this.histogram.max / 1000 },
      firstError: this.firstError,
    };
  }
}

/** Closed loop: `outstanding` submissions under way until they run out or the time is over. */
export async function closedLoop(
  sender: Sender,
  submissions: readonly Uint8Array[],
  options: { readonly txPerSubmission: number; readonly outstanding: number; readonly secondsMax: number },
): Promise<RunResult> {
  const tally = new Tally();
  const startedAt = performance.now();
  const endsAt = startedAt + options.secondsMax * 1000;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < submissions.length && performance.now() < endsAt) {
      const at = next++;
      const sentAt = performance.now();
      const outcome = await sender.send(submissions[at]!, at);
      tally.take(outcome, options.txPerSubmission, performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: options.outstanding }, worker));
  return tally.result((performance.now() - startedAt) / 1000);
}

/** Open loop: one submission every 1/rate seconds, whether or not earlier ones were answered. */
export async function openLoop(
  sender: Sender,
  submissions: readonly Uint8Array[],
  options: { readonly txPerSubmission: number; readonly perSecond: number; readonly warmUpSeconds: number },
): Promise<RunResult> {
  const tally = new Tally();
  const warmUps = Math.round(options.warmUpSeconds * options.perSecond);
  const startedAt = performance.now();
  const underWay: Promise<void>[] = [];
  for (let at = 0; at < submissions.length; at++) {
    const dueAt = startedAt + (at * 1000) / options.perSecond;
    const pause = dueAt - performance.now();
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    const sent = sender.send(submissions[at]!, at).then((outcome) => {
      if (at >= warmUps) tally.take(outcome, options.txPerSubmission, performance.now() - dueAt);
    });
    underWay.push(sent);
  }
  await Promise.all(underWay);
  return tally.result((performance.now() - startedAt) / 1000 - options.warmUpSeconds);
}
