/**
 * Cuts of proposed blocks that consensus waits for (B4): each is answered once, when every lane
 * holds its tip and leads to it through the cut of the block's parent (B1). Bounded: the oldest goes
 * when there are too many; those that can no longer be held, because settled blocks have passed
 * them or their lane leads elsewhere, go too.
 */
import type { Digest, Tip } from '../types.ts';
import type { Lane } from './lane.ts';

const WATCHED_MAX = 256;

interface Watched {
  readonly block: Digest;
  readonly cut: readonly Tip[];
  readonly parentCut: readonly Tip[];
  /** Lanes whose tip is not held yet. */
  missing: readonly Lane[];
}

export class Cuts {
  #watched: Watched[] = [];

  watch(
    block: Digest,
    cut: readonly Tip[],
    parentCut: readonly Tip[],
    lanes: readonly Lane[],
  ): void {
    if (cut.length !== lanes.length || parentCut.length !== lanes.length) return;
    if (this.#watched.some((each) => each.block === block)) return;
    if (this.#watched.length === WATCHED_MAX) this.#watched.shift();
    this.#watched.push({ block, cut, parentCut, missing: lanes });
  }

  /** Blocks whose cut is held by now; they are forgotten. */
  takeHeld(): Digest[] {
    if (this.#watched.length === 0) return [];
    const held: Digest[] = [];
    this.#watched = this.#watched.filter((watched) => {
      if (!review(watched)) return false;
      if (watched.missing.length === 0) held.push(watched.block);
      return watched.missing.length > 0;
    });
    return held;
  }

  /** The newest watched tip that the lane lacks and could still get. */
  missing(lane: Lane): Tip | null {
    const watched = this.#watched.findLast((each) => each.missing.includes(lane));
    return watched?.cut[lane.index] ?? null;
  }
}

/** Drops lanes that hold their tip by now. False when the cut can never be held. */
function review(watched: Watched): boolean {
  const missing: Lane[] = [];
  for (const lane of watched.missing) {
    const tip = watched.cut[lane.index]!;
    if (!lane.holds(tip)) {
      if (tip.seq <= lane.base.seq) return false;
      missing.push(lane);
    } else if (!lane.leadsThrough(tip, watched.parentCut[lane.index]!)) return false;
  }
  watched.missing = missing;
  return true;
}
