/**
 * Bytes without Node: hex, UTF-8 and the growing big-endian writer behind everything that is signed
 * or hashed. Integers are big-endian; what varies in length carries its length first.
 */

const HEX_PATTERN = /^(?:[0-9a-f]{2})*$/;

const HEX_CODES = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
/** Within what one call takes as arguments. */
const HEX_CHUNK = 4096;

/**
 * In one piece: a text put together by `+=` stays a tree of its pieces, which takes eight times the
 * memory for as long as it is kept.
 */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length > HEX_CHUNK) {
    return toHex(bytes.subarray(0, HEX_CHUNK)) + toHex(bytes.subarray(HEX_CHUNK));
  }
  const codes: number[] = [];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]!;
    codes.push(HEX_CODES[byte >> 4]!, HEX_CODES[byte & 15]!);
  }
  return String.fromCharCode.apply(null, codes);
}

export function isHex(text: string, byteLength: number): boolean {
  return text.length === byteLength * 2 && HEX_PATTERN.test(text);
}

function nibble(code: number): number {
  return code <= 57 ? code - 48 : code - 87;
}

/** Lower-case hex that was validated before (isHex); anything else gives unspecified bytes. */
export function fromHex(text: string): Uint8Array {
  const out = new Uint8Array(text.length >> 1);
  for (let i = 0; i < out.length; i++) {
    out[i] = (nibble(text.charCodeAt(2 * i)) << 4) | nibble(text.charCodeAt(2 * i + 1));
  }
  return out;
}

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** UTF-8 of well-formed text; a lone surrogate becomes U+FFFD, as TextEncoder has it. */
export function utf8(text: string): Uint8Array {
  const writer = new Writer(text.length * 3);
  writer.utf8(text);
  return writer.take();
}

const TWO_32 = 0x1_0000_0000;

export class Writer {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(Math.max(16, capacity));
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  #room(bytes: number): number {
    const at = this.#length;
    const needed = at + bytes;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = needed;
    return at;
  }

  u8(value: number): this {
    const at = this.#room(1);
    this.#bytes[at] = value;
    return this;
  }

  u16(value: number): this {
    const at = this.#room(2);
    this.#view.setUint16(at, value);
    return this;
  }

  u32(value: number): this {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
    return this;
  }

  /** An integer −1 ≤ value ≤ 2^53 − 1, as 64 bits in two's complement. */
  i54(value: number): this {
    const at = this.#room(8);
    this.#view.setInt32(at, Math.floor(value / TWO_32));
    this.#view.setUint32(at + 4, value >>> 0);
    return this;
  }

  i64(value: bigint): this {
    const at = this.#room(8);
    this.#view.setBigInt64(at, value);
    return this;
  }

  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }

  hex(text: string): this {
    const at = this.#room(text.length >> 1);
    for (let i = 0; i < text.length >> 1; i++) {
      this.#bytes[at + i] =
        (nibble(text.charCodeAt(2 * i)) << 4) | nibble(text.charCodeAt(2 * i + 1));
    }
    return this;
  }

  /** Length as u32, then the bytes. */
  bytes(bytes: Uint8Array): this {
    return this.u32(bytes.length).raw(bytes);
  }

  utf8(text: string): this {
    let i = this.#ascii(text);
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code < 0x80) this.u8(code);
      else this.#wide(text.codePointAt(i)!) && i++;
    }
    return this;
  }

  /** Writes what is ASCII at the start of the text, mostly all of it; how much that was. */
  #ascii(text: string): number {
    const at = this.#room(text.length);
    const bytes = this.#bytes;
    let i = 0;
    for (; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code >= 0x80) break;
      bytes[at + i] = code;
    }
    this.#length = at + i;
    return i;
  }

  /** Writes a code point above U+007F; true when it took two UTF-16 units. */
  #wide(point: number): boolean {
    const code = point >= 0xd800 && point <= 0xdfff ? 0xfffd : point;
    if (code < 0x800) {
      this.u8(0xc0 | (code >> 6));
    } else if (code < 0x10000) {
      this.u8(0xe0 | (code >> 12)).u8(0x80 | ((code >> 6) & 63));
    } else {
      this.u8(0xf0 | (code >> 18))
        .u8(0x80 | ((code >> 12) & 63))
        .u8(0x80 | ((code >> 6) & 63));
    }
    this.u8(0x80 | (code & 63));
    return code > 0xffff;
  }

  /** UTF-8 with its byte length as u32 before it. */
  text(text: string): this {
    const at = this.#room(4);
    this.utf8(text);
    this.#view.setUint32(at, this.#length - at - 4);
    return this;
  }

  /** A copy of what was written; the writer may be reused after `reset`. */
  take(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** What was written, without a copy: valid until the next write or reset. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  reset(): this {
    this.#length = 0;
    return this;
  }
}
