/**
 * The root of an RFC 6962 tree and the way up to it from a leaf (sections 2.1 and 2.1.1), from the roots
 * of complete subtrees alone.
 */
import { concat } from '../bytes.ts';
import type { Crypto } from '../crypto.ts';
import { HASH, type Step } from './tree-encoding.ts';

const INNER = Uint8Array.of(1);

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
      const right = rootOf(crypto, start + half, left - half, subtree);
      steps.push({ prefix: INNER, suffix: right });
      left = half;
    } else {
      const prefix = concat(INNER, subtree(start, level));
      steps.push({ prefix, suffix: new Uint8Array(0) });
      start += half;
      left -= half;
    }
  }
  return steps.reverse();
}

/** The root over `count` leaves from `start` on, where a subtree of the whole begins. */
export function rootOf(
  crypto: Crypto,
  start: number,
  count: number,
  subtree: SubtreeRoot,
): Uint8Array {
  const level = levelBelow(count + 1);
  const half = 2 ** level;
  const left = subtree(start, level);
  if (half === count) return left;
  const right = rootOf(crypto, start + half, count - half, subtree);
  const root = new Uint8Array(HASH);
  crypto.treeHash(concat(INNER, left, right), root, 0);
  return root;
}

/** The greatest level whose subtree has fewer than `count` leaves. */
function levelBelow(count: number): number {
  let level = 0;
  while (2 ** (level + 1) < count) level++;
  return level;
}
