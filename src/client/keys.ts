/**
 * Keys that clients sign with: 32 random bytes, as they are or in PKCS#8 PEM (RFC 8410), which OpenSSL and
 * Node write, too.
 *
 * X7. The private part leaves a key only where `seed()` or `pem()` is called: nothing that prints, copies or
 *     serializes the object shows it, and no error quotes what was read.
 */
import { bytesEqual, concat, fromHex } from '../../protocols/bytes.ts';
import type { Signer } from '../../protocols/crypto.ts';
import type { PublicKey } from '../../protocols/types.ts';
import { AlthingError } from './errors.ts';

const SEED_BYTES = 32;
/** SEQUENCE { 0, SEQUENCE { OID 1.3.101.112 }, OCTET STRING { OCTET STRING … } }, up to the seed. */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420');
const PEM =
  /^\s*-----BEGIN PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END PRIVATE KEY-----\s*$/;

export class Key implements Signer {
  readonly publicKey: PublicKey;
  readonly #seed: Uint8Array;
  readonly #signer: Signer;

  constructor(seed: Uint8Array, signerFromSeed: (seed: Uint8Array) => Signer) {
    this.#seed = Uint8Array.from(seed);
    this.#signer = signerFromSeed(this.#seed);
    this.publicKey = this.#signer.publicKey;
  }

  /** How clusters name who signs with it. */
  get sender(): string {
    return `key:${this.publicKey}`;
  }

  sign(message: Uint8Array): Uint8Array {
    return this.#signer.sign(message);
  }

  /** The secret: 32 bytes, to be kept where nobody else reads. */
  seed(): Uint8Array {
    return Uint8Array.from(this.#seed);
  }

  /** The secret as PKCS#8 PEM, for a file that nobody else reads. */
  pem(): string {
    const base64 = btoa(String.fromCharCode(...concat(PKCS8_PREFIX, this.#seed)));
    return `-----BEGIN PRIVATE KEY-----\n${base64}\n-----END PRIVATE KEY-----\n`;
  }

  toString(): string {
    return `Key ${this.publicKey}`;
  }

  toJSON(): object {
    return { publicKey: this.publicKey };
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }
}

/** How keys are made where signatures are made by `signerFromSeed`. */
export interface Keys {
  /** A new one, by the random numbers of the platform. */
  readonly generateKey: () => Key;
  /** The same seed is the same key. Throws AlthingError `bad_key` unless it has 32 bytes. */
  readonly keyFromSeed: (seed: Uint8Array) => Key;
  /** Throws AlthingError `bad_key` for all but an unencrypted Ed25519 key in PKCS#8 PEM. */
  readonly keyFromPem: (pem: string) => Key;
}

export function keysWith(signerFromSeed: (seed: Uint8Array) => Signer): Keys {
  const keyFromSeed = (seed: Uint8Array): Key => {
    if (seed instanceof Uint8Array && seed.length === SEED_BYTES) {
      return new Key(seed, signerFromSeed);
    }
    throw new AlthingError('bad_key', `the seed of a key has ${SEED_BYTES} bytes`);
  };
  return {
    keyFromSeed,
    generateKey: () => keyFromSeed(crypto.getRandomValues(new Uint8Array(SEED_BYTES))),
    keyFromPem: (pem) => keyFromSeed(seedIn(pem)),
  };
}

function seedIn(pem: string): Uint8Array {
  const [, base64 = ''] = PEM.exec(pem) ?? [];
  const bytes = decoded(base64.replaceAll(/\s/g, ''));
  const prefix = bytes.subarray(0, PKCS8_PREFIX.length);
  if (bytes.length === PKCS8_PREFIX.length + SEED_BYTES && bytesEqual(prefix, PKCS8_PREFIX)) {
    return bytes.subarray(PKCS8_PREFIX.length);
  }
  throw new AlthingError('bad_key', 'not an unencrypted Ed25519 key in PKCS#8 PEM');
}

/** Nothing when it is not base64. */
function decoded(base64: string): Uint8Array {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array(0);
  }
}
