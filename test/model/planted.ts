/**
 * Which planted bugs (test/planted/) the checker finds, and the smallest bound that is known to show each;
 * docs/model-checker.md names the others of these machines.
 */
import { DEFAULT_BOUNDS, type Bounds } from './bounds.ts';

export interface PlantedBound extends Partial<Bounds> {
  /** Of its file in test/planted/. */
  readonly name: string;
}

/** One term and one height, where nothing else is said. */
export function boundsOf(planted: PlantedBound): Bounds {
  return { ...DEFAULT_BOUNDS, heights: 1, terms: 1, ...planted };
}

export const PLANTED: readonly PlantedBound[] = [
  { name: 'b4-abandoned-term', terms: 2 },
  { name: 'b4-certificate-of-other-block', heights: 2 },
  { name: 'b4-certificate-of-other-term', byzantine: 1, terms: 2, heights: 2 },
  { name: 'b4-certificate-unchecked', heights: 2 },
  { name: 'b4-first-off-highest', byzantine: 1, terms: 2 },
  { name: 'b4-other-term', terms: 2 },
  { name: 'b4-quorum-one-short' },
  { name: 'b4-root-in-any-term', byzantine: 1, terms: 2 },
  { name: 'b4-stranger-proposes', terms: 2 },
  { name: 'b4-timeouts-of-other-term', byzantine: 2, terms: 3 },
  { name: 'b4-timeouts-unchecked', byzantine: 1, terms: 2 },
  { name: 'b4-two-first-blocks', byzantine: 1, terms: 2, heights: 2 },
  { name: 'b4-two-votes-per-height', heights: 2 },
  { name: 'b4-votes-recorded-unchecked' },
  { name: 'b5-highest-falls', heights: 2 },
  { name: 'b6-commit-votes-unchecked' },
  { name: 'b6-commits-in-abandoned-term', terms: 2 },
  { name: 'b6-commits-in-other-term', terms: 2 },
  { name: 'p1-abandonment-forgotten', terms: 2, crashes: 1 },
  { name: 'p1-commit-forgotten', byzantine: 3, crashes: 1 },
  { name: 'p1-commit-vote-early', byzantine: 3, crashes: 1 },
  { name: 'p1-commit-without-certificate', byzantine: 3, crashes: 1 },
  { name: 'p1-prepare-vote-early', crashes: 1 },
  { name: 'p1-proposes-before-entry', terms: 2, crashes: 1 },
  { name: 'p1-timeout-early', byzantine: 3, terms: 2, crashes: 1 },
  { name: 'p1-votes-forgotten', crashes: 1 },
  { name: 'p2-proposes-after-restart', byzantine: 3, crashes: 1 },
  { name: 'p3-older-state', crashes: 1 },
  { name: 't1-comes-back', byzantine: 3, terms: 2, heights: 2 },
  { name: 't2-certificate-below-quorum', terms: 2 },
  { name: 't2-claim-unproved', terms: 2 },
  { name: 't2-claimed-certificate-unchecked', terms: 2 },
  { name: 't2-claims-nothing', terms: 2 },
  { name: 't2-lowest-certificate', terms: 2 },
  { name: 't2-received-certificate-unchecked', terms: 2 },
  { name: 't2-timeouts-unchecked', terms: 2 },
  { name: 't2-voters-not-distinct', terms: 2 },
  { name: 't2-votes-not-distinct', heights: 2 },
];
