/**
 * The operators of scripts, as functions: what instrument.ts writes in place of an operator whose
 * cost depends on its operands. They take what TypeScript's types let through and nothing else, so no
 * operator ever calls a `valueOf` or `toString`, and none works on more than it has paid for (U1).
 */
import { charge, newError, refuse } from './meter.ts';

/** Beyond 1024 bits. */
const BIGINT_END = 1n << 1024n;
/** Units of text that are copied or compared in one step. */
export const TEXT_UNITS = 32;
/** More of a spread in a call could exhaust the engine's stack. */
const SPREAD_MAX = 250;
/** Objects keep properties below about this number in an array that reaches to them. */
const ELEMENTS_MAX = 8192;
const ELEMENTS_PER_STEP = 8;
/** A bigint of more than 64 bits written as text. */
const WIDE_STEPS = 24;
/** To copy a property, and the name that it needs. */
const FIELD_STEPS = 4;

const mapSize = sizeGetter(Map.prototype);
const setSize = sizeGetter(Set.prototype);

function sizeGetter(prototype: object): (of: object) => number {
  const getter = Object.getOwnPropertyDescriptor(prototype, 'size')?.get;
  return (of) => Reflect.apply(getter as () => number, of, []);
}

export function bounded(value: bigint): bigint {
  if (value >= BIGINT_END || value <= -BIGINT_END) {
    throw newError('RangeError', 'a bigint of more than 1024 bits');
  }
  return value;
}

/** The text of a primitive, as template literals write it. */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null) {
    return refuse('an object has no text: write its fields out');
  }
  if (typeof value === 'function') return refuse('a function has no text');
  if (typeof value === 'bigint') chargeDigits(value);
  return `${value as string}`;
}

/** To write a bigint in digits takes the square of its length. */
export function chargeDigits(value: bigint): void {
  charge(value < 2n ** 64n && value > -(2n ** 64n) ? 1 : WIDE_STEPS);
}

export function paid(text: string): string {
  charge(text.length, TEXT_UNITS);
  return text;
}

/** One substitution of a template literal. */
export function text(before: string, value: unknown, after: string): string {
  return paid(before + textOf(value) + after);
}

export function add(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  if (typeof a === 'bigint' && typeof b === 'bigint') return bounded(a + b);
  if (typeof a === 'string' || typeof b === 'string') return paid(textOf(a) + textOf(b));
  return mismatch('+');
}

function mismatch(operator: string): never {
  return refuse(
    `${operator} takes two numbers or two bigints: convert with Number(…) or BigInt(…)`,
  );
}

export function sub(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'bigint' && typeof b === 'bigint') return bounded(a - b);
  return mismatch('-');
}

export function mul(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  if (typeof a === 'bigint' && typeof b === 'bigint') return bounded(a * b);
  return mismatch('*');
}

export function div(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a / b;
  if (typeof a !== 'bigint' || typeof b !== 'bigint') return mismatch('/');
  if (b === 0n) throw newError('RangeError', 'a bigint divided by zero');
  return a / b;
}

export function mod(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a % b;
  if (typeof a !== 'bigint' || typeof b !== 'bigint') return mismatch('%');
  if (b === 0n) throw newError('RangeError', 'a bigint divided by zero');
  return a % b;
}

/** By repeated multiplication: the engine's own power of fractions is an approximation (U3). */
export function pow(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return powNumber(a, b);
  if (typeof a !== 'bigint' || typeof b !== 'bigint') return mismatch('**');
  if (b < 0n || b > 1024n) throw newError('RangeError', 'the exponent of a bigint is 0 to 1024');
  let power = 1n;
  for (let i = 0n; i < b; i++) {
    charge(1);
    power = bounded(power * a);
  }
  return power;
}

function powNumber(base: number, exponent: number): number {
  if (!Number.isSafeInteger(base) || !Number.isSafeInteger(exponent) || exponent < 0) {
    throw newError('RangeError', '** takes integers, and no negative exponent');
  }
  if (base === 1 || exponent === 0) return 1;
  if (base === 0 || base === -1) return base === 0 || exponent % 2 === 1 ? base : 1;
  let power = 1;
  for (let i = 0; i < exponent && Number.isSafeInteger(power); i++) power *= base;
  if (Number.isSafeInteger(power)) return power;
  throw newError('RangeError', 'the power is no safe integer: use bigint');
}

export function shl(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a << b;
  if (typeof a !== 'bigint' || typeof b !== 'bigint') return mismatch('<<');
  return bounded(a << shift(b));
}

export function shr(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a >> b;
  if (typeof a !== 'bigint' || typeof b !== 'bigint') return mismatch('>>');
  return bounded(a >> shift(b));
}

function shift(bits: bigint): bigint {
  if (bits >= -1024n && bits <= 1024n) return bits;
  throw newError('RangeError', 'a bigint is shifted by at most 1024 bits');
}

export function ushr(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a >>> b;
  return refuse('>>> takes two numbers');
}

export function and(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a & b;
  return typeof a === 'bigint' && typeof b === 'bigint' ? a & b : mismatch('&');
}

export function or(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a | b;
  return typeof a === 'bigint' && typeof b === 'bigint' ? a | b : mismatch('|');
}

export function xor(a: unknown, b: unknown): unknown {
  if (typeof a === 'number' && typeof b === 'number') return a ^ b;
  return typeof a === 'bigint' && typeof b === 'bigint' ? a ^ b : mismatch('^');
}

export function neg(a: unknown): unknown {
  if (typeof a === 'number' || typeof a === 'bigint') return -a;
  return refuse('- takes a number or a bigint');
}

export function not(a: unknown): unknown {
  if (typeof a === 'number' || typeof a === 'bigint') return ~a;
  return refuse('~ takes a number or a bigint');
}

export function plus(a: unknown): unknown {
  return typeof a === 'number' ? a : refuse('unary + takes a number: convert with Number(…)');
}

/** Before `++` and `--`. */
export function numeric(a: unknown): void {
  if (typeof a !== 'number' && typeof a !== 'bigint') refuse('++ and -- take a number or a bigint');
}

/** Both sides of `<` and its kin: throws unless they compare as they are. */
function comparable(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string') {
    charge(a.length < b.length ? a.length : b.length, TEXT_UNITS);
    return true;
  }
  if (typeof a !== 'number' && typeof a !== 'bigint') return false;
  return typeof b === 'number' || typeof b === 'bigint';
}

function incomparable(): never {
  return refuse('only numbers with numbers, and text with text, have an order');
}

export function lt(a: never, b: never): boolean {
  return (typeof a === 'number' && typeof b === 'number') || comparable(a, b)
    ? a < b
    : incomparable();
}

export function le(a: never, b: never): boolean {
  return (typeof a === 'number' && typeof b === 'number') || comparable(a, b)
    ? a <= b
    : incomparable();
}

export function gt(a: never, b: never): boolean {
  return (typeof a === 'number' && typeof b === 'number') || comparable(a, b)
    ? a > b
    : incomparable();
}

export function ge(a: never, b: never): boolean {
  return (typeof a === 'number' && typeof b === 'number') || comparable(a, b)
    ? a >= b
    : incomparable();
}

export function eq(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string' && a.length === b.length) paid(a);
  return a === b;
}

export function ne(a: unknown, b: unknown): boolean {
  return !eq(a, b);
}

/** What a `switch` chooses by, compared with `cases` values that are no literals. */
export function choice(value: unknown, cases: number): unknown {
  if (typeof value === 'string') charge(value.length * cases, TEXT_UNITS);
  return value;
}

/** A computed key of an object literal or pattern. */
export function key(name: unknown): string | number {
  if (name === 'constructor') return refuse('the property `constructor` is not for modules');
  if (typeof name === 'number' || typeof name === 'string') return elementOf(name);
  return refuse('the name of a property is text or a number');
}

/** A computed key that is read and is no number. */
export function read(of: unknown, name: unknown): string | number {
  if (typeof name === 'number') return name;
  if (typeof name !== 'string') return refuse('the name of a property is text or a number');
  if (name === 'constructor' && typeof of === 'object' && !Array.isArray(of)) return name;
  return name === 'constructor' ? key(name) : paid(name);
}

/** A computed key that is written: arrays grow at their end and one by one, and have no other keys. */
export function at(of: unknown, name: unknown): string | number {
  if (Array.isArray(of)) return placeIn(of, name);
  if (typeof name === 'number') return ArrayBuffer.isView(of) ? name : elementOf(name);
  if (typeof name !== 'string') return refuse('the name of a property is text or a number');
  return elementOf(paid(name));
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

function isElement(name: string): boolean {
  return name.length > 0 && name.length <= 4 && name >= '0' && name < ':';
}

/** Pays for the array in which an object keeps properties with small numbers for names. */
export function elementOf<K extends string | number>(name: K): K {
  const index = typeof name === 'number' ? name : isElement(name) ? Number(name) : 0;
  if (index > 0 && index < ELEMENTS_MAX) charge(index, ELEMENTS_PER_STEP);
  return name;
}

/** `array.length = n`. */
export function truncate(of: Record<string, unknown>, length: number): number {
  if (Array.isArray(of) && !(typeof length === 'number' && length <= of.length)) {
    throw newError('RangeError', 'the length of an array can only be lowered');
  }
  of['length'] = length;
  return length;
}

/** Items of a collection; undefined when `value` is none. */
export function sizeOf(value: unknown): number | undefined {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (value instanceof Map) return mapSize(value) * 2;
  if (value instanceof Set) return setSize(value);
  return value instanceof Uint8Array ? value.length : undefined;
}

/** What `...` lays out in an array, or gathers of one: paid for before it is. */
export function spread(value: unknown): Iterable<unknown> {
  const size = sizeOf(value);
  if (size === undefined) return gather(value as Iterable<unknown>);
  charge(size, 2);
  return value as Iterable<unknown>;
}

/** What an iterator still has: how much it is shows as it goes. */
export function gather(values: Iterable<unknown>): unknown[] {
  const list: unknown[] = [];
  for (const each of values) {
    charge(1);
    list[list.length] = each;
  }
  return list;
}

/** What `...` lays out in the arguments of a call. */
export function args(value: unknown): unknown {
  const list = Array.isArray(value) ? value : refuse('only an array is spread in a call');
  charge(list.length);
  if (list.length <= SPREAD_MAX) return list;
  throw newError('RangeError', `more than ${SPREAD_MAX} arguments spread in a call`);
}

/**
 * What `...` copies into an object, or gathers of one. Text, arrays and bytes have a property for each
 * of their items: those are paid for before the engine makes names of them. Others were made one by
 * one.
 */
export function fields<T>(value: T): T {
  if (value === null || (typeof value !== 'object' && typeof value !== 'string')) return value;
  const items = itemsOf(value);
  charge(items * FIELD_STEPS);
  const names = Object.keys(value);
  charge((names.length - items) * FIELD_STEPS);
  for (const name of names) elementOf(name);
  return value;
}

function itemsOf(value: string | object): number {
  const listed = typeof value === 'string' || Array.isArray(value) || ArrayBuffer.isView(value);
  return listed ? (value as ArrayLike<unknown>).length : 0;
}
