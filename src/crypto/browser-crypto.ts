/**
 * The `Crypto` port in plain JavaScript, for browsers and wherever there is no libsodium.
 *
 * C3. `verify` accepts exactly what node-crypto.ts accepts (C1). The libraries' own check takes the
 *     cofactored equation, with which a key of mixed order signs what nodes refuse; so the equation
 *     is computed here: S < L, key and R canonical and not of small order, R = S·B − k·A.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { blake3 } from '@noble/hashes/blake3.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { bytesEqual, concat, fromHex, isHex, toHex } from '../../protocols/bytes.ts';
import type { Crypto } from '../../protocols/crypto.ts';
import type { Digest, PublicKey } from '../../protocols/types.ts';

const { Point } = ed25519;
const { Fn } = Point;
const HASH_BYTES = 32;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

function hash(bytes: Uint8Array): Digest {
  return toHex(blake3(bytes)) as Digest;
}

function treeHash(input: Uint8Array, out: Uint8Array, offset: number): void {
  if (offset < 0 || offset + HASH_BYTES > out.length) {
    throw new RangeError(`no room for ${HASH_BYTES} bytes at ${offset} of ${out.length}`);
  }
  out.set(blake2b(input, { dkLen: HASH_BYTES }), offset);
}

function verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || !isHex(key, KEY_BYTES)) return false;
  const publicKey = fromHex(key);
  const r = signature.slice(0, 32);
  const s = littleEndian(signature.subarray(32));
  if (s >= Fn.ORDER) return false;
  const a = pointOf(publicKey);
  if (a === null || pointOf(r) === null) return false;
  const k = Fn.create(littleEndian(sha512(concat(r, publicKey, message))));
  const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k));
  return bytesEqual(expected.toBytes(), r);
}

/** Null unless the bytes are the one encoding of a point that is not of small order. */
function pointOf(bytes: Uint8Array): InstanceType<typeof Point> | null {
  try {
    const point = Point.fromBytes(bytes);
    return point.isSmallOrder() ? null : point;
  } catch {
    return null;
  }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes.toReversed())}`);
}

export const browserCrypto: Crypto = { hash, treeHash, verify };
