/** The newest receipts by submission, within a bound: what retries mostly ask for. */
import type { SubmissionReceipts } from '../messages.ts';
import type { Digest } from '../types.ts';
import { RECENT_RECEIPTS_BYTES_MAX, RECENT_RECEIPTS_MAX } from './ingress-limits.ts';

/** What an entry costs besides its bytes, roughly. */
const ENTRY_BYTES = 400;

function costOf({ calls, encoded }: SubmissionReceipts): number {
  return calls.length + encoded.length + ENTRY_BYTES;
}

export class RecentReceipts {
  /** In order of execution: a Map keeps it. */
  readonly #byId = new Map<Digest, SubmissionReceipts>();
  #bytes = 0;

  add(receipts: SubmissionReceipts): void {
    this.#byId.set(receipts.id, receipts);
    this.#bytes += costOf(receipts);
    if (this.#byId.size > RECENT_RECEIPTS_MAX || this.#bytes > RECENT_RECEIPTS_BYTES_MAX) {
      this.#dropOldest();
    }
  }

  get(id: Digest): SubmissionReceipts | undefined {
    return this.#byId.get(id);
  }

  #dropOldest(): void {
    for (const [id, receipts] of this.#byId) {
      this.#byId.delete(id);
      this.#bytes -= costOf(receipts);
      if (this.#bytes <= RECENT_RECEIPTS_BYTES_MAX) return;
    }
  }
}
