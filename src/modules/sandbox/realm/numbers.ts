/**
 * Numbers and bigints: what is exact, or rounded as IEEE 754 says, and so the same in every engine.
 * Sines, logarithms and powers of fractions are approximations that change with it (U3).
 */
import { charge, newError, refuse, uncurry } from './meter.ts';
import { bounded, chargeDigits, paid } from './operators.ts';
import { asInteger } from './text.ts';

const numberToText = uncurry(Number.prototype.toString) as (n: number, radix?: number) => string;
const nativeToFixed = uncurry(Number.prototype.toFixed) as (n: number, digits?: number) => string;
const bigintToText = uncurry(BigInt.prototype.toString) as (n: bigint, radix?: number) => string;
/** Digits that 1024 bits can have, written in binary. */
const DIGITS_MAX = 1030;

function asNumber(value: unknown): number {
  return typeof value === 'number' ? value : refuse('this takes a number');
}

function of(native: (x: number) => number): (x: unknown) => number {
  return (x) => native(asNumber(x));
}

function extreme(start: number, native: (a: number, b: number) => number) {
  return (...values: readonly unknown[]): number => {
    let result = start;
    for (const value of values) result = native(result, asNumber(value));
    return result;
  };
}

const { abs, ceil, clz32, floor, fround, imul, max, min, round, sign, sqrt, trunc } = Math;

export const mathFunctions = {
  abs: of(abs),
  ceil: of(ceil),
  clz32: of(clz32),
  floor: of(floor),
  fround: of(fround),
  imul: (a: unknown, b: unknown): number => imul(asNumber(a), asNumber(b)),
  max: extreme(-Infinity, max),
  min: extreme(Infinity, min),
  round: of(round),
  sign: of(sign),
  sqrt: of(sqrt),
  trunc: of(trunc),
};

export function toNumber(...given: readonly unknown[]): number {
  const value = given.length === 0 ? 0 : given[0];
  if (typeof value === 'string') return Number(paid(value));
  if (typeof value === 'object' && value !== null) return refuse('an object is no number');
  return typeof value === 'function' ? refuse('a function is no number') : Number(value);
}

export function toBigInt(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'boolean') return BigInt(value);
  if (typeof value === 'number' && Number.isInteger(value)) return bounded(BigInt(value));
  if (typeof value !== 'string' || value.length > DIGITS_MAX) {
    return refuse(`BigInt takes an integer, or text of at most ${DIGITS_MAX} digits`);
  }
  return bounded(parsedBigInt(value));
}

function parsedBigInt(text: string): bigint {
  charge(text.length);
  try {
    return BigInt(text);
  } catch {
    throw newError('RangeError', 'BigInt takes text of digits only');
  }
}

function parsed(text: unknown, radix: unknown = 10): number {
  if (typeof text !== 'string') return refuse('this takes text');
  if (radix !== 10 && radix !== 16 && radix !== 2) return refuse('the radix is 2, 10 or 16');
  const value = Number.parseInt(paid(text), radix);
  if (radix === 10 || Number.isNaN(value) || Number.isSafeInteger(value)) return value;
  throw newError('RangeError', 'more digits than a number can hold: use BigInt');
}

function bits(count: unknown): number {
  const wanted = asInteger(count) ?? -1;
  if (wanted >= 0 && wanted <= 1024) return wanted;
  throw newError('RangeError', 'the bits of a bigint are 0 to 1024');
}

export const numberFunctions = {
  MAX_SAFE_INTEGER: Number.MAX_SAFE_INTEGER,
  MIN_SAFE_INTEGER: Number.MIN_SAFE_INTEGER,
  isFinite: (value: unknown): boolean => Number.isFinite(value),
  isInteger: (value: unknown): boolean => Number.isInteger(value),
  isNaN: (value: unknown): boolean => Number.isNaN(value),
  isSafeInteger: (value: unknown): boolean => Number.isSafeInteger(value),
  parseInt: parsed,
};

export const bigintFunctions = {
  asIntN: (count: unknown, value: unknown): bigint => BigInt.asIntN(bits(count), toBigInt(value)),
  asUintN: (count: unknown, value: unknown): bigint => BigInt.asUintN(bits(count), toBigInt(value)),
};

export const numberMethods = {
  toString(this: number, radix: unknown = 10): string {
    const value = asNumber(this);
    if (radix === 10) return numberToText(value);
    if (Number.isSafeInteger(value)) return numberToText(value, asRadix(radix));
    return refuse('only integers are written in another radix than 10');
  },
  toFixed(this: number, digits?: unknown): string {
    const wanted = asInteger(digits) ?? 0;
    if (wanted >= 0 && wanted <= 20) return nativeToFixed(asNumber(this), wanted);
    throw newError('RangeError', 'toFixed takes 0 to 20 digits');
  },
};

export const bigintMethods = {
  toString(this: bigint, radix: unknown = 10): string {
    if (typeof this !== 'bigint') return refuse('this is a method of bigints');
    chargeDigits(this);
    return bigintToText(this, asRadix(radix));
  },
};

function asRadix(radix: unknown): number {
  const wanted = asInteger(radix) ?? 10;
  if (wanted >= 2 && wanted <= 36) return wanted;
  throw newError('RangeError', 'a radix is 2 to 36');
}
