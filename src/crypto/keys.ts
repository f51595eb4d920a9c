/**
 * Ed25519 keys in the forms that leave the process: PKCS#8 PEM on disk, 32 raw bytes in hex for
 * public keys, SPKI (DER) inside certificates.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import type { PublicKey } from '../../protocols/types.ts';

/** SEQUENCE { SEQUENCE { OID 1.3.101.112 } BIT STRING }: everything of an Ed25519 SPKI but the key. */
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
/** The same for a PKCS#8 private key, before its 32-byte seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const KEY_BYTES = 32;

export class KeyError extends Error {
  readonly code = 'bad_key';
}

/** A new private key as PKCS#8 PEM, and its public key. */
export function generateKey(): { readonly pem: string; readonly publicKey: PublicKey } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { pem, publicKey: rawPublicKey(publicKey) };
}

function rawPublicKey(key: KeyObject): PublicKey {
  const spki = key.export({ type: 'spki', format: 'der' });
  return spki.subarray(SPKI_PREFIX.length).toString('hex') as PublicKey;
}

/** The public key of an Ed25519 SubjectPublicKeyInfo; null for any other algorithm or form. */
export function publicKeyOfSpki(spki: Uint8Array): PublicKey | null {
  const prefix = spki.subarray(0, SPKI_PREFIX.length);
  if (spki.length !== SPKI_PREFIX.length + KEY_BYTES || SPKI_PREFIX.compare(prefix) !== 0) {
    return null;
  }
  return Buffer.from(spki.subarray(SPKI_PREFIX.length)).toString('hex') as PublicKey;
}

/** The 32-byte seed and the public key of a PEM. Throws KeyError when it holds anything else. */
export function readPrivateKey(pem: string): {
  readonly seed: Uint8Array;
  readonly publicKey: PublicKey;
} {
  const key = parsePem(pem);
  if (key.asymmetricKeyType !== 'ed25519') {
    throw new KeyError(`expected an Ed25519 key, found ${key.asymmetricKeyType ?? 'none'}`);
  }
  const der = key.export({ type: 'pkcs8', format: 'der' });
  if (der.length !== PKCS8_PREFIX.length + KEY_BYTES) {
    throw new KeyError('expected a PKCS#8 private key without attributes');
  }
  return { seed: der.subarray(PKCS8_PREFIX.length), publicKey: rawPublicKey(createPublicKey(key)) };
}

function parsePem(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // The parser's message may quote the input, and the input is a secret.
    throw new KeyError('not a private key in PKCS#8 PEM');
  }
}
