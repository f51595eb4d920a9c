/** What may be asked to be proved, and what the transaction machine gives for it. */
import type { AnswerResult } from '../messages.ts';
import type { Digest, Executed } from '../types.ts';
import type { Claim } from './format.ts';

export type ProofWanted =
  /** The row under a key, or that there is none. */
  | { readonly kind: 'row'; readonly module: string; readonly table: string; readonly key: string }
  /** Every row that the query looks at, and every one that it looks for and that is not there. */
  | {
      readonly kind: 'query';
      readonly module: string;
      readonly query: string;
      readonly args: unknown;
    }
  | { readonly kind: 'submission'; readonly id: Digest };

/** The value of an answer to `prove`. */
export interface Proved {
  /** The checkpoint whose roots the claims lead to, and as of which `result` is. */
  readonly executed: Executed;
  readonly claims: readonly Claim[];
  /** The row or null, what the query answered, the SubmissionReceipts. */
  readonly result: AnswerResult;
}
