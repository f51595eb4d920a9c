/**
 * Whom to ask for which batches, and when (rule D4).
 *
 * Batches on the way are given a moment before anybody is asked. Then a gap is asked of the lane's
 * owner, a proposed cut of f + 1 reported holders and the owner at once; every retry goes to other
 * holders. A branch that differs from the own chain is searched by digest from its tip down
 * (walk.ts); the one that a cut names and the one that f + 1 marks name at the same time, so that
 * neither hides the other.
 *
 * I66. As long as something needed is missing, another request is due within RETRY_MS_MAX, and the
 *      requests for it rotate over all that say to hold it: one liar cannot keep it away. What comes
 *      of one search puts off no other.
 */
import type { Effect } from '../messages.ts';
import type { Digest, Millis, Tip, ValidatorIndex } from '../types.ts';
import type { Board } from './board.ts';
import type { Batch, Lane } from './lane.ts';
import { Retry, RETRY_MS_MIN } from './retry.ts';
import { askedAtOnce, branchBytesMax, type Setting } from './setting.ts';
import { Walk, type Branch } from './walk.ts';

export const FETCH_TIMER = 'fetch';
/** How long a batch may be on its way before it is asked for. */
const GRACE_MS = 20;
/** An answer that stopped short, at the server's limit, goes on after this pause. */
const PAUSE_MS = 40;
export const BATCHES_PER_FETCH = 64;

export interface Need {
  /** Batches up to this seq are wanted along the chain. */
  readonly to: number;
  /** A tip that a final block or a proposed cut names and that is not held. */
  readonly named: Branch | null;
  /** A tip that f + 1 marks name and that is not held. */
  readonly reported: Tip | null;
  /** Somebody's vote waits for it. */
  readonly urgent: boolean;
}

/** The search along the chain. */
interface Range {
  readonly retry: Retry;
  /** Last seq asked for; −1 when nothing was. */
  asked: number;
  /** The chain's end when progress was last seen. */
  tip: number;
}

/** What is asked for of one lane; null is what is not needed. */
interface LaneFetch {
  range: Range | null;
  named: Walk | null;
  reported: Walk | null;
}

export class Fetcher {
  readonly #setting: Setting;
  readonly #board: Board;
  readonly #fetches: LaneFetch[];
  readonly #down = new Set<ValidatorIndex>();
  #timerAt: Millis | null = null;

  constructor(setting: Setting, board: Board) {
    this.#setting = setting;
    this.#board = board;
    this.#fetches = Array.from({ length: setting.cluster.n }, () => ({
      range: null,
      named: null,
      reported: null,
    }));
  }

  /** Lanes with a request under way. */
  get active(): number {
    return this.#fetches.filter(
      (fetch) => (fetch.range?.asked ?? -1) >= 0 || walksOf(fetch).length > 0,
    ).length;
  }

  /** Payload bytes that walks of this lane keep in memory. */
  bytes(lane: ValidatorIndex): number {
    return walksOf(this.#fetches[lane]!).reduce((sum, walk) => sum + walk.bytes, 0);
  }

  peerDown(peer: ValidatorIndex): void {
    this.#down.add(peer);
  }

  /** Whatever is missing is asked for again at once. */
  peerUp(peer: ValidatorIndex, now: Millis): void {
    this.#down.delete(peer);
    for (const fetch of this.#fetches) {
      fetch.range?.retry.again(now);
      for (const walk of walksOf(fetch)) walk.retry.again(now);
    }
  }

  /** Whether a batch that did not come from its owner was asked for. */
  expects(lane: Lane, seq: number, digest: Digest): boolean {
    const { range } = this.#fetches[lane.index]!;
    return (range !== null && seq > lane.tip.seq && seq <= range.asked) || this.walks(lane, digest);
  }

  /** Whether a walk asked for this batch. */
  walks(lane: Lane, digest: Digest): boolean {
    return walksOf(this.#fetches[lane.index]!).some((walk) => walk.want(lane)?.digest === digest);
  }

  /** Takes a batch that a walk asked for. */
  walked(lane: Lane, batch: Batch, now: Millis): void {
    for (const walk of walksOf(this.#fetches[lane.index]!)) {
      if (walk.want(lane)?.digest === batch.digest) walk.add(batch, lane, now);
    }
  }

  /** A branch that links by now, lowest batch first, and on whose word it was fetched. */
  takeLinked(lane: Lane): { readonly batches: readonly Batch[]; readonly by: Branch['by'] } | null {
    const fetch = this.#fetches[lane.index]!;
    for (const walk of walksOf(fetch)) {
      const batches = walk.linked(lane);
      if (batches === null) continue;
      if (fetch.named === walk) fetch.named = null;
      if (fetch.reported === walk) fetch.reported = null;
      return { batches, by: walk.branch.by };
    }
    return null;
  }

  timer(): void {
    this.#timerAt = null;
  }

  /** Asks for what is due and sets the timer for what comes next. */
  poll(
    lanes: readonly Lane[],
    needOf: (lane: Lane) => Need | null,
    now: Millis,
    out: Effect[],
  ): void {
    let next: Millis | null = null;
    for (const lane of lanes) {
      const at = this.#pollLane(lane, needOf(lane), now, out);
      if (at !== null && (next === null || at < next)) next = at;
    }
    if (next === null || (this.#timerAt !== null && this.#timerAt <= next)) return;
    this.#timerAt = next;
    out.push({ kind: 'setTimer', timer: FETCH_TIMER, at: next });
  }

  #pollLane(lane: Lane, need: Need | null, now: Millis, out: Effect[]): Millis | null {
    const fetch = this.#fetches[lane.index]!;
    fetch.reported = this.#reportedWalk(lane, fetch.reported, need?.reported ?? null, now);
    const named = need?.named ?? null;
    const isReported = named !== null && fetch.reported?.serves(named.tip, lane) === true;
    fetch.named = isReported ? null : this.#walk(lane, fetch.named, named, now);
    let next = this.#pollRange(lane, fetch, need, now, out);
    for (const walk of walksOf(fetch)) {
      const at = this.#pollWalk(lane, walk, now, out);
      if (at !== null && (next === null || at < next)) next = at;
    }
    return next;
  }

  /** A walk for what f + 1 report goes on to its end while their tips move on. */
  #reportedWalk(lane: Lane, walk: Walk | null, tip: Tip | null, now: Millis): Walk | null {
    if (walk?.goesOn === true && tip !== null) return walk;
    return this.#walk(lane, walk, tip === null ? null : { tip, by: null }, now);
  }

  #walk(lane: Lane, walk: Walk | null, branch: Branch | null, now: Millis): Walk | null {
    if (branch === null) return null;
    if (walk?.serves(branch.tip, lane) === true) return walk;
    // What lies above the chain's end is most likely its continuation: ranges bring that faster.
    const at = branch.tip.seq <= lane.tip.seq ? now : now + GRACE_MS + RETRY_MS_MIN;
    return new Walk(branch, branchBytesMax(this.#setting.cluster), at);
  }

  #pollWalk(lane: Lane, walk: Walk, now: Millis, out: Effect[]): Millis | null {
    const want = walk.want(lane);
    if (want === null) return null;
    const { retry } = walk;
    if (retry.dueAt(now) <= now) {
      for (const to of this.#whom(lane.index, want.seq, retry.attempt, true)) {
        const message = { kind: 'fetchBatch', lane: lane.index, ...want } as const;
        out.push({ kind: 'send', to, message });
      }
      retry.made(now);
    }
    return retry.dueAt(now);
  }

  #pollRange(
    lane: Lane,
    fetch: LaneFetch,
    need: Need | null,
    now: Millis,
    out: Effect[],
  ): Millis | null {
    if (need === null || need.to <= lane.tip.seq) {
      fetch.range = null;
      return null;
    }
    fetch.range ??= {
      retry: new Retry(this.#down.has(lane.index) ? now : now + GRACE_MS),
      asked: -1,
      tip: lane.tip.seq,
    };
    const { range } = fetch;
    if (lane.tip.seq > range.tip) this.#progressed(fetch, range, lane, now);
    if (range.retry.dueAt(now) <= now) this.#askRange(lane, range, need, now, out);
    return range.retry.dueAt(now);
  }

  #progressed(fetch: LaneFetch, range: Range, lane: Lane, now: Millis): void {
    range.tip = lane.tip.seq;
    if (range.asked < 0) return range.retry.progressed(now + GRACE_MS);
    if (range.tip < range.asked) return range.retry.progressed(now + PAUSE_MS);
    range.retry.progressed(now);
    // Only for a whole answer: an owner that drips batches must not put the search off.
    for (const walk of walksOf(fetch)) walk.putOff(lane, now + RETRY_MS_MIN);
  }

  #askRange(lane: Lane, range: Range, need: Need, now: Millis, out: Effect[]): void {
    const fromSeq = lane.tip.seq + 1;
    const toSeq = lane.ahead.gapEnd(fromSeq, Math.min(need.to, fromSeq + BATCHES_PER_FETCH - 1));
    range.asked = toSeq;
    const { attempt } = range.retry;
    const widely = need.urgent || attempt > 0;
    for (const to of this.#whom(lane.index, fromSeq, attempt, widely)) {
      const message = { kind: 'fetchBatches', lane: lane.index, fromSeq, toSeq } as const;
      out.push({ kind: 'send', to, message });
    }
    range.retry.made(now);
  }

  /** f + 1 of those that say to hold `seq`, others with each attempt, and the owner; or one. */
  #whom(lane: ValidatorIndex, seq: number, attempt: number, widely: boolean): ValidatorIndex[] {
    const { cluster, self } = this.#setting;
    const usable = Array.from({ length: cluster.n }, (_, peer) => peer).filter(
      (peer) => peer !== self && peer !== lane && !this.#down.has(peer),
    );
    const holders = usable.filter((peer) => this.#board.claimed(lane, peer) >= seq);
    const pool = holders.length > 0 ? holders : usable;
    const count = askedAtOnce(cluster);
    const asked = pool.map((_, at) => pool[(at + lane + attempt * count) % pool.length]!);
    const ownerUp = lane !== self && !this.#down.has(lane);
    if (!widely) return ownerUp ? [lane] : asked.slice(0, 1);
    return ownerUp ? [lane, ...asked.slice(0, count)] : asked.slice(0, count);
  }
}

function walksOf({ reported, named }: LaneFetch): Walk[] {
  return [reported, named].filter((walk) => walk !== null);
}
