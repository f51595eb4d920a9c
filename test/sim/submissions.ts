/** What a simulated client knows of one thing that it wants done, from its making to its end. */
import type { SubmissionReceipts } from '../../protocols/messages.ts';
import type { Call } from '../../protocols/transaction/submission.ts';
import type { Digest } from '../../protocols/types.ts';

export interface WishForm {
  /** Bytes to hand to a validator: the same everywhere when the client signs, else the node's own. */
  readonly bytesFor: (validator: number) => Uint8Array;
  readonly idFor: (validator: number) => Digest;
  /** By the client: one id everywhere. */
  readonly signed: boolean;
  /** Another wish stands under the same number or key: only one of them can happen. */
  readonly rival: boolean;
  /** It may run out of time before it is executed. */
  readonly shortLived: boolean;
  /** Only this validator is asked, however long it takes. */
  readonly only: number | null;
}

export interface Wish extends WishForm {
  readonly label: string;
  /** Who asks, as the cluster sees it. */
  readonly sender: string;
  readonly calls: readonly Call[];
  attempts: number;
  told: SubmissionReceipts | null;
  /** The final refusal, if that was the answer. */
  refused: string | null;
  /** Raised with each attempt: what an older one planned is void. */
  turn: number;
  /** When it was first asked for, and first answered, in true microseconds. */
  askedUs: number;
  answeredUs: number;
  /** What stands under the same number or key. */
  rivals: readonly Wish[];
}

export function newWish(
  label: string,
  sender: string,
  calls: readonly Call[],
  form: WishForm,
): Wish {
  return {
    ...form,
    label,
    sender,
    calls,
    attempts: 0,
    told: null,
    refused: null,
    turn: 0,
    askedUs: 0,
    answeredUs: 0,
    rivals: [],
  };
}

export const isSettled = (wish: Wish): boolean => wish.told !== null || wish.refused !== null;

/** Refusals that say "not now". */
export const RETRYABLE: ReadonlySet<string> = new Set([
  'lane_full',
  'overloaded',
  'catching_up',
  'in_progress',
  'receipts_pending',
  'draining',
]);
