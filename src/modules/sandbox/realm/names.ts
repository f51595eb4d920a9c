/**
 * Names of properties, and keys of maps and sets: whatever the engine finds by its hash.
 *
 * U14. What is looked up costs about the same whoever chose the keys. The engine hashes numbers and
 *      texts of digits by their value, bigints by their lowest 64 bits, and texts beyond 2^14 units by
 *      their length alone: keys that collide are easily made of those. Numbers and bigints, and texts
 *      that may be taken for one, therefore stand in maps as text that begins with a sign, whose hash
 *      has a secret of the process in it, and longer texts are no keys. (Objects keep what is named by
 *      digits by a hash with that secret.) The order is that of insertion, as ever.
 */
import { charge, newError, refuse, uncurry } from './meter.ts';
import { chargeDigits } from './operators.ts';

const KEY_MAX = 4096;
/** Units of a key that are hashed in one step. */
const KEY_UNITS = 8;
/** To write a number as text, or to read it. */
const NUMBER_STEPS = 4;
/** Objects keep properties below about this number in an array that reaches to them. */
const ELEMENTS_MAX = 8192;
const ELEMENTS_PER_STEP = 8;

const codeAt = uncurry(String.prototype.charCodeAt) as (text: string, index: number) => number;
const slice = uncurry(String.prototype.slice) as (text: string, from: number) => string;
const bigintToText = uncurry(BigInt.prototype.toString) as (n: bigint, radix: number) => string;

/** `!` and `#`, which stand before texts and numbers, as `$` does before bigints. */
const TEXT = 0x21;
const NUMBER = 0x23;
/** The character after the last digit: a text that begins with it, or beyond, stands for itself. */
const PLAIN = 0x3a;

/** A text that is looked up, paid for. */
export function named(text: string): string {
  if (text.length > KEY_MAX) {
    throw newError('RangeError', `a name or a key is text of at most ${KEY_MAX} units`);
  }
  charge(text.length, KEY_UNITS);
  return text;
}

/** As a key of a map or set stands in it. */
export function stored(key: unknown): unknown {
  switch (typeof key) {
    case 'string':
      return codeAt(named(key), 0) >= PLAIN ? key : `!${key}`;
    case 'number':
      charge(NUMBER_STEPS);
      return `#${key}`;
    case 'bigint':
      charge(NUMBER_STEPS);
      chargeDigits(key);
      return `$${bigintToText(key, 16)}`;
    default:
      return key;
  }
}

/** The key that stands in a map or set as this. */
export function keyOf(stands: unknown): unknown {
  if (typeof stands !== 'string') return stands;
  const sign = codeAt(stands, 0);
  if (sign >= PLAIN) return stands;
  const text = slice(stands, 1);
  if (sign === TEXT) return text;
  charge(NUMBER_STEPS);
  return sign === NUMBER ? Number(text) : bigintOf(text);
}

/** Of hexadecimal digits. */
function bigintOf(text: string): bigint {
  charge(text.length, KEY_UNITS);
  return text[0] === '-' ? -BigInt(`0x${slice(text, 1)}`) : BigInt(`0x${text}`);
}

/** A computed key of an object literal or pattern. */
export function key(name: unknown): string | number {
  if (name === 'constructor') return refuse('the property `constructor` is not for modules');
  if (typeof name === 'number') return elementOf(name);
  if (typeof name === 'string') return elementOf(named(name));
  return refuse('the name of a property is text or a number');
}

/** A computed key that is read and is no number. */
export function read(of: unknown, name: unknown): string | number {
  if (typeof name === 'number') return name;
  if (typeof name !== 'string') return refuse('the name of a property is text or a number');
  if (name === 'constructor' && typeof of === 'object' && !Array.isArray(of)) return name;
  return name === 'constructor' ? key(name) : named(name);
}

/** `name in of`. */
export function inside(name: unknown, of: object): boolean {
  return read(undefined, name) in of;
}

/** A computed key that is written: arrays grow at their end and one by one, and have no other keys. */
export function at(of: unknown, name: unknown): string | number {
  if (Array.isArray(of)) return placeIn(of, name);
  if (typeof name === 'number') return ArrayBuffer.isView(of) ? name : elementOf(name);
  if (typeof name !== 'string') return refuse('the name of a property is text or a number');
  return elementOf(named(name));
}

function placeIn(list: readonly unknown[], name: unknown): number {
  if (typeof name !== 'number') return refuse('the index of an array is a number');
  if (name >= 0 && name <= list.length && Number.isInteger(name)) return name;
  throw newError('RangeError', 'an array has no holes: its next index is its length');
}

/**
 * `of[name] = value`. Nothing runs between the look at the place and the write; and bytes take numbers
 * alone, as the engine would read all of a text for one.
 */
export function put(of: Record<number, unknown>, name: unknown, value: unknown): unknown {
  if (Array.isArray(of)) of[placeIn(of, name)] = value;
  else {
    if (ArrayBuffer.isView(of) && typeof value !== 'number') return refuse('a byte is a number');
    of[at(of, name) as number] = value;
  }
  return value;
}

/** `array.length = n`. */
export function truncate(of: Record<string, unknown>, length: number): number {
  if (Array.isArray(of) && !(typeof length === 'number' && length <= of.length)) {
    throw newError('RangeError', 'the length of an array can only be lowered');
  }
  of['length'] = length;
  return length;
}

function isElement(name: string): boolean {
  return name.length > 0 && name.length <= 4 && name >= '0' && name < ':';
}

/** Pays for the array in which an object keeps properties with small numbers for names. */
export function elementOf<K extends string | number>(name: K): K {
  const index = typeof name === 'number' ? name : isElement(name) ? Number(name) : 0;
  if (index > 0 && index < ELEMENTS_MAX) charge(index, ELEMENTS_PER_STEP);
  return name;
}
