/**
 * The way from a leaf of an RFC 6962 tree up to its root (section 2.1.1), from the roots of complete
 * subtrees alone: whoever has these needs no leaves.
 */
import type { Crypto } from '../crypto.ts';
import { innerHash, stepPast } from '../proofs/receipt-proof.ts';
import type { Step } from './tree-encoding.ts';

/** The root of the complete subtree over the leaves `start … start + 2^level − 1`. */
export type SubtreeRoot = (start: number, level: number) => Uint8Array;

/** The steps from leaf `index` of a tree of `size` leaves, lowest first. */
export function auditPath(
  crypto: Crypto,
  index: number,
  size: number,
  subtree: SubtreeRoot,
): Step[] {
  const steps: Step[] = [];
  let start = 0;
  let left = size;
  while (left > 1) {
    const level = levelBelow(left);
    const half = 2 ** level;
    if (index - start < half) {
      steps.push(stepPast(rootOf(crypto, start + half, left - half, subtree), 'right'));
      left = half;
    } else {
      steps.push(stepPast(subtree(start, level), 'left'));
      start += half;
      left -= half;
    }
  }
  return steps.reverse();
}

/** The root over `count` leaves from `start` on, where a subtree of the whole begins. */
function rootOf(crypto: Crypto, start: number, count: number, subtree: SubtreeRoot): Uint8Array {
  const level = levelBelow(count + 1);
  const half = 2 ** level;
  if (half === count) return subtree(start, level);
  const rest = rootOf(crypto, start + half, count - half, subtree);
  return innerHash(crypto, subtree(start, level), rest);
}

/** The greatest level whose subtree has fewer than `count` leaves. */
function levelBelow(count: number): number {
  let level = 0;
  while (2 ** (level + 1) < count) level++;
  return level;
}
