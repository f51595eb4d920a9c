/** What a simulated client knows of one thing that it wants done, from its making to its end. */
import type { SubmissionReceipts } from '../../protocols/messages.ts';
import type { Digest } from '../../protocols/types.ts';
import type { Call } from '../../protocols/transaction/submission.ts';

export interface Wish {
  readonly label: string;
  readonly calls: readonly Call[];
  /** Bytes to hand to a validator: the same everywhere when the client signs, else the node's own. */
  readonly bytesFor: (validator: number) => Uint8Array;
  readonly idFor: (validator: number) => Digest;
  /** Signed by the client: one id everywhere. */
  readonly signed: boolean;
  /** Only this validator is asked, however long it takes. */
  readonly only: number | null;
  /** Another wish stands under the same sequence number or key: only one of them can happen. */
  readonly rival: boolean;
  /** It may run out of time before it is executed. */
  readonly shortLived: boolean;
  attempts: number;
  told: SubmissionReceipts | null;
  /** The final refusal, if that was the answer. */
  refused: string | null;
  timer: number;
}

export const isSettled = (wish: Wish): boolean => wish.told !== null || wish.refused !== null;

/** Refusals that say "not now". */
export const RETRYABLE: ReadonlySet<string> = new Set([
  'lane_full',
  'overloaded',
  'catching_up',
  'in_progress',
  'draining',
]);
