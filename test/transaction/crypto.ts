/**
 * The hash and signature functions for these tests: the same algorithms as in production, bound here
 * so that the protocol's tests depend on nothing above `protocols/`.
 */
import { createRequire } from 'node:module';
import { fromHex, toHex } from '../../protocols/bytes.ts';
import type { Crypto, Signer } from '../../protocols/crypto.ts';
import type { Digest, PublicKey } from '../../protocols/types.ts';

interface Sodium {
  crypto_sign_seed_keypair(publicKey: Buffer, secretKey: Buffer, seed: Buffer): void;
  crypto_sign_detached(signature: Buffer, message: Uint8Array, secretKey: Buffer): void;
  crypto_sign_verify_detached(signature: Uint8Array, message: Uint8Array, key: Uint8Array): boolean;
  crypto_generichash(out: Uint8Array, input: Uint8Array): void;
}

const require = createRequire(import.meta.url);
const sodium = require('sodium-native') as Sodium;
const { blake3 } = require('@napi-rs/blake-hash') as { blake3(input: Uint8Array): Buffer };

const node32 = Buffer.alloc(32);

export const crypto: Crypto = {
  hash: (bytes) => blake3(bytes).toString('hex') as Digest,
  treeHash(input, out, offset) {
    sodium.crypto_generichash(node32, input);
    out.set(node32, offset);
  },
  verify(key, message, signature) {
    return (
      signature.length === 64 &&
      sodium.crypto_sign_verify_detached(signature, message, fromHex(key))
    );
  },
};

/** A signer whose key follows from `seed`, so that golden values stay the same. */
export function testSigner(seed: number): Signer {
  const publicKey = Buffer.alloc(32);
  const secretKey = Buffer.alloc(64);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, Buffer.alloc(32, seed));
  return {
    publicKey: toHex(publicKey) as PublicKey,
    sign(message) {
      const signature = Buffer.alloc(64);
      sodium.crypto_sign_detached(signature, message, secretKey);
      return Uint8Array.from(signature);
    },
  };
}
