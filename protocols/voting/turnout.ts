/**
 * The height of each validator's latest checked prepare vote: consensus tells by it who reports tips
 * and does not vote for them (B3).
 */
import type { Certificate, Vote } from '../types.ts';

/** A vote that comes after its certificate is checked where its voter would soon seem silent. */
const UNSEEN_HEIGHTS = 8;

export class Turnout {
  readonly #heights: number[];

  constructor(n: number) {
    this.#heights = Array.from({ length: n }, () => 0);
  }

  /** By validator. */
  heights(): readonly number[] {
    return [...this.#heights];
  }

  note({ kind, height, votes }: Pick<Certificate, 'kind' | 'height' | 'votes'>): void {
    if (kind === 'commit') return;
    for (const { voter } of votes) this.#heights[voter] = Math.max(this.#heights[voter]!, height);
  }

  /** A certificate needs only the first q votes: whoever is always later than those is not silent. */
  isMissed({ kind, height, voter }: Vote): boolean {
    return kind === 'prepare' && height >= this.#heights[voter]! + UNSEEN_HEIGHTS;
  }
}
