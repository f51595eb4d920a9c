/**
 * What is due, and when patience ends (rules T1, T5). Each item remembers since when it is due; the
 * term is abandoned when any of them is older than the timeout. Entering a term starts all anew.
 *
 * I105. No term is abandoned while too few are connected for a quorum: nobody could follow. So a node that
 *      starts before the others, or is cut off, still follows the term's leader when they meet (again),
 *      instead of waiting for the next term.
 *
 * The timeout adapts to the delay from proposal to finality that this node measures, doubles with
 * each failed term in a row, and falls back on progress.
 */
import type { Millis } from '../types.ts';
import type { ConsensusTiming } from './state.ts';

/** A timeout is never longer, however many terms failed: long enough to fetch n·W bytes. */
const TIMEOUT_MS_MAX = 60_000;
/** Patience after the connection to the leader broke. */
const DISCONNECTED_MS = 150;
/** The timeout is at least this many times the smoothed finality delay. */
const DELAY_FACTOR = 8;
const SMOOTHING = 0.1;
/** A longer delay was a partition or a pause: it says nothing about the next block. */
const DELAY_MS_MAX = 2_000;

export type DueItem = 'progress' | 'prepared' | 'executed' | `lane-${number}`;

export class Due {
  readonly #timing: ConsensusTiming;
  readonly #since = new Map<DueItem, Millis>();
  #smoothedDelayMs = 0;
  #failedTerms = 0;
  #disconnectedAt: Millis | null = null;
  /** Since when too few are connected for a quorum; null while enough are. */
  #aloneSince: Millis | null = null;

  constructor(timing: ConsensusTiming) {
    this.#timing = timing;
  }

  timeoutMs(): Millis {
    const base = this.baseTimeoutMs();
    return Math.min(Math.round(base * 2 ** Math.min(this.#failedTerms, 16)), TIMEOUT_MS_MAX);
  }

  /** What failed terms double. */
  baseTimeoutMs(): Millis {
    return Math.max(this.#timing.electionTimeoutMs, DELAY_FACTOR * this.#smoothedDelayMs);
  }

  /** A new term: everything due gets the whole timeout again. */
  restart(now: Millis, isLeaderConnected: boolean): void {
    this.#since.clear();
    this.#disconnectedAt = isLeaderConnected ? null : now;
    this.progressed(now);
  }

  /** A block became final: the next is due a heartbeat later (B3). */
  progressed(now: Millis): void {
    this.#since.set('progress', now + this.#timing.heartbeatMs);
  }

  /** Marks the item as due since `now`, unless it was already. */
  mark(item: DueItem, now: Millis): void {
    if (!this.#since.has(item)) this.#since.set(item, now);
  }

  settle(item: DueItem): void {
    this.#since.delete(item);
  }

  /** The clock was set by so much: everything is due for as long as it was. */
  shift(by: Millis): void {
    if (this.#aloneSince !== null) this.#aloneSince += by;
    for (const [item, since] of this.#since) this.#since.set(item, since + by);
    if (this.#disconnectedAt !== null) this.#disconnectedAt += by;
  }

  get isAlone(): boolean {
    return this.#aloneSince !== null;
  }

  /** Patience stands still meanwhile, and goes on with what was left of it when enough are back (I105). */
  quorumConnected(isConnected: boolean, now: Millis): void {
    if (isConnected && this.#aloneSince !== null) {
      const by = now - this.#aloneSince;
      this.#aloneSince = null;
      // What became due meanwhile is due from now on.
      const latest = now + this.#timing.heartbeatMs;
      for (const [item, since] of this.#since) this.#since.set(item, Math.min(since + by, latest));
      if (this.#disconnectedAt !== null) this.#disconnectedAt = now;
    } else if (!isConnected) this.#aloneSince ??= now;
  }

  leaderDisconnected(now: Millis): void {
    this.#disconnectedAt ??= now;
  }

  leaderConnected(): void {
    this.#disconnectedAt = null;
  }

  /** When the term will be abandoned if nothing moves. */
  deadline(): Millis {
    if (this.#aloneSince !== null) return Infinity;
    let first = Infinity;
    for (const since of this.#since.values()) first = Math.min(first, since + this.timeoutMs());
    if (this.#disconnectedAt === null) return first;
    const patience = DISCONNECTED_MS * 2 ** Math.min(this.#failedTerms, 8);
    return Math.min(first, this.#disconnectedAt + patience);
  }

  measured(delayMs: Millis): void {
    const bounded = Math.max(0, Math.min(delayMs, DELAY_MS_MAX));
    this.#smoothedDelayMs += SMOOTHING * (bounded - this.#smoothedDelayMs);
  }

  termFailed(): void {
    this.#failedTerms++;
  }

  termWorked(): void {
    this.#failedTerms = 0;
  }
}
