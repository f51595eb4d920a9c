/**
 * Cuts of proposed blocks that consensus waits for (B4): each is answered once, when every lane
 * holds its tip. Bounded: the oldest goes when there are too many; those that settled blocks
 * have passed go too.
 */
import type { Digest, Tip } from '../types.ts';
import type { Lane } from './lane.ts';

const WATCHED_MAX = 32;

interface Watched {
  readonly block: Digest;
  readonly cut: readonly Tip[];
  /** Lanes whose tip is not held yet. */
  missing: readonly Lane[];
}

export class Cuts {
  #watched: Watched[] = [];

  get waiting(): boolean {
    return this.#watched.length > 0;
  }

  watch(block: Digest, cut: readonly Tip[], lanes: readonly Lane[]): void {
    if (cut.length !== lanes.length || this.#watched.some((each) => each.block === block)) return;
    if (this.#watched.length === WATCHED_MAX) this.#watched.shift();
    this.#watched.push({ block, cut, missing: lanes });
  }

  /** Blocks whose cut is held by now; they are forgotten. */
  takeHeld(): Digest[] {
    const held: Digest[] = [];
    this.#watched = this.#watched.filter((watched) => {
      if (watched.missing.some((lane) => isStale(lane, watched.cut[lane.index]!))) return false;
      watched.missing = watched.missing.filter((lane) => !lane.holds(watched.cut[lane.index]!));
      if (watched.missing.length === 0) held.push(watched.block);
      return watched.missing.length > 0;
    });
    return held;
  }

  /** The newest watched tip that the lane lacks and could still get. */
  missing(lane: Lane): Tip | null {
    for (const watched of this.#watched.toReversed()) {
      const tip = watched.cut[lane.index]!;
      if (watched.missing.includes(lane)) return tip;
    }
    return null;
  }
}

/** Settled blocks have passed it or contradict it: no block with this tip can become final. */
function isStale(lane: Lane, tip: Tip): boolean {
  return tip.seq < lane.base.seq || (tip.seq === lane.base.seq && !lane.holds(tip));
}
