/**
 * What a node writes into a store that others may reach, so that it believes only itself.
 *
 * Z3. A node takes back only what it has kept itself, under the same name, in this cluster and in this
 *     form of what is kept: every entry carries a hash of its key and its content, keyed with a secret
 *     that follows from the node's own key. Whoever can write to the store can take entries away, or put
 *     back older ones, which say the same (Z2); and no more.
 */
import { Blake3Hasher } from '@napi-rs/blake-hash';
import { timingSafeEqual } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Digest } from '../../protocols/types.ts';
import { readPrivateKey } from '../crypto/keys.ts';

/** Raised whenever the form of anything that is kept changes: entries of before are never read again. */
const FORM = 1;
const HASH_BYTES = 32;
/** Tell the two uses of the secret apart. */
const [NAMES, CONTENTS] = ['name', 'content'] as const;

export class Seal {
  readonly #secret: Buffer;
  readonly #prefix: string;

  /**
   * @param nodeId for people who look into the store
   * @param seed of the node's private key, 32 bytes; not kept
   */
  constructor(nodeId: string, clusterId: Digest, seed: Uint8Array) {
    const material = Buffer.concat([seed, Buffer.from(clusterId, 'hex')]);
    this.#secret = Blake3Hasher.deriveKey(`althing/v1/cache ${FORM}`, material);
    material.fill(0);
    this.#prefix = `althing:${nodeId}:`;
  }

  static of(nodeId: string, clusterId: Digest, keyPath: string): Seal {
    return new Seal(nodeId, clusterId, readPrivateKey(readFileSync(keyPath, 'utf8')).seed);
  }

  /** The key in the store: it tells nobody what was asked for. */
  keyOf(name: string): string {
    return this.#prefix + this.#hash(NAMES, name).toString('hex');
  }

  /** `content` as it stands in the store under `key`. */
  close(key: string, content: Uint8Array): Buffer {
    return Buffer.concat([this.#hash(CONTENTS, key, content), content]);
  }

  /** What was closed under `key`; null for anything else. */
  open(key: string, closed: Uint8Array): Uint8Array | null {
    if (closed.length < HASH_BYTES) return null;
    const content = closed.subarray(HASH_BYTES);
    const isOurs = timingSafeEqual(
      this.#hash(CONTENTS, key, content),
      closed.subarray(0, HASH_BYTES),
    );
    return isOurs ? content : null;
  }

  /** Of a use and a text, which cannot hold U+0000, and bytes. */
  #hash(use: string, text: string, bytes: Uint8Array = Buffer.alloc(0)): Buffer {
    const hasher = Blake3Hasher.newKeyed(this.#secret).update(`${use}\0${text}\0`);
    return hasher.update(bytes as Buffer).digestBuffer();
  }
}
