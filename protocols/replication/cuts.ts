/**
 * Cuts of proposed blocks that consensus waits for (B4): each is answered once, when every lane
 * holds its tip and leads to it through the cut of the block's parent (B1), and execution follows where
 * the block moves it beyond what a quorum marks (I103). Only those are kept that may still be voted for: of
 * the newest term (I32), above the final height. Bounded: the oldest goes when there are too many;
 * those that can no longer be held, because settled blocks have passed them or their lane leads
 * elsewhere, go too.
 */
import { leaderOf } from '../certificates.ts';
import type { Cluster } from '../genesis.ts';
import type { ReplicationMessage } from '../messages.ts';
import type { Digest, Tip } from '../types.ts';
import type { Backlog } from './backlog.ts';
import type { Board } from './board.ts';
import type { Lane } from './lane.ts';
import type { Branch } from './walk.ts';

const WATCHED_MAX = 256;

type HoldCut = Extract<ReplicationMessage, { readonly kind: 'holdCut' }>;

interface Watched extends HoldCut {
  /** Lanes whose tip is not held yet, or which execution does not follow. */
  missing: readonly Lane[];
}

export class Cuts {
  readonly #cluster: Cluster;
  readonly #backlog: Backlog;
  readonly #board: Board;
  #watched: Watched[] = [];

  constructor(cluster: Cluster, parts: { backlog: Backlog; board: Board }) {
    this.#cluster = cluster;
    this.#backlog = parts.backlog;
    this.#board = parts.board;
  }

  watch(asked: HoldCut, lanes: readonly Lane[]): void {
    const { block, term, cut, parentCut } = asked;
    if (cut.length !== lanes.length || parentCut.length !== lanes.length) return;
    if (this.#watched.some((each) => each.block === block)) return;
    this.#watched = this.#watched.filter((each) => each.term >= term);
    if (this.#watched.length === WATCHED_MAX) this.#watched.shift();
    this.#watched.push({ ...asked, missing: lanes });
  }

  /** Up to this height all is final. */
  decided(height: number): void {
    this.#watched = this.#watched.filter((each) => each.height > height);
  }

  /** Blocks whose cut is held by now; they are forgotten. */
  takeHeld(): Digest[] {
    if (this.#watched.length === 0) return [];
    const held: Digest[] = [];
    this.#watched = this.#watched.filter((watched) => {
      if (!this.#review(watched)) return false;
      if (watched.missing.length === 0) held.push(watched.block);
      return watched.missing.length > 0;
    });
    return held;
  }

  /**
   * What the lane lacks and can get for the oldest watched cut: later ones build on it. First what
   * its parent names, which a quorum certified.
   */
  missing(lane: Lane): Branch | null {
    for (const { missing, cut, parentCut, term } of this.#watched) {
      if (!missing.includes(lane) || cut[lane.index]!.seq > lane.reach) continue;
      const parent = parentCut[lane.index]!;
      if (parent.seq > lane.base.seq && !lane.holds(parent)) return { tip: parent, by: null };
      const tip = cut[lane.index]!;
      if (!lane.holds(tip)) return { tip, by: leaderOf(this.#cluster, term) };
    }
    return null;
  }

  /** Drops lanes that wait for nothing by now. False when the cut can never be held. */
  #review(watched: Watched): boolean {
    const missing: Lane[] = [];
    for (const lane of watched.missing) {
      const tip = watched.cut[lane.index]!;
      const parent = watched.parentCut[lane.index]!;
      if (!lane.holds(tip)) {
        if (tip.seq <= lane.base.seq) return false;
        missing.push(lane);
      } else if (!lane.leadsThrough(tip, parent)) return false;
      else if (tip.seq > parent.seq && this.#outruns(lane, tip)) missing.push(lane);
    }
    watched.missing = missing;
    return true;
  }

  /** Whether `tip` lies beyond what a quorum marks, and execution here is too far behind for that. */
  #outruns(lane: Lane, tip: Tip): boolean {
    if (!this.#backlog.stopsVotes(lane.index)) return false;
    return !lane.leadsThrough(this.#board.support(lane).tip, tip);
  }
}
