/** What execution is given, block by block, and what it says of it. */
import type { SubmissionReceipts } from '../messages.ts';
import type { Block, Digest, Executed } from '../types.ts';
import type { ChainRefusal } from './admission.ts';
import type { Place } from './places.ts';

export interface FinalBlock {
  readonly block: Block;
  readonly digest: Digest;
  /** In execution order. */
  readonly batches: readonly { readonly lane: number; readonly payload: Uint8Array }[];
}

/** Who hears what became of the submissions that go by. */
export interface Listener {
  /** Whether this node checked exactly this signature for exactly these bytes before. */
  isChecked(id: Digest, signature: Uint8Array): boolean;
  executed(receipts: SubmissionReceipts): void;
  /** It, or for an idempotency key its twin, was executed earlier at `place`. */
  repeated(id: Digest, place: Place): void;
  refused(id: Digest, code: ChainRefusal): void;
  /** Its `validUntil` lies too far ahead of this block: it may yet execute later, from another lane. */
  tooFar(id: Digest, lane: number): void;
  batchDone(lane: number, payload: Uint8Array): void;
  /** Other modules are in force from this block on. */
  programsChanged(): void;
}

export interface BlockResult {
  readonly block: Block;
  readonly digest: Digest;
  readonly txCount: number;
  readonly receipts: readonly SubmissionReceipts[];
  readonly receiptsRoot: Digest;
  /** At heights divisible by C (B2). */
  readonly checkpoint: Executed | null;
}
