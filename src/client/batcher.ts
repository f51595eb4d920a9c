/**
 * Calls made at about the same time travel in one submission: one signature, one request, one receipt
 * of 32 bytes for them all. Each still succeeds or fails alone.
 */
import { callBytes, type Call } from '../../protocols/transaction/submission.ts';
import type { Receipt } from '../../protocols/transaction/receipts.ts';
import { encoded } from './call-args.ts';
import type { ClusterFacts } from './cluster.ts';
import { AlthingError } from './errors.ts';

export type BatchLimits = ClusterFacts['limits'] & {
  /** How long a call waits for others, in milliseconds; 0 for those of the same turn of the loop. */
  readonly waitMs: number;
};

interface Waiting {
  readonly call: Call;
  readonly resolve: (receipt: Receipt) => void;
  readonly reject: (error: unknown) => void;
}

/** Beside the calls. */
const SUBMISSION_BYTES = 256;

export class Batcher {
  readonly #limits: BatchLimits;
  readonly #send: (calls: readonly Call[]) => Promise<readonly Receipt[]>;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(limits: BatchLimits, send: (calls: readonly Call[]) => Promise<readonly Receipt[]>) {
    this.#limits = limits;
    this.#send = send;
  }

  /**
   * Resolves with the receipt of the call. Throws for a call that no cluster takes, so that it fails alone:
   * AlthingError `invalid_args` or `too_large` for its arguments, RangeError for a name.
   */
  add(call: Call): Promise<Receipt> {
    const bytes = encoded([call], () => callBytes(call));
    const { submissionBytesMax, transactionBytesMax, waitMs } = this.#limits;
    if (bytes > transactionBytesMax) {
      const message = `a transaction has at most ${transactionBytesMax} bytes, not ${bytes}`;
      throw new AlthingError('too_large', message, 0, 'args');
    }
    if (this.#bytes + bytes > submissionBytesMax - SUBMISSION_BYTES) this.flush();
    this.#bytes += bytes;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ call, resolve, reject });
      if (this.#waiting.length >= this.#limits.transactionsPerSubmissionMax) this.flush();
      else this.#timer ??= setTimeout(() => this.flush(), waitMs);
    });
  }

  /** Sends what waits, now. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const sent = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    if (sent.length === 0) return;
    this.#send(sent.map(({ call }) => call)).then(
      (receipts) => sent.forEach(({ resolve }, at) => resolve(receipts[at]!)),
      (error: unknown) => sent.forEach(({ reject }) => reject(error)),
    );
  }
}
