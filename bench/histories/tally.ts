/** What clients were told, counted as it comes: also how long nobody got an answer. */

/** Between one answered write and the next; what is longer counts as an outage, from then on. */
const GAP_MS = 1_000;

export class HistoryTally {
  readonly counts = { ok: 0, unknown: 0, refused: 0 };
  #longestWaitMs = 0;
  #unavailableMs = 0;
  #lastWriteAt = performance.now();
  readonly #reasons = new Map<string, number>();

  answered(askedAt: number, isWrite: boolean): void {
    const now = performance.now();
    this.counts.ok++;
    this.#longestWaitMs = Math.max(this.#longestWaitMs, now - askedAt);
    if (isWrite) this.#wrote(now);
  }

  notAnswered(kind: 'unknown' | 'refused', why: string): void {
    this.counts[kind]++;
    const reason = `${kind}: ${why.replaceAll(/[0-9a-f]{16,}|\d[\d.:TZ-]*/g, '…').slice(0, 60)}`;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
  }

  #wrote(now: number): void {
    this.#unavailableMs += Math.max(0, now - this.#lastWriteAt - GAP_MS);
    this.#lastWriteAt = now;
  }

  /** For who waits. */
  get line(): string {
    const { ok, unknown, refused } = this.counts;
    return `${ok + unknown + refused} operations: ${ok} ok, ${unknown} unknown, ${refused} refused`;
  }

  summary() {
    const reasons = [...this.#reasons].toSorted(([, a], [, b]) => b - a).slice(0, 12);
    return {
      ...this.counts,
      unavailableSeconds: Math.round(this.#unavailableMs / 100) / 10,
      longestWaitMs: Math.round(this.#longestWaitMs),
      reasons: Object.fromEntries(reasons),
    };
  }
}
