/**
 * The Node side of the `Crypto` port: BLAKE3 by napi, BLAKE2b-256 and Ed25519 by libsodium.
 *
 * C1. `verify` is strict (rule M4): it accepts only S < L, canonical encodings of the key and of R,
 *     and neither of small order, and it computes the cofactorless equation. libsodium (1.0.21, not
 *     built with ED25519_COMPAT) does all of that; test/crypto holds it to the published edge cases.
 * C2. `verify` never throws. The bindings assert on lengths, so lengths are checked before the call.
 */
import { blake3 } from '@napi-rs/blake-hash';
import sodium from 'sodium-native';
import { isHex } from '../../protocols/bytes.ts';
import type { Crypto } from '../../protocols/crypto.ts';
import type { Digest, PublicKey } from '../../protocols/types.ts';

const HASH_BYTES = 32;
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** A `Buffer` over the same memory: the BLAKE3 binding wants one by its types, not by its code. */
function asBuffer(bytes: Uint8Array): Buffer {
  return bytes as Buffer;
}

function hash(bytes: Uint8Array): Digest {
  return blake3(asBuffer(bytes)).toString('hex') as Digest;
}

function treeHash(input: Uint8Array, out: Uint8Array, offset: number): void {
  if (offset < 0 || offset + HASH_BYTES > out.length) {
    throw new RangeError(`no room for ${HASH_BYTES} bytes at ${offset} of ${out.length}`);
  }
  sodium.crypto_generichash(out.subarray(offset, offset + HASH_BYTES), input);
}

function verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || !isHex(key, KEY_BYTES)) return false;
  return sodium.crypto_sign_verify_detached(signature, message, Buffer.from(key, 'hex'));
}

export const nodeCrypto: Crypto = { hash, treeHash, verify };
