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
/** A bigint of more than 64 bits written as text. */
const WIDE_STEPS = 24;

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
