/**
 * Whether receipts follow from a receipts root: a submission's leaf in the tree of its block, and that
 * tree's root, with its height, as a leaf in the tree of all blocks up to the checkpoint. Both have the
 * shape of RFC 6962.
 *
 *   submission = H(0x00 ‖ id ‖ u32 index ‖ u32 transactions ‖ outcomes)
 *   block      = H(0x00 ‖ u64 height ‖ root of the block's submissions)
 *   inner      = H(0x01 ‖ left ‖ right)
 *
 * I112. Under one root receipts verify only if executing that block gave them, unless H has a
 *       collision: leaves and inner nodes are told apart by their first byte, and a step is a whole
 *       inner node. Where a leaf stands among the others is not part of the claim; what is (height, index)
 *       stands in the leaves.
 */
import { bytesEqual, concat, fromHex, Writer } from '../bytes.ts';
import type { Crypto } from '../crypto.ts';
import { HASH, type Step } from '../transaction/tree-encoding.ts';
import type { Digest } from '../types.ts';
import type { ReceiptsClaim } from './format.ts';

const LEAF_TAG = 0;
const INNER_TAG = 1;

/** Null when they do; else what is wrong. */
export function receiptsFault(
  crypto: Crypto,
  claim: ReceiptsClaim,
  receiptsRoot: Digest,
): 'malformed' | 'wrong_root' | null {
  const blockRoot = fold(crypto, receiptsLeaf(crypto, claim), claim.blockSteps);
  if (blockRoot === null) return 'malformed';
  const root = fold(crypto, blockLeaf(crypto, claim.height, blockRoot), claim.heightSteps);
  if (root === null) return 'malformed';
  return bytesEqual(root, fromHex(receiptsRoot)) ? null : 'wrong_root';
}

export function receiptsLeaf(
  crypto: Crypto,
  { id, index, txCount, outcomes }: Pick<ReceiptsClaim, 'id' | 'index' | 'txCount' | 'outcomes'>,
): Uint8Array {
  const input = new Writer(41 + outcomes.length).u8(LEAF_TAG).hex(id).u32(index).u32(txCount);
  return hashOf(crypto, input.raw(outcomes).view());
}

function blockLeaf(crypto: Crypto, height: number, root: Uint8Array): Uint8Array {
  return hashOf(crypto, new Writer(41).u8(LEAF_TAG).i54(height).raw(root).view());
}

/** Null when a step is not an inner node with two children. */
function fold(crypto: Crypto, leaf: Uint8Array, steps: readonly Step[]): Uint8Array | null {
  let node = leaf;
  for (const { prefix, suffix } of steps) {
    const isInner =
      prefix[0] === INNER_TAG &&
      prefix.length + suffix.length === 1 + HASH &&
      (prefix.length === 1 || suffix.length === 0);
    if (!isInner) return null;
    node = hashOf(crypto, concat(prefix, node, suffix));
  }
  return node;
}

function hashOf(crypto: Crypto, bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(HASH);
  crypto.treeHash(bytes, out, 0);
  return out;
}
