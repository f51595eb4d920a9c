/**
 * msgpack as this interface accepts it: the same values as strict-json.ts, and bytes, and 64-bit
 * integers (as bigint where a double cannot hold them). Extension types are refused, no length is
 * believed beyond the bytes that are there, and nothing throws.
 */
import { malformed, type Problem } from './problem.ts';
import { DEPTH_MAX, isForbiddenName, TooMany, tooManyValues, VALUES_MAX } from './strict-json.ts';

export function parseMsgpack(
  bytes: Uint8Array,
  valuesMax = VALUES_MAX,
): { readonly value: unknown } | Problem {
  try {
    return { value: new Reader(bytes, valuesMax).document() };
  } catch (error) {
    if (error instanceof TooMany) return tooManyValues();
    if (error instanceof Refused) return malformed(error.message);
    throw error;
  }
}

class Refused extends Error {}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #depth = 0;
  #values: number;

  constructor(bytes: Uint8Array, valuesMax: number) {
    this.#bytes = bytes;
    this.#values = valuesMax;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  document(): unknown {
    const value = this.#value();
    if (this.#at < this.#bytes.length) throw new Refused(`bytes left over at byte ${this.#at}`);
    return value;
  }

  /** Moves past `length` bytes and returns where they start. */
  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw new Refused(`cut short at byte ${at}`);
    this.#at = at + length;
    return at;
  }

  #value(): unknown {
    if (--this.#values < 0) throw new TooMany();
    const tag = this.#bytes[this.#take(1)] ?? 0;
    if (tag < 0x80) return tag;
    if (tag < 0x90) return this.#map(tag & 0x0f);
    if (tag < 0xa0) return this.#array(tag & 0x0f);
    if (tag < 0xc0) return this.#text(tag & 0x1f);
    if (tag >= 0xe0) return tag - 0x100;
    return this.#tagged(tag);
  }

  #tagged(tag: number): unknown {
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
        return this.#binary(this.#length(tag - 0xc4));
      case 0xca:
        return this.#float(this.#view.getFloat32(this.#take(4)));
      case 0xcb:
        return this.#float(this.#view.getFloat64(this.#take(8)));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#length(tag - 0xd9));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(tag - 0xdb));
      case 0xde:
      case 0xdf:
        return this.#map(this.#length(tag - 0xdd));
      default:
        return this.#integer(tag);
    }
  }

  #integer(tag: number): number | bigint {
    switch (tag) {
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#length(tag - 0xcc);
      case 0xcf:
        return narrow(this.#view.getBigUint64(this.#take(8)));
      case 0xd0:
        return this.#view.getInt8(this.#take(1));
      case 0xd1:
        return this.#view.getInt16(this.#take(2));
      case 0xd2:
        return this.#view.getInt32(this.#take(4));
      case 0xd3:
        return narrow(this.#view.getBigInt64(this.#take(8)));
      default:
        throw new Refused(`type 0x${tag.toString(16)} at byte ${this.#at - 1} is not accepted`);
    }
  }

  /** An unsigned integer of 1, 2 or 4 bytes for `size` 0, 1, 2. */
  #length(size: number): number {
    if (size === 0) return this.#view.getUint8(this.#take(1));
    return size === 1 ? this.#view.getUint16(this.#take(2)) : this.#view.getUint32(this.#take(4));
  }

  #float(value: number): number {
    if (Number.isFinite(value)) return value;
    throw new Refused(`a number that is not finite before byte ${this.#at}`);
  }

  #binary(length: number): Uint8Array {
    const from = this.#take(length);
    // Not `slice`: of a Buffer that would be a view of the whole body.
    return new Uint8Array(this.#bytes.subarray(from, from + length));
  }

  #text(length: number): string {
    const from = this.#take(length);
    try {
      return utf8.decode(this.#bytes.subarray(from, from + length));
    } catch {
      throw new Refused(`the string at byte ${from} is not UTF-8`);
    }
  }

  /** Every item takes a byte at least, so a length beyond what is left is a lie. */
  #enter(items: number): void {
    if (items > this.#bytes.length - this.#at) throw new Refused(`cut short at byte ${this.#at}`);
    if (++this.#depth > DEPTH_MAX) throw new Refused(`nested deeper than ${DEPTH_MAX} levels`);
  }

  #array(length: number): unknown[] {
    this.#enter(length);
    const values: unknown[] = [];
    for (let i = 0; i < length; i++) values.push(this.#value());
    this.#depth--;
    return values;
  }

  #map(length: number): Record<string, unknown> {
    this.#enter(length);
    const members: Record<string, unknown> = {};
    for (let i = 0; i < length; i++) {
      const name = this.#value();
      if (typeof name !== 'string') throw new Refused(`a name before byte ${this.#at} is not text`);
      if (isForbiddenName(name))
        throw new Refused(`the name ${JSON.stringify(name)} is not allowed`);
      if (Object.hasOwn(members, name)) {
        throw new Refused(`the name ${JSON.stringify(name)} stands twice in one map`);
      }
      members[name] = this.#value();
    }
    this.#depth--;
    return members;
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
