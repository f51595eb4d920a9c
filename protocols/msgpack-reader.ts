/**
 * Reads the msgpack that schemas pack (codec.ts), and nothing else of msgpack: nil, booleans, numbers,
 * ASCII text, bytes and arrays. Maps and extension types build objects that a decoder does not
 * expect, so bytes from a peer never reach a reader that knows them.
 *
 * I97. It never throws, never allocates more than the bytes it is given can hold, and takes time in
 *      proportion to them: whatever else they are gives `undefined`, which is not a value.
 */

export type Packed = null | boolean | number | string | Uint8Array | readonly Packed[];

/** Arrays inside one another; the deepest message has eleven. */
const DEPTH_MAX = 16;

/** The one value that fills `bytes` exactly; undefined when there is none. */
export function readPacked(bytes: Uint8Array): Packed | undefined {
  return new Reader(bytes).document();
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  document(): Packed | undefined {
    const value = this.#value(0);
    return this.#at === this.#bytes.length ? value : undefined;
  }

  /** Moves past `length` bytes and returns where they start; −1 when they are not there. */
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) return -1;
    this.#at = at + length;
    return at;
  }

  #value(depth: number): Packed | undefined {
    const tag = this.#bytes[this.#at++];
    if (tag === undefined) return undefined;
    if (tag < 0x80) return tag;
    if (tag >= 0x90 && tag < 0xa0) return this.#array(tag & 15, depth);
    if (tag >= 0xa0 && tag < 0xc0) return this.#text(tag & 31);
    if (tag >= 0xe0) return tag - 0x100;
    return this.#tagged(tag, depth);
  }

  #tagged(tag: number, depth: number): Packed | undefined {
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#binary(this.#uint(1 << (tag - 0xc4)));
      case 0xd9:
      case 0xda:
        return this.#text(this.#uint(1 << (tag - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#uint(2 << (tag - 0xdc)), depth);
      default:
        return this.#number(tag);
    }
  }

  #number(tag: number): number | undefined {
    switch (tag) {
      case 0xcb:
        return this.#float();
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (tag - 0xcc));
      case 0xd0:
      case 0xd1:
      case 0xd2:
        return this.#int(1 << (tag - 0xd0));
      default:
        return undefined;
    }
  }

  /** How the packer writes integers beyond 32 bits. */
  #float(): number | undefined {
    const at = this.#take(8);
    return at < 0 ? undefined : this.#view.getFloat64(at);
  }

  /** A big-endian unsigned integer. */
  #uint(size: number): number | undefined {
    const at = this.#take(size);
    if (at < 0) return undefined;
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.#bytes[at + i]!;
    return value;
  }

  #int(size: number): number | undefined {
    const value = this.#uint(size);
    const sign = 2 ** (8 * size - 1);
    return value === undefined || value < sign ? value : value - 2 * sign;
  }

  /** A copy: a signature that is kept must not keep the frame that it came in. */
  #binary(length: number | undefined): Uint8Array | undefined {
    const at = length === undefined ? -1 : this.#take(length);
    return at < 0 ? undefined : new Uint8Array(this.#bytes.subarray(at, this.#at));
  }

  /** At most 64 KiB, so that it fits the arguments of one call. */
  #text(length: number | undefined): string | undefined {
    const at = length === undefined ? -1 : this.#take(length);
    if (at < 0) return undefined;
    for (let i = at; i < this.#at; i++) if (this.#bytes[i]! >= 0x80) return undefined;
    const ascii = this.#bytes.subarray(at, this.#at) as ArrayLike<number> as number[];
    return String.fromCharCode.apply(null, ascii);
  }

  /** Every item takes a byte at least, so a length beyond what is left is a lie. */
  #array(length: number | undefined, depth: number): Packed[] | undefined {
    if (length === undefined || length > this.#bytes.length - this.#at) return undefined;
    if (depth >= DEPTH_MAX) return undefined;
    const values: Packed[] = [];
    for (let i = 0; i < length; i++) {
      const value = this.#value(depth + 1);
      if (value === undefined) return undefined;
      values.push(value);
    }
    return values;
  }
}
