/**
 * Where one lane's batches stand in the log (I62), and which of its seqs have evidence there.
 *
 * Evidence is kept for EVIDENCE_MAX seqs: one proves as much as a thousand, and the owner decides how
 * many there are. The index of forks is kept whole: it holds one small entry for each batch that an equivocating
 * owner got into a cut, and execution after a restart needs it.
 */
import type { LogEvent } from '../machine.ts';
import type { BatchHeader, Digest, ValidatorIndex } from '../types.ts';
import { equivocationFound, forkStream, laneStream } from './events.ts';
import type { Place } from './lane.ts';

const EVIDENCE_MAX = 64;

export interface Fork {
  readonly seq: number;
  readonly parent: Digest;
  readonly position: number;
}

export class LaneLog {
  readonly #lane: ValidatorIndex;
  readonly #forks = new Map<Digest, Fork>();
  readonly #evidence = new Set<number>();
  #next = 0;
  #nextFork = 0;

  constructor(lane: ValidatorIndex) {
    this.#lane = lane;
  }

  /** The first seq of which the lane stream has no batch. */
  get next(): number {
    return this.#next;
  }

  fork(digest: Digest): Fork | undefined {
    return this.#forks.get(digest);
  }

  forkPlace(fork: Fork): Place {
    return { stream: forkStream(this.#lane), position: fork.position };
  }

  /** The place for a batch that is stored now. */
  place(header: BatchHeader, digest: Digest): Place {
    if (header.seq !== this.#next) return this.forkPlace(this.#addFork(header, digest));
    return { stream: laneStream(this.#lane), position: this.#next++ };
  }

  /** Evidence against the owner, once for each seq; null when it or enough of it is there already. */
  evidence(first: BatchHeader, second: BatchHeader): LogEvent | null {
    if (this.#evidence.has(first.seq) || this.#evidence.size >= EVIDENCE_MAX) return null;
    this.#evidence.add(first.seq);
    const place = { stream: forkStream(this.#lane), position: this.#nextFork++ };
    return equivocationFound(place, { first, second });
  }

  recoverLane(position: number): void {
    this.#next = position + 1;
  }

  recoverFork(header: BatchHeader, digest: Digest): Place {
    return this.forkPlace(this.#addFork(header, digest));
  }

  recoverEvidence(seq: number): void {
    this.#nextFork++;
    this.#evidence.add(seq);
  }

  #addFork(header: BatchHeader, digest: Digest): Fork {
    const fork = { seq: header.seq, parent: header.parentDigest, position: this.#nextFork++ };
    this.#forks.set(digest, fork);
    return fork;
  }
}
