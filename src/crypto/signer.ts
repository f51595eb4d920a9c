/** Signing with a private key that was read from disk; the key never leaves this closure. */
import { readFileSync } from 'node:fs';
import sodium from 'sodium-native';
import type { Signer } from '../../protocols/crypto.ts';
import type { PublicKey } from '../../protocols/types.ts';
import { KeyError, readPrivateKey } from './keys.ts';

/** Throws KeyError. */
export function signerFromPem(pem: string): Signer {
  return signerFromSeed(readPrivateKey(pem).seed);
}

/** @param seed 32 bytes */
export function signerFromSeed(seed: Uint8Array): Signer {
  const publicKey = Buffer.alloc(32);
  const secretKey = Buffer.alloc(64);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
  return {
    publicKey: publicKey.toString('hex') as PublicKey,
    sign(message) {
      const signature = new Uint8Array(64);
      sodium.crypto_sign_detached(signature, message, secretKey);
      return signature;
    },
  };
}

/** Reads a PKCS#8 PEM file. Throws KeyError that names the file and never its content. */
export function loadSigner(pemPath: string): Signer {
  let pem: string;
  try {
    pem = readFileSync(pemPath, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new KeyError(`cannot read the private key ${pemPath} (${code})`);
  }
  try {
    return signerFromPem(pem);
  } catch (error) {
    throw new KeyError(`${pemPath}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
