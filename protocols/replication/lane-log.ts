/**
 * Where one lane's batches go in the log (I62), and which of its seqs have evidence there.
 *
 * I104. What is in memory of a lane's other versions is bounded, however long its owner equivocates: those
 *      above the base (I74), and evidence of EVIDENCE_MAX seqs, since one proves as much as a thousand.
 *      What became final is found in the log by its digest, and recovery begins at the first position that
 *      may lie above the base.
 */
import type { LogEvent } from '../machine.ts';
import type { BatchHeader, ValidatorIndex } from '../types.ts';
import { equivocationFound, evidenceStream, forkStream, laneStream } from './events.ts';
import type { Place } from './lane.ts';

const EVIDENCE_MAX = 64;

export class LaneLog {
  readonly #lane: ValidatorIndex;
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

  /** Pieces of evidence against the owner that are in the log. */
  get evidenceCount(): number {
    return this.#evidence.size;
  }

  /** The next position of the fork stream. */
  get nextFork(): number {
    return this.#nextFork;
  }

  /** The place for a batch that is stored now. */
  place(seq: number): Place {
    if (seq !== this.#next) return { stream: forkStream(this.#lane), position: this.#nextFork++ };
    return { stream: laneStream(this.#lane), position: this.#next++ };
  }

  /** Evidence against the owner, once for each seq; null when it or enough of it is there already. */
  evidence(first: BatchHeader, second: BatchHeader): LogEvent | null {
    if (this.#evidence.has(first.seq) || this.#evidence.size >= EVIDENCE_MAX) return null;
    const place = { stream: evidenceStream(this.#lane), position: this.#evidence.size };
    this.#evidence.add(first.seq);
    return equivocationFound(place, { first, second });
  }

  recoverLane(position: number): void {
    this.#next = position + 1;
  }

  /** Fork events below `next` are there; recovery has no need of them. */
  recoverForks(next: number): void {
    this.#nextFork = next;
  }

  recoverEvidence(seq: number): void {
    this.#evidence.add(seq);
  }
}
