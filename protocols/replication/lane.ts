/**
 * One lane as this node holds it: everything above the settled base, which is the lane's tip in the
 * newest final block whose batches are all stored here (rules D1, D3).
 *
 * I60. The chain is contiguous from the base and linked by digest; only its end is marked.
 * I61. A batch is held only when all its ancestors down to the base are: holding a tip means
 *      holding everything below it.
 * I62. The lane stream takes the first batch stored for each seq, the fork stream every other: the
 *      lane stream always reaches as far as anything that is held.
 *
 * The chain grows by the first child stored for its end. A second version lives among the forks
 * until a final block names it; then the chain follows it and what contradicts it is let go.
 */
import { InvariantViolation, type LogEvent } from '../machine.ts';
import {
  EMPTY_TIP,
  type BatchHeader,
  type Digest,
  type Tip,
  type ValidatorIndex,
} from '../types.ts';
import { Ahead } from './ahead.ts';
import { batchStored, forkStream, laneStream } from './events.ts';
import { LaneLog } from './lane-log.ts';
import { BRANCH_BATCHES_MAX } from './setting.ts';

export interface Batch {
  readonly header: BatchHeader;
  readonly digest: Digest;
  readonly payload: Uint8Array;
}

/** Where a batch stands in the log. */
export interface Place {
  readonly stream: string;
  readonly position: number;
}

/** A stored batch. Its payload is null when only the log has it: recovered ones, and forks. */
export interface Stored {
  readonly header: BatchHeader;
  readonly digest: Digest;
  readonly payload: Uint8Array | null;
  readonly place: Place;
  /** The leader on whose word alone it was fetched, while that is known. */
  readonly by: ValidatorIndex | null;
}

export interface Held extends Stored {
  /** Payload bytes of its branch up to here, counted from somewhere at or below the base. */
  readonly total: number;
}

export interface Settled {
  /** The batches between the old base and the new one, ascending. */
  readonly batches: readonly Held[];
  /** The chain had followed another branch. */
  readonly switched: boolean;
  /** Forks that contradict the new base, unless all was sorted anew. */
  readonly dropped: readonly Digest[];
}

/** Bytes of payload, and batches. */
export interface Extent {
  readonly bytes: number;
  readonly batches: number;
}

const NOTHING: Extent = { bytes: 0, batches: 0 };

export class Lane {
  readonly index: ValidatorIndex;
  readonly log: LaneLog;
  readonly ahead = new Ahead();
  #base: Tip = EMPTY_TIP;
  #tip: Tip = EMPTY_TIP;
  #chain: Held[] = [];
  #forks = new Map<Digest, Held>();
  /** Forks by their parent. */
  #children = new Map<Digest, Held[]>();
  /** Forks by the leader on whose word they were fetched. */
  #forked = new Map<ValidatorIndex, Extent>();
  #baseTotal = 0;

  constructor(index: ValidatorIndex) {
    this.index = index;
    this.log = new LaneLog(index);
  }

  get base(): Tip {
    return this.#base;
  }

  /** The end of the chain: what is marked. */
  get tip(): Tip {
    return this.#tip;
  }

  /** Payload bytes of the chain. */
  get bytes(): number {
    return this.bytesTo(this.#tip);
  }

  /** The last seq that a replica keeps of a branch (I74). */
  get reach(): number {
    return this.#base.seq + BRANCH_BATCHES_MAX;
  }

  /** What is held of other branches on the word of this leader alone. They are in the log alone. */
  forkedBy(leader: ValidatorIndex): Extent {
    return this.#forked.get(leader) ?? NOTHING;
  }

  /** The chain's batch at `seq`, if it is above the base. */
  at(seq: number): Held | undefined {
    return this.#chain[seq - this.#base.seq - 1];
  }

  /** The held batch that `tip` names, above the base. */
  find(tip: Tip): Held | undefined {
    const held = this.at(tip.seq);
    if (held?.digest === tip.digest) return held;
    const fork = this.#forks.get(tip.digest);
    return fork?.header.seq === tip.seq ? fork : undefined;
  }

  /** Whether `tip` and all below it are held (I61). */
  holds(tip: Tip): boolean {
    if (tip.seq === this.#base.seq) return tip.digest === this.#base.digest;
    return this.find(tip) !== undefined;
  }

  /** Whether the held `tip` is `below` or descends from it, no deeper than the base. */
  leadsThrough(tip: Tip, below: Tip): boolean {
    let at = tip;
    while (at.seq > below.seq && at.seq > this.#base.seq) {
      const held = this.find(at);
      if (held === undefined) return false;
      at = { seq: at.seq - 1, digest: held.header.parentDigest };
    }
    return at.seq === below.seq && at.digest === below.digest;
  }

  /** Whether the batch's parent is held, so that it may be stored. */
  links(header: BatchHeader): boolean {
    return this.holds({ seq: header.seq - 1, digest: header.parentDigest });
  }

  extends(header: BatchHeader): boolean {
    return header.seq === this.#tip.seq + 1 && header.parentDigest === this.#tip.digest;
  }

  /** Payload bytes from the base up to a held tip. */
  bytesTo(tip: Tip): number {
    return (this.find(tip)?.total ?? this.#baseTotal) - this.#baseTotal;
  }

  /** Payload bytes of the chain above `seq`. */
  bytesAbove(seq: number): number {
    const below = this.at(seq);
    return below === undefined ? this.bytes : this.bytes + this.#baseTotal - below.total;
  }

  /** Takes a linked batch; the event makes it durable. True when the chain grew. */
  store(
    batch: Batch,
    by: ValidatorIndex | null,
  ): { readonly event: LogEvent; readonly grew: boolean } {
    if (!this.links(batch.header)) {
      throw new InvariantViolation(
        'batch_unlinked',
        `lane ${this.index} cannot store seq ${batch.header.seq}: its parent is not held`,
      );
    }
    const place = this.log.place(batch.header.seq);
    const grew = this.#take({ ...batch, place, by });
    return { event: batchStored(place, batch), grew };
  }

  /** Moves the base to `tip`, which is held, and lets go of what contradicts it. */
  settle(tip: Tip): Settled {
    if (tip.seq === this.#base.seq) return { batches: [], switched: false, dropped: [] };
    const batches = this.#path(tip);
    const switched = this.at(tip.seq)?.digest !== tip.digest;
    const above = this.#chain.slice(tip.seq - this.#base.seq);
    const parents = [this.#base.digest, ...batches.slice(0, -1).map(({ digest }) => digest)];
    this.#base = tip;
    this.#baseTotal = batches.at(-1)!.total;
    const dropped = switched ? [] : this.#dropBelow(parents);
    if (switched) this.#regrow([...above, ...this.#forks.values()]);
    else this.#chain = above;
    this.ahead.dropTo(this.#tip.seq);
    return { batches, switched, dropped };
  }

  /** Recovery: the base, and every stored batch above it. */
  restore(base: Tip, stored: readonly Stored[]): void {
    this.#base = base;
    this.#regrow(stored);
  }

  /** The position in the fork stream below which nothing is held. */
  get firstFork(): number {
    const stream = forkStream(this.index);
    let first = this.log.nextFork;
    for (const { place } of [...this.#chain, ...this.#forks.values()]) {
      if (place.stream === stream) first = Math.min(first, place.position);
    }
    return first;
  }

  #take(stored: Stored): boolean {
    const { header, digest } = stored;
    const parent = this.find({ seq: header.seq - 1, digest: header.parentDigest });
    const held = { ...stored, total: (parent?.total ?? this.#baseTotal) + header.bytes };
    if (this.extends(header)) {
      this.#chain.push(held);
      this.#tip = { seq: header.seq, digest };
      return true;
    }
    const fork = { ...held, payload: null };
    this.#forks.set(digest, fork);
    const siblings = this.#children.get(header.parentDigest);
    if (siblings === undefined) this.#children.set(header.parentDigest, [fork]);
    else siblings.push(fork);
    this.#count(fork, 1);
    return false;
  }

  #count({ by, header }: Held, sign: 1 | -1): void {
    if (by === null) return;
    const { bytes, batches } = this.forkedBy(by);
    this.#forked.set(by, { bytes: bytes + sign * header.bytes, batches: batches + sign });
  }

  /** Lets go of the forks that descend from these batches. */
  #dropBelow(parents: readonly Digest[]): Digest[] {
    const dropped: Digest[] = [];
    const open = [...parents];
    for (const parent of open) {
      for (const fork of this.#children.get(parent) ?? []) {
        this.#forks.delete(fork.digest);
        this.#count(fork, -1);
        dropped.push(fork.digest);
        open.push(fork.digest);
      }
      this.#children.delete(parent);
    }
    return dropped;
  }

  #path(tip: Tip): Held[] {
    const path: Held[] = [];
    for (let at = tip; at.seq > this.#base.seq;) {
      const held = this.find(at);
      if (held === undefined) break;
      path.push(held);
      at = { seq: at.seq - 1, digest: held.header.parentDigest };
    }
    if (path.length === tip.seq - this.#base.seq) return path.reverse();
    throw new InvariantViolation('cut_not_held', `lane ${this.index} does not hold seq ${tip.seq}`);
  }

  /** Builds chain and forks again from the base, in the order in which children were stored. */
  #regrow(candidates: readonly Stored[]): void {
    const children = new Map<Digest, Stored[]>();
    for (const held of candidates.toSorted((a, b) => this.#age(a) - this.#age(b))) {
      const siblings = children.get(held.header.parentDigest);
      if (siblings === undefined) children.set(held.header.parentDigest, [held]);
      else siblings.push(held);
    }
    this.#chain = [];
    this.#forks = new Map();
    this.#children = new Map();
    this.#forked = new Map();
    this.#tip = this.#base;
    const open = [this.#base];
    for (const parent of open) {
      for (const held of children.get(parent.digest) ?? []) {
        if (held.header.seq !== parent.seq + 1) continue;
        this.#take(held);
        open.push({ seq: held.header.seq, digest: held.digest });
      }
    }
  }

  /** Among the versions of one seq the lane stream's was stored first (I62), then forks in order. */
  #age(held: Stored): number {
    return held.place.stream === laneStream(this.index) ? -1 : held.place.position;
  }
}
