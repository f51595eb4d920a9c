/**
 * The receipts tree of one block, made again from the event that has its receipts, a few leaves at a time:
 * a block may hold a hundred thousand submissions. Once made it serves all of them.
 */
import type { Crypto } from '../crypto.ts';
import type { SubmissionReceipts } from '../messages.ts';
import { receiptsLeaf } from '../proofs/receipt-proof.ts';
import type { Digest } from '../types.ts';
import { auditPath } from './audit-path.ts';
import type { ReceiptsCursor } from './receipt-log.ts';
import { Subtrees } from './subtrees.ts';
import type { Step } from './tree-encoding.ts';

export interface PlacedReceipts {
  readonly receipts: SubmissionReceipts;
  /** From their leaf up to the root of the block. */
  readonly steps: readonly Step[];
}

export class BlockLeaves {
  readonly #crypto: Crypto;
  readonly #cursor: ReceiptsCursor;
  readonly #subtrees: Subtrees;
  /** Place among the leaves, and in the event. */
  readonly #places = new Map<Digest, { readonly leaf: number; readonly at: number }>();

  constructor(crypto: Crypto, cursor: ReceiptsCursor) {
    this.#crypto = crypto;
    this.#cursor = cursor;
    this.#subtrees = new Subtrees(crypto);
  }

  /** Hashes up to `max` leaves more; whether all are. */
  hash(max: number): boolean {
    for (let left = max; left > 0; left--) {
      const { at } = this.#cursor;
      const receipts = this.#cursor.next();
      if (receipts === null) return true;
      this.#places.set(receipts.id, { leaf: this.#subtrees.count, at });
      this.#subtrees.append(
        receiptsLeaf(this.#crypto, { ...receipts, outcomes: receipts.encoded }),
      );
    }
    return false;
  }

  /** Once all are hashed: a submission of this block; null where it has none of that id. */
  find(id: Digest): PlacedReceipts | null {
    const place = this.#places.get(id);
    if (place === undefined) return null;
    this.#cursor.at = place.at;
    const receipts = this.#cursor.next()!;
    const { count } = this.#subtrees;
    const steps = auditPath(this.#crypto, place.leaf, count, (start, level) =>
      this.#subtrees.root(start, level),
    );
    return { receipts, steps };
  }
}
