/**
 * UTF-8 from bytes to text, strictly: overlong forms, surrogates and what lies beyond U+10FFFF are
 * refused. Short ASCII text comes from a cache, so that the names that return in every transaction
 * (keys, accounts) are one string each: not allocated again, and their hash known to every Map.
 */

const CACHE_SLOTS = 1 << 15;
const CACHED_LENGTH_MAX = 72;
const CHUNK = 4096;

const cache: (string | undefined)[] = Array.from({ length: CACHE_SLOTS });

/** The text in `bytes[start, end)`, or undefined when it is not well-formed UTF-8. */
export function readText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let hash = end - start;
  let high = 0;
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!;
    high |= byte;
    hash = (Math.imul(hash, 31) + byte) | 0;
  }
  if (high >= 0x80) return readWide(bytes, start, end);
  if (end - start > CACHED_LENGTH_MAX) return readAscii(bytes, start, end);
  const slot = (hash ^ (hash >>> 15)) & (CACHE_SLOTS - 1);
  const cached = cache[slot];
  if (cached !== undefined && sameAscii(cached, bytes, start, end)) return cached;
  const text = readAscii(bytes, start, end);
  cache[slot] = text;
  return text;
}

function sameAscii(text: string, bytes: Uint8Array, start: number, end: number): boolean {
  if (text.length !== end - start) return false;
  for (let i = start; i < end; i++) if (text.charCodeAt(i - start) !== bytes[i]) return false;
  return true;
}

function fromUnits(units: ArrayLike<number>): string {
  return String.fromCharCode.apply(null, units as number[]);
}

function readAscii(bytes: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at += CHUNK) {
    text += fromUnits(bytes.subarray(at, Math.min(end, at + CHUNK)));
  }
  return text;
}

function readWide(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  let units: number[] = [];
  for (let at = start; at < end;) {
    const lead = bytes[at]!;
    const size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    const point = size === 1 ? lead : readPoint(bytes, at, size, end);
    if (point < 0) return undefined;
    if (point < 0x10000) units.push(point);
    else units.push(0xd7c0 + (point >> 10), 0xdc00 | (point & 0x3ff));
    if (units.length >= CHUNK) {
      text += fromUnits(units);
      units = [];
    }
    at += size;
  }
  return text + fromUnits(units);
}

const SMALLEST = [0, 0, 0x80, 0x800, 0x10000];

/** The code point of `size` bytes at `at`; −1 when they are not its shortest form. */
function readPoint(bytes: Uint8Array, at: number, size: number, end: number): number {
  const lead = bytes[at]!;
  if (size === 0 || at + size > end || lead > 0xf4) return -1;
  let point = lead & (0xff >> (size + 1));
  for (let i = 1; i < size; i++) {
    const byte = bytes[at + i]!;
    if ((byte & 0xc0) !== 0x80) return -1;
    point = (point << 6) | (byte & 0x3f);
  }
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  return point < SMALLEST[size]! || point > 0x10ffff || surrogate ? -1 : point;
}
