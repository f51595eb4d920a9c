/**
 * Whether what is written here can become final, as far as this node knows for sure: with whom it is
 * connected, and what became final. Peers that freeze, and links that carry one way only, end connections
 * too (K3); where they do not, nothing becomes final.
 *
 * I143. The quorum counts as lost only after longer than a change of the leader takes: fewer than a quorum
 *       connected for FEW_MS without a break, or no new final height for longer than as many terms in a row
 *       take as may have faulty leaders. Heartbeats make blocks due all the time (B3).
 * I144. Once lost it counts as back only when a quorum is connected and a height became final since: a
 *       connection alone promises nothing, and a height alone may have been final long before.
 * I145. Time in which nobody looked counts for nothing: this node was frozen then, not the others.
 */
import { faultyMax } from './quorum.ts';
import type { Millis, ValidatorIndex } from './types.ts';

/** Less than that is a connection made anew. */
const FEW_MS = 2_000;
/** At least so long nothing has to become final: a database may take some seconds. */
const STILL_MS_MIN = 10_000;
/** Leaders in a row that may fail, as far as patience for them goes. */
const FAILED_TERMS_MAX = 3;
/** Between two looks; further apart they are not one observation. */
export const LOOK_GAP_MS_MAX = 2_000;

export interface Sight {
  /** Peers with an open control stream. */
  readonly connected: readonly ValidatorIndex[];
  readonly finalHeight: number;
  /** The timeout of a term, before failed terms double it. */
  readonly baseTimeoutMs: Millis;
}

export class QuorumWatch {
  readonly #n: number;
  readonly #quorum: number;
  readonly #self: ValidatorIndex;
  readonly #unheard = new Map<ValidatorIndex, Millis>();
  #lookedAt: Millis | null = null;
  #fewSince: Millis | null = null;
  #stillSince: Millis = 0;
  #finalHeight = 0;
  #lostSince: Millis | null = null;
  /** What is final although no quorum was there: only what lies above shows that one is back. */
  #heightWithout = 0;

  constructor(n: number, quorum: number, self: ValidatorIndex) {
    this.#n = n;
    this.#quorum = quorum;
    this.#self = self;
  }

  /** When it began, which is before it counted as lost; null while writes can become final. */
  get lostSince(): Millis | null {
    return this.#lostSince;
  }

  /** Validators that are not connected, and since when. */
  get unheard(): ReadonlyMap<ValidatorIndex, Millis> {
    return this.#unheard;
  }

  /** @param now on a clock that nobody sets; it is to be called more often than every LOOK_GAP_MS_MAX */
  look(now: Millis, sight: Sight): void {
    this.#skip(now);
    this.#hear(now, sight);
    if (this.#lostSince === null) this.#judge(now, sight);
    else if (this.#fewSince !== null) this.#heightWithout = this.#finalHeight;
    else if (this.#finalHeight > this.#heightWithout) this.#lostSince = null;
  }

  /** I145. */
  #skip(now: Millis): void {
    const gap = this.#lookedAt === null ? now : now - this.#lookedAt;
    this.#lookedAt = now;
    if (gap <= LOOK_GAP_MS_MAX) return;
    this.#stillSince += gap;
    if (this.#fewSince !== null) this.#fewSince += gap;
  }

  #hear(now: Millis, { connected, finalHeight }: Sight): void {
    for (let peer = 0; peer < this.#n; peer++) {
      if (peer === this.#self || connected.includes(peer)) this.#unheard.delete(peer);
      else if (!this.#unheard.has(peer)) this.#unheard.set(peer, now);
    }
    const isFew = connected.length + 1 < this.#quorum;
    this.#fewSince = isFew ? (this.#fewSince ?? now) : null;
    if (finalHeight <= this.#finalHeight) return;
    this.#finalHeight = finalHeight;
    this.#stillSince = now;
  }

  #judge(now: Millis, { baseTimeoutMs }: Sight): void {
    if (this.#fewSince !== null && now - this.#fewSince >= FEW_MS) {
      this.#lose(this.#fewSince);
    } else if (now - this.#stillSince >= this.#patienceMs(baseTimeoutMs)) {
      this.#lose(this.#stillSince);
    }
  }

  #lose(since: Millis): void {
    this.#lostSince = since;
    this.#heightWithout = this.#finalHeight;
  }

  /** Failed terms take 1, 2, 4 … timeouts; the one after them works within its own. */
  #patienceMs(baseTimeoutMs: Millis): Millis {
    const failed = Math.min(faultyMax(this.#n), FAILED_TERMS_MAX);
    return Math.max(STILL_MS_MIN, baseTimeoutMs * 2 ** (failed + 1));
  }
}
