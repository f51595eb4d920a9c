/**
 * How the state tree is hashed: shared by the tree that makes it and the proofs that check it.
 *
 *   path  = H(u32 length ‖ table id ‖ key)          row hash = H(0x00 ‖ canonical row)
 *   child = 0x01                                    nothing
 *         | 0x02 ‖ path ‖ row hash                  a subtree with one leaf is that leaf
 *         | 0x03 ‖ hash                             a subtree with more
 *   hash  = H(left child ‖ right child)
 *   root  = the hash of the whole tree; of one leaf, H(child); of nothing, 32 zero bytes
 *
 * A leaf stands in its parent with its path and not as one hash of both: so it costs one hash to make,
 * and whoever is to see that a key has no row is shown which leaf stands in its place by 64 bytes,
 * whatever its row holds.
 */
import { Writer } from '../bytes.ts';
import type { Crypto } from '../crypto.ts';

export const HASH = 32;
export const LEAF = 2 * HASH;
export const PATH_BITS = 256;

export const ROW_TAG = 0;
export const NOTHING = 1;
export const ONE_LEAF = 2;
export const SUBTREE = 3;

/** What stands before and after a node in what is hashed for its parent: ICS-23's inner op. */
export interface Step {
  readonly prefix: Uint8Array;
  readonly suffix: Uint8Array;
}

/** The table's id as it stands in paths. */
export function tableId(module: string, table: string): string {
  return `${module}/${table}`;
}

export function bitOf(path: Uint8Array, depth: number): number {
  return (path[depth >> 3]! >> (7 - (depth & 7))) & 1;
}

export function pathOf(crypto: Crypto, table: string, key: string): Uint8Array {
  const path = new Uint8Array(HASH);
  crypto.treeHash(new Writer().text(table).utf8(key).view(), path, 0);
  return path;
}

/** @param row its canonical bytes */
export function rowHash(crypto: Crypto, row: Uint8Array): Uint8Array {
  const hash = new Uint8Array(HASH);
  crypto.treeHash(new Writer(1 + row.length).u8(ROW_TAG).raw(row).view(), hash, 0);
  return hash;
}
