/**
 * Reads canonical bytes back: what the `write` of a schema wrote (codec.ts). It never reads beyond
 * the end and never allocates more than is there; what does not fit throws `Malformed`, which
 * codec.ts turns into a result.
 */
import { toHex } from './bytes.ts';

export class Malformed extends Error {}

export function refuse(path: string, expected: string): never {
  throw new Malformed(`${path === '' ? 'value' : path}: expected ${expected}`);
}

const TWO_32 = 0x1_0000_0000;

export class CanonicalReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  #take(length: number, path: string): number {
    if (length > this.left) return refuse(path, `${length} more bytes`);
    const at = this.#at;
    this.#at += length;
    return at;
  }

  u8(path: string): number {
    return this.#bytes[this.#take(1, path)]!;
  }

  u32(path: string): number {
    return this.#view.getUint32(this.#take(4, path));
  }

  /** 64 bits in two's complement; beyond ±2^53 not exact, which whoever checks the range refuses. */
  i64(path: string): number {
    const at = this.#take(8, path);
    return this.#view.getInt32(at) * TWO_32 + this.#view.getUint32(at + 4);
  }

  /** A copy. */
  raw(length: number, path: string): Uint8Array {
    const at = this.#take(length, path);
    return this.#bytes.slice(at, at + length);
  }

  hex(length: number, path: string): string {
    const at = this.#take(length, path);
    return toHex(this.#bytes.subarray(at, at + length));
  }
}
