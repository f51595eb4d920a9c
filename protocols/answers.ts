/** What clients' requests come to: between the transaction machine and the edge. */
import type { SubmissionReceipts } from './submission-receipts.ts';

export type AnswerResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly code: string; readonly message: string };

export type SubmitResult =
  | {
      readonly request: number;
      readonly ok: true;
      /** Null: admitted here, which is all that the request waited for. */
      readonly receipts: SubmissionReceipts | null;
    }
  | {
      readonly request: number;
      readonly ok: false;
      /** `lane_full`, `seq_reused`, `seq_too_old`, `expired`, … (transaction/refusals.ts). */
      readonly code: string;
      readonly message: string;
      readonly retryAfterMs?: number;
    };
