/** Signing in plain JavaScript, for browsers: the same signatures as signer.ts makes (RFC 8032). */
import { ed25519 } from '@noble/curves/ed25519.js';
import { toHex } from '../../protocols/bytes.ts';
import type { Signer } from '../../protocols/crypto.ts';
import type { PublicKey } from '../../protocols/types.ts';

/** @param seed 32 bytes */
export function signerFromSeed(seed: Uint8Array): Signer {
  const secret = Uint8Array.from(seed);
  return {
    publicKey: toHex(ed25519.getPublicKey(secret)) as PublicKey,
    sign: (message) => ed25519.sign(message, secret),
  };
}
