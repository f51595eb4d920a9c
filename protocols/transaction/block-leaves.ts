/**
 * The leaves of one block's receipts tree, from the event that has its receipts, hashed a few at a time:
 * a block may hold a hundred thousand submissions.
 */
import type { Crypto } from '../crypto.ts';
import type { SubmissionReceipts } from '../messages.ts';
import { receiptsLeaf } from '../proofs/receipt-proof.ts';
import type { Digest } from '../types.ts';
import { auditPath } from './audit-path.ts';
import { subtreeRoot } from './height-tree.ts';
import type { ReceiptsCursor } from './receipt-log.ts';
import { HASH, type Step } from './tree-encoding.ts';

export class BlockLeaves {
  readonly #crypto: Crypto;
  readonly #cursor: ReceiptsCursor;
  readonly #id: Digest;
  #hashes = new Uint8Array(64 * HASH);
  #count = 0;
  #found: { readonly at: number; readonly receipts: SubmissionReceipts } | null = null;

  /** @param id of the submission whose place is wanted */
  constructor(crypto: Crypto, cursor: ReceiptsCursor, id: Digest) {
    this.#crypto = crypto;
    this.#cursor = cursor;
    this.#id = id;
  }

  /** Hashes up to `max` leaves more; whether all are. */
  hash(max: number): boolean {
    for (let left = max; left > 0; left--) {
      const receipts = this.#cursor.next();
      if (receipts === null) return true;
      if (receipts.id === this.#id) this.#found = { at: this.#count, receipts };
      this.#put(receiptsLeaf(this.#crypto, { ...receipts, outcomes: receipts.encoded }));
    }
    return false;
  }

  /** Once all are hashed: the submission and its steps up to the block's root; null if it is not there. */
  found(): { readonly receipts: SubmissionReceipts; readonly steps: Step[] } | null {
    if (this.#found === null) return null;
    const { at, receipts } = this.#found;
    const steps = auditPath(this.#crypto, at, this.#count, (start, level) =>
      subtreeRoot(this.#crypto, this.#hashes, start, 2 ** level),
    );
    return { receipts, steps };
  }

  #put(leaf: Uint8Array): void {
    if (this.#count * HASH === this.#hashes.length) {
      const grown = new Uint8Array(this.#hashes.length * 2);
      grown.set(this.#hashes);
      this.#hashes = grown;
    }
    this.#hashes.set(leaf, this.#count++ * HASH);
  }
}
