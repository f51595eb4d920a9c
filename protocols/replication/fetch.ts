/**
 * Whom to ask for which batches, and when (rule D4).
 *
 * Batches on the way are given a moment before anybody is asked. Then a gap is asked of the lane's
 * owner, a proposed cut of f + 1 reported holders and the owner at once; every retry goes to other
 * holders. A branch that differs from the own chain is searched by digest from its tip down
 * (walk.ts).
 *
 * I66. As long as something needed is missing, another request is due within RETRY_MS_MAX, and the
 *      requests for it rotate over all that say to hold it: one liar cannot keep it away.
 */
import type { Effect } from '../messages.ts';
import type { Digest, Millis, Tip, ValidatorIndex } from '../types.ts';
import type { Board } from './board.ts';
import type { Batch, Lane } from './lane.ts';
import { askedAtOnce, replicaBytesMax, type Setting } from './setting.ts';
import { Walk } from './walk.ts';

export const FETCH_TIMER = 'fetch';
/** How long a batch may be on its way before it is asked for. */
const GRACE_MS = 20;
/** An answer that stopped short, at the server's limit, goes on after this pause. */
const PAUSE_MS = 40;
const RETRY_MS_MIN = 100;
const RETRY_MS_MAX = 2000;
export const BATCHES_PER_FETCH = 64;

export interface Need {
  /** Batches up to this seq are wanted along the chain. */
  readonly to: number;
  /** A tip that a cut names and that is not held. */
  readonly branch: Tip | null;
  /** Somebody's vote waits for it. */
  readonly urgent: boolean;
}

interface LaneFetch {
  /** When the next request is due; null while nothing is needed. */
  at: Millis | null;
  attempt: number;
  /** Last seq asked for; −1 when nothing was. */
  asked: number;
  /** The chain's end when progress was last seen. */
  tip: number;
  walk: Walk | null;
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
    this.#fetches = Array.from({ length: setting.cluster.n }, idle);
  }

  /** Lanes with a request under way. */
  get active(): number {
    return this.#fetches.filter((fetch) => fetch.asked >= 0 || fetch.walk !== null).length;
  }

  peerDown(peer: ValidatorIndex): void {
    this.#down.add(peer);
  }

  /** Whatever is missing is asked for again at once. */
  peerUp(peer: ValidatorIndex, now: Millis): void {
    this.#down.delete(peer);
    for (const fetch of this.#fetches) if (fetch.at !== null) fetch.at = now;
  }

  /** Whether a batch that did not come from its owner was asked for. */
  expects(lane: Lane, seq: number, digest: Digest): boolean {
    const fetch = this.#fetches[lane.index]!;
    return (seq > lane.tip.seq && seq <= fetch.asked) || this.walks(lane, digest);
  }

  /** Whether a walk asked for this batch. */
  walks(lane: Lane, digest: Digest): boolean {
    return this.#fetches[lane.index]!.walk?.want?.digest === digest;
  }

  /** Takes a batch that a walk asked for. The branch, lowest batch first, once it links. */
  walked(lane: Lane, batch: Batch, now: Millis): readonly Batch[] {
    const fetch = this.#fetches[lane.index]!;
    const branch = fetch.walk?.add(batch, lane) ?? [];
    if (branch.length > 0) fetch.walk = null;
    fetch.at = now;
    fetch.attempt = 0;
    return branch;
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
    if (need === null) {
      if (fetch.at !== null) Object.assign(fetch, idle());
      return null;
    }
    const forked = need.branch !== null && need.branch.seq <= lane.tip.seq;
    if (fetch.at === null) {
      fetch.tip = lane.tip.seq;
      fetch.at = forked || this.#down.has(lane.index) ? now : now + GRACE_MS;
    } else if (lane.tip.seq > fetch.tip) {
      this.#progressed(fetch, lane, now);
    }
    // A clock that was set back must not put the request off for as long.
    fetch.at = Math.min(fetch.at, now + RETRY_MS_MAX);
    if (fetch.at <= now) this.#ask(lane, fetch, need, now, out);
    return fetch.at;
  }

  #progressed(fetch: LaneFetch, lane: Lane, now: Millis): void {
    fetch.tip = lane.tip.seq;
    fetch.attempt = 0;
    if (fetch.asked < 0) fetch.at = now + GRACE_MS;
    else fetch.at = lane.tip.seq >= fetch.asked ? now : now + PAUSE_MS;
  }

  #ask(lane: Lane, fetch: LaneFetch, need: Need, now: Millis, out: Effect[]): void {
    const from = lane.tip.seq + 1;
    if (need.to >= from) this.#askRange(lane, fetch, need, out);
    const { branch } = need;
    if (branch !== null && (branch.seq < from || fetch.attempt > 0 || fetch.walk !== null)) {
      this.#askBranch(lane, fetch, branch, out);
    }
    fetch.at = now + Math.min(RETRY_MS_MIN * 2 ** fetch.attempt, RETRY_MS_MAX);
    fetch.attempt++;
  }

  #askRange(lane: Lane, fetch: LaneFetch, need: Need, out: Effect[]): void {
    const fromSeq = lane.tip.seq + 1;
    const toSeq = lane.ahead.gapEnd(fromSeq, Math.min(need.to, fromSeq + BATCHES_PER_FETCH - 1));
    fetch.asked = toSeq;
    const widely = need.urgent || fetch.attempt > 0;
    for (const to of this.#whom(lane.index, fromSeq, fetch.attempt, widely)) {
      const message = { kind: 'fetchBatches', lane: lane.index, fromSeq, toSeq } as const;
      out.push({ kind: 'send', to, message });
    }
  }

  #askBranch(lane: Lane, fetch: LaneFetch, branch: Tip, out: Effect[]): void {
    const walk = fetch.walk?.serves(branch, lane)
      ? fetch.walk
      : new Walk(branch, lane, replicaBytesMax(this.#setting.cluster));
    fetch.walk = walk;
    const { want } = walk;
    if (want === null) return;
    for (const to of this.#whom(lane.index, want.seq, fetch.attempt, true)) {
      const message = { kind: 'fetchBatch', lane: lane.index, ...want } as const;
      out.push({ kind: 'send', to, message });
    }
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

function idle(): LaneFetch {
  return { at: null, attempt: 0, asked: -1, tip: -1, walk: null };
}
