/**
 * Whether a row, or that there is none, follows from a state root (transaction/tree-encoding.ts).
 *
 * I111. Under one root at most one of all rows and absences of a key verifies, unless H has a collision:
 *       table and key fix the path, the path fixes on which side of each step the node stands, and each
 *       step is two whole children. A step that was not would let a hash that happens to end like a
 *       child pass for one.
 *
 * Absence is shown by what stands where the key's path ends, nothing or another leaf. ICS-23's two
 * neighbours would be two such proofs, and say no more: in this tree order is that of hashes.
 */
import { bytesEqual, concat, fromHex } from '../bytes.ts';
import type { Crypto } from '../crypto.ts';
import {
  bitOf,
  HASH,
  LEAF,
  NOTHING,
  ONE_LEAF,
  pathOf,
  rowHash,
  SUBTREE,
  type Step,
} from '../transaction/tree-encoding.ts';
import { ZERO_DIGEST, type Digest } from '../types.ts';
import type { AbsenceClaim, RowClaim } from './format.ts';

const CHILD_BYTES: Readonly<Record<number, number>> = {
  [NOTHING]: 1,
  [ONE_LEAF]: 1 + LEAF,
  [SUBTREE]: 1 + HASH,
};

/** Null when it does; else what is wrong. */
export function rowFault(
  crypto: Crypto,
  claim: RowClaim | AbsenceClaim,
  stateRoot: Digest,
): 'malformed' | 'wrong_root' | null {
  const path = pathOf(crypto, claim.table, claim.key);
  if (claim.kind === 'row') {
    return treeFault(crypto, path, leafChild(path, rowHash(crypto, claim.row)), claim, stateRoot);
  }
  const { leaf } = claim;
  if (leaf !== null && bytesEqual(leaf.path, path)) return 'malformed';
  const end = leaf === null ? Uint8Array.of(NOTHING) : leafChild(leaf.path, leaf.rowHash);
  return treeFault(crypto, path, end, claim, stateRoot);
}

function leafChild(path: Uint8Array, hash: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(ONE_LEAF), path, hash);
}

function treeFault(
  crypto: Crypto,
  path: Uint8Array,
  end: Uint8Array,
  { steps }: { readonly steps: readonly Step[] },
  stateRoot: Digest,
): 'malformed' | 'wrong_root' | null {
  let child = end;
  for (const [at, { prefix, suffix }] of steps.entries()) {
    const isRight = bitOf(path, steps.length - 1 - at) === 1;
    const sibling = isRight ? prefix.subarray(0, -1) : suffix;
    const kindAt = prefix.length - 1;
    const isWhole = isChild(sibling) && (isRight ? suffix.length === 0 : kindAt === 0);
    if (!isWhole || prefix[kindAt] !== child[0]) return 'malformed';
    const hash = hashOf(crypto, concat(prefix, child.subarray(1), suffix));
    child = concat(Uint8Array.of(SUBTREE), hash);
  }
  return bytesEqual(rootOf(crypto, child), fromHex(stateRoot)) ? null : 'wrong_root';
}

function isChild(bytes: Uint8Array): boolean {
  return bytes.length > 0 && CHILD_BYTES[bytes[0]!] === bytes.length;
}

function rootOf(crypto: Crypto, top: Uint8Array): Uint8Array {
  if (top[0] === NOTHING) return fromHex(ZERO_DIGEST);
  return top[0] === SUBTREE ? top.subarray(1) : hashOf(crypto, top);
}

function hashOf(crypto: Crypto, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(HASH);
  crypto.treeHash(bytes, out, 0);
  return out;
}
