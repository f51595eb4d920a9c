/** What a client may be told of a submission that it handed over. */
import type { SubmissionReceipts } from '../../protocols/messages.ts';
import type { Digest } from '../../protocols/types.ts';

/** How long to wait, and for what. */
export interface Wait {
  readonly until: 'finalized' | 'accepted';
  readonly timeoutMs: number;
}

export const WAIT_MS_DEFAULT = 30_000;
export const WAIT_MS_MAX = 120_000;

export type Outcome =
  | {
      readonly kind: 'final';
      readonly receipts: SubmissionReceipts;
      /** A retry of the same request gives the same receipts, at whatever node. */
      readonly exactlyOnce: boolean;
    }
  | {
      /** Admitted to the queue of this node's lane; final later, or never. */
      readonly kind: 'accepted';
      readonly id: Digest;
      readonly txCount: number;
      readonly exactlyOnce: boolean;
    };

/** Where the receipts of a submission can be read, on any node. */
export function statusUrl(id: Digest): string {
  return `/api/v11/transactions/${id}`;
}
