/**
 * A Crypto port made for speed: a 256-bit mixing hash, and "signatures" that are keyed hashes. It
 * withstands accidents, not attackers — and the simulator's attackers only use the keys they own,
 * which is what a real signature scheme would force on them. Some seeds run with the real one.
 */
import type { Crypto, Signer } from '../../protocols/crypto.ts';
import { bytesEqual, fromHex, toHex, utf8 } from '../../protocols/bytes.ts';
import type { Digest, PublicKey } from '../../protocols/types.ts';

const state = new Uint32Array(8);

function absorb(bytes: Uint8Array): void {
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  const length = bytes.length;
  for (let at = 0; at < length; at += 4) {
    const left = length - at;
    let word = bytes[at] as number;
    if (left > 1) word |= (bytes[at + 1] as number) << 8;
    if (left > 2) word |= (bytes[at + 2] as number) << 16;
    if (left > 3) word |= (bytes[at + 3] as number) << 24;
    a = Math.imul(a ^ word, 0x9e3779b1);
    a = (a << 13) | (a >>> 19);
    b = Math.imul(b ^ a, 0x85ebca77);
    b = (b << 15) | (b >>> 17);
    c = Math.imul(c + word, 0xc2b2ae3d) ^ b;
    d = (Math.imul(d ^ (c >>> 15), 0x27d4eb2f) + a) | 0;
  }
  state[0] = a ^ length;
  state[1] = b;
  state[2] = c;
  state[3] = d;
}

function finish(): void {
  let a = state[0] as number;
  for (let i = 0; i < 16; i++) {
    const at = i & 3;
    a = Math.imul(a ^ (state[at] as number) ^ (a >>> 15), 0x2c1b3c6d);
    a ^= a >>> 12;
    state[at] = (state[at] as number) + Math.imul(a, 0x297a2d39);
    if (i >= 8) state[4 + at] = Math.imul((state[4 + at] as number) ^ a, 0x165667b1) ^ (a >>> 16);
  }
}

function mix(seed: number, parts: readonly Uint8Array[]): Uint8Array {
  state.set([seed, 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, seed]);
  for (const part of parts) absorb(part);
  finish();
  return new Uint8Array(state.buffer);
}

const signature = (key: PublicKey, message: Uint8Array): Uint8Array => {
  const out = new Uint8Array(64);
  out.set(mix(2, [fromHex(key), message]));
  out.set(mix(3, [out.subarray(0, 32)]), 32);
  return out;
};

export const fastCrypto: Crypto = {
  hash: (bytes) => toHex(mix(1, [bytes])) as Digest,
  treeHash: (input, out, offset) => out.set(mix(4, [input]), offset),
  verify: (key, message, given) => bytesEqual(signature(key, message), given),
};

/** The signer of a name: the same name has the same key in every run. */
export function fastSigner(name: string): Signer {
  const publicKey = toHex(mix(5, [utf8(name)])) as PublicKey;
  return { publicKey, sign: (message) => signature(publicKey, message) };
}
