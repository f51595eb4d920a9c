/**
 * Canonical values: the one form in which arguments, results, events and rows are written, and a
 * deterministic subset of msgpack, so that any msgpack library reads it. This file writes;
 * value-reader.ts reads.
 *
 * nil, booleans, integers of 64 bits in their shortest form, UTF-8 text, bytes, arrays, and maps
 * whose keys are text in ascending byte order. No floats, no extensions, at most 32 levels deep.
 *
 * I40. Two equal values have the same bytes, and bytes that are not the canonical form of some value
 *      are refused: one value, one encoding.
 */
import { Writer } from '../bytes.ts';

export interface ValueMap {
  readonly [key: string]: Value;
}

/** Integers beyond ±(2^53 − 1) are bigint, all others number. */
export type Value =
  null | boolean | number | bigint | string | Uint8Array | readonly Value[] | ValueMap;

/** Arrays and maps inside one another. */
export const VALUE_DEPTH_MAX = 32;
/** Would set an object's prototype instead of a property. */
const RESERVED_KEY = '__proto__';

declare global {
  // ECMAScript 2024, in every engine that this runs on; constant time for text without wide characters.
  interface String {
    isWellFormed(): boolean;
  }
}

const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

/** What was to be encoded has no canonical form; `message` says which part and why. */
export class NotAValue extends TypeError {
  override readonly name = 'NotAValue';
}

const scratch = new Writer(4096);

/** The canonical bytes of `value`. Throws NotAValue for floats, undefined, lone surrogates … */
export function encodeValue(value: Value): Uint8Array {
  scratch.reset();
  writeValue(scratch, value);
  return scratch.take();
}

/** Appends the canonical bytes of `value`; what was written before a NotAValue stays behind. */
export function writeValue(writer: Writer, value: Value, depth = 0): void {
  switch (typeof value) {
    case 'string':
      return writeText(writer, value);
    case 'number':
      return writeNumber(writer, value);
    case 'bigint':
      return writeBigint(writer, value);
    case 'boolean':
      return void writer.u8(value ? 0xc3 : 0xc2);
    case 'object':
      if (value === null) return void writer.u8(0xc0);
      return writeObject(writer, value, depth);
    default:
      throw new NotAValue(`${typeof value} has no canonical form`);
  }
}

function writeObject(
  writer: Writer,
  value: Uint8Array | readonly Value[] | ValueMap,
  depth: number,
): void {
  if (value instanceof Uint8Array) return writeBytes(writer, value);
  if (depth >= VALUE_DEPTH_MAX) throw new NotAValue(`more than ${VALUE_DEPTH_MAX} levels deep`);
  if (Array.isArray(value)) {
    writeHead(writer, value.length, 15, 0x90, 0xdc);
    for (const each of value as readonly Value[]) writeValue(writer, each, depth + 1);
    return;
  }
  writeMap(writer, value as ValueMap, depth);
}

function writeMap(writer: Writer, map: ValueMap, depth: number): void {
  const keys = Object.keys(map);
  sortKeys(keys);
  writeHead(writer, keys.length, 15, 0x80, 0xde);
  for (const key of keys) {
    if (key === RESERVED_KEY) throw new NotAValue('the key __proto__ is reserved');
    writeText(writer, key);
    writeValue(writer, map[key]!, depth + 1);
  }
}

/** Insertion sort: maps are small, and mostly sorted already. */
export function sortKeys(keys: string[]): void {
  if (keys.length > 32) {
    keys.sort(compareText);
    return;
  }
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i]!;
    let at = i;
    for (; at > 0 && compareText(keys[at - 1]!, key) > 0; at--) keys[at] = keys[at - 1]!;
    keys[at] = key;
  }
}

/** Orders text as its UTF-8 bytes are ordered, which for surrogates is not the order of UTF-16. */
export function compareText(a: string, b: string): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others, so they rank above U+E000 … U+FFFF. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** Bytes of `text` in UTF-8; −1 when it holds a lone surrogate. */
export function utf8Length(text: string): number {
  let all = 0;
  for (let i = 0; i < text.length; i++) all |= text.charCodeAt(i);
  return all < 0x80 ? text.length : wideLength(text);
}

function wideLength(text: string): number {
  let length = text.length;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x80) continue;
    if (code < 0x800) length += 1;
    else if (code < 0xd800 || code >= 0xe000) length += 2;
    else {
      const low = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
      if (code >= 0xdc00 || low < 0xdc00 || low >= 0xe000) return -1;
      length += 2;
      i++;
    }
  }
  return length;
}

function writeText(writer: Writer, text: string): void {
  const length = utf8Length(text);
  if (length < 0) throw new NotAValue('text with a lone surrogate');
  if (length <= 31) writer.u8(0xa0 | length);
  else if (length <= 0xff) writer.u8(0xd9).u8(length);
  else if (length <= 0xffff) writer.u8(0xda).u16(length);
  else writer.u8(0xdb).u32(length);
  writer.utf8(text);
}

function writeBytes(writer: Writer, bytes: Uint8Array): void {
  if (bytes.length <= 0xff) writer.u8(0xc4).u8(bytes.length);
  else if (bytes.length <= 0xffff) writer.u8(0xc5).u16(bytes.length);
  else writer.u8(0xc6).u32(bytes.length);
  writer.raw(bytes);
}

/** The head of an array or a map: `fix` with the count inside, or `wide` for 16, wide + 1 for 32 bits. */
function writeHead(writer: Writer, count: number, max: number, fix: number, wide: number): void {
  if (count <= max) writer.u8(fix | count);
  else if (count <= 0xffff) writer.u8(wide).u16(count);
  else writer.u8(wide + 1).u32(count);
}

function writeNumber(writer: Writer, value: number): void {
  if (!Number.isSafeInteger(value)) throw new NotAValue(`${value} is not a safe integer`);
  if (value < 0) return writeNegative(writer, value);
  if (value < 0x80) writer.u8(value);
  else if (value <= 0xff) writer.u8(0xcc).u8(value);
  else if (value <= 0xffff) writer.u8(0xcd).u16(value);
  else if (value <= 0xffff_ffff) writer.u8(0xce).u32(value);
  else writer.u8(0xcf).i54(value);
}

function writeNegative(writer: Writer, value: number): void {
  if (value >= -32) writer.u8(0x100 + value);
  else if (value >= -0x80) writer.u8(0xd0).u8(value & 0xff);
  else if (value >= -0x8000) writer.u8(0xd1).u16(value & 0xffff);
  else if (value >= -0x8000_0000) writer.u8(0xd2).u32(value >>> 0);
  else writer.u8(0xd3).i64(BigInt(value));
}

function writeBigint(writer: Writer, value: bigint): void {
  const narrow = Number(value);
  if (Number.isSafeInteger(narrow)) return writeNumber(writer, narrow);
  if (value < INT64_MIN || value > UINT64_MAX) {
    throw new NotAValue(`${value} does not fit 64 bits`);
  }
  writer.u8(value < 0n ? 0xd3 : 0xcf).i64(BigInt.asIntN(64, value));
}

/** About as many bytes as `value` has when it is encoded, at a small part of the cost. */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return 1 + value.length;
  if (value === null || typeof value !== 'object') return 4;
  if (value instanceof Uint8Array) return 1 + value.length;
  let size = 1;
  if (Array.isArray(value)) for (const each of value as readonly Value[]) size += sizeOf(each);
  else for (const [key, each] of Object.entries(value)) size += key.length + sizeOf(each as Value);
  return size;
}

/** A signed or unsigned 64-bit integer in the form that values have it: number where that is exact. */
export function normalInteger(value: bigint): number | bigint {
  const narrow = Number(value);
  return Number.isSafeInteger(narrow) ? narrow : value;
}

/** Throws NotAValue unless `value` has a canonical form; cheaper than encoding it. */
export function assertValue(value: unknown): void {
  measureValue(value);
}

/** What `sizeOf` says. Throws NotAValue unless `value` has a canonical form. */
export function measureValue(value: unknown, depth = 0): number {
  switch (typeof value) {
    case 'string':
      if (!value.isWellFormed()) throw new NotAValue('text with a lone surrogate');
      return 1 + value.length;
    case 'number':
      if (!Number.isSafeInteger(value)) throw new NotAValue(`${value} is not a safe integer`);
      return 4;
    case 'boolean':
      return 4;
    case 'bigint':
      if (value < INT64_MIN || value > UINT64_MAX) throw new NotAValue('not 64 bits');
      return 4;
    case 'object':
      if (value === null) return 4;
      return value instanceof Uint8Array ? 1 + value.length : measureObject(value, depth);
    default:
      throw new NotAValue(`${typeof value} has no canonical form`);
  }
}

function measureObject(value: object, depth: number): number {
  if (depth >= VALUE_DEPTH_MAX) throw new NotAValue(`more than ${VALUE_DEPTH_MAX} levels deep`);
  let size = 1;
  if (Array.isArray(value)) {
    for (const each of value) size += measureValue(each, depth + 1);
    return size;
  }
  for (const key in value) {
    if (key === RESERVED_KEY || !key.isWellFormed()) throw new NotAValue(`the key ${key}`);
    size += key.length + measureValue((value as Record<string, unknown>)[key], depth + 1);
  }
  return size;
}
