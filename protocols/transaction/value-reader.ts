/**
 * Reads canonical values (values.ts, I40). It never throws and never allocates more than the bytes
 * it is given can hold: whatever is not canonical gives `undefined`, which is not a value.
 */
import { readText } from './text-reader.ts';
import { compareText, VALUE_DEPTH_MAX, type Value } from './values.ts';

const TWO_32 = 0x1_0000_0000;

class ValueReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;

  /** The one value that fills `bytes[start, end)` exactly. */
  read(bytes: Uint8Array, start: number, end: number): Value | undefined {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    const value = this.#value(0);
    return this.#at === end ? value : undefined;
  }

  #value(depth: number): Value | undefined {
    if (this.#at >= this.#end) return undefined;
    const tag = this.#bytes[this.#at++]!;
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#map(tag & 15, depth);
    if (tag < 0xa0) return this.#array(tag & 15, depth);
    if (tag < 0xc0) return this.#text(tag & 31);
    if (tag >= 0xe0) return tag - 0x100;
    return this.#tagged(tag, depth);
  }

  #tagged(tag: number, depth: number): Value | undefined {
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xcc:
        return this.#uint(1, 0x80);
      case 0xcd:
        return this.#uint(2, 0x100);
      case 0xce:
        return this.#uint(4, 0x1_0000);
      case 0xcf:
        return this.#uint64();
      case 0xd0:
        return this.#negative(1, -0x80, -32);
      case 0xd1:
        return this.#negative(2, -0x8000, -0x80);
      case 0xd2:
        return this.#negative(4, -0x8000_0000, -0x8000);
      case 0xd3:
        return this.#int64();
      default:
        return this.#sized(tag, depth);
    }
  }

  /** What carries its length in 1, 2 or 4 bytes; a length that fits a smaller head is not canonical. */
  #sized(tag: number, depth: number): Value | undefined {
    switch (tag) {
      case 0xc4:
        return this.#blob(this.#uint(1, 0));
      case 0xc5:
        return this.#blob(this.#uint(2, 0x100));
      case 0xc6:
        return this.#blob(this.#uint(4, 0x1_0000));
      case 0xd9:
        return this.#text(this.#uint(1, 32));
      case 0xda:
        return this.#text(this.#uint(2, 0x100));
      case 0xdb:
        return this.#text(this.#uint(4, 0x1_0000));
      case 0xdc:
        return this.#array(this.#uint(2, 16), depth);
      case 0xdd:
        return this.#array(this.#uint(4, 0x1_0000), depth);
      case 0xde:
        return this.#map(this.#uint(2, 16), depth);
      case 0xdf:
        return this.#map(this.#uint(4, 0x1_0000), depth);
      default:
        return undefined;
    }
  }

  /** A big-endian unsigned integer of at least `min`. */
  #uint(size: number, min: number): number | undefined {
    if (this.#end - this.#at < size) return undefined;
    let value = 0;
    for (let i = 0; i < size; i++) value = value * 256 + this.#bytes[this.#at++]!;
    return value >= min ? value : undefined;
  }

  #uint64(): number | bigint | undefined {
    if (this.#end - this.#at < 8) return undefined;
    const high = this.#uint(4, 0)!;
    const low = this.#uint(4, 0)!;
    if (high === 0) return undefined;
    return high <= 0x1f_ffff ? high * TWO_32 + low : (BigInt(high) << 32n) | BigInt(low);
  }

  /** A two's complement integer from `min` up to, but not including, `below`. */
  #negative(size: number, min: number, below: number): number | undefined {
    const raw = this.#uint(size, 0);
    if (raw === undefined) return undefined;
    const value = raw - 2 ** (8 * size);
    return value >= min && value < below ? value : undefined;
  }

  #int64(): number | bigint | undefined {
    if (this.#end - this.#at < 8) return undefined;
    const high = this.#uint(4, 0)!;
    const low = this.#uint(4, 0)!;
    const value = BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low));
    if (value >= -0x8000_0000n) return undefined;
    const narrow = Number(value);
    return Number.isSafeInteger(narrow) ? narrow : value;
  }

  #text(length: number | undefined): string | undefined {
    if (length === undefined || length > this.#end - this.#at) return undefined;
    const start = this.#at;
    this.#at = start + length;
    return readText(this.#bytes, start, this.#at);
  }

  /** A copy: a row must not keep the whole batch that it came in alive. */
  #blob(length: number | undefined): Uint8Array | undefined {
    if (length === undefined || length > this.#end - this.#at) return undefined;
    this.#at += length;
    return Uint8Array.prototype.slice.call(this.#bytes, this.#at - length, this.#at);
  }

  #array(count: number | undefined, depth: number): Value[] | undefined {
    if (count === undefined || count > this.#end - this.#at) return undefined;
    if (depth >= VALUE_DEPTH_MAX) return undefined;
    const array: Value[] = [];
    for (let i = 0; i < count; i++) {
      const value = this.#value(depth + 1);
      if (value === undefined) return undefined;
      array.push(value);
    }
    return array;
  }

  #map(count: number | undefined, depth: number): Value | undefined {
    if (count === undefined || count * 2 > this.#end - this.#at) return undefined;
    if (depth >= VALUE_DEPTH_MAX) return undefined;
    const map: Record<string, Value> = {};
    let last: string | undefined;
    for (let i = 0; i < count; i++) {
      const key = this.#value(depth + 1);
      if (typeof key !== 'string' || key === '__proto__') return undefined;
      if (last !== undefined && compareText(last, key) >= 0) return undefined;
      const value = this.#value(depth + 1);
      if (value === undefined) return undefined;
      map[key] = value;
      last = key;
    }
    return map;
  }
}

const reader = new ValueReader();

/** The value whose canonical form is `bytes[start, end)`; undefined when there is none. */
export function decodeValue(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Value | undefined {
  return reader.read(bytes, start, end);
}
