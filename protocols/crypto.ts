/**
 * The port through which machines hash, sign and verify. Everything behind it is a pure function of
 * its arguments: Node uses BLAKE3, BLAKE2b and libsodium, browsers use @noble, the simulator may use
 * a keyed hash. Rule M4: `verify` is strict (canonical encodings, small-order keys refused).
 */
import type { Digest, PublicKey } from './types.ts';

export interface Crypto {
  /** BLAKE3-256, for documents, headers and payloads. */
  hash(bytes: Uint8Array): Digest;
  /** BLAKE2b-256 of `input` into `out[offset, offset + 32)`: tree nodes, where the call is the cost. */
  treeHash(input: Uint8Array, out: Uint8Array, offset: number): void;
  /** Never throws: malformed keys and signatures are simply not valid. */
  verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean;
}

export interface Signer {
  readonly publicKey: PublicKey;
  /** Deterministic Ed25519 (RFC 8032), 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}
