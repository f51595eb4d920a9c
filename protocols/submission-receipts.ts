/** What executing a submission has left behind, as actors, the log and edges hand it on. */
import type { Digest } from './types.ts';

/** What became of one submission. `encoded` is kept as bytes until somebody reads it. */
export interface SubmissionOutcomes {
  readonly id: Digest;
  readonly height: number;
  /** Place of the submission's first transaction in its block. */
  readonly index: number;
  readonly txCount: number;
  /** The outcomes in order (transaction/receipts.ts). */
  readonly encoded: Uint8Array;
}

/** With what was asked, and by whom. */
export interface SubmissionReceipts extends SubmissionOutcomes {
  /** As its commands saw it (transaction/module.ts); empty for the timers of a block. */
  readonly sender: string;
  readonly via: string;
  /** What the transactions were (transaction/calls.ts). */
  readonly calls: Uint8Array;
}
