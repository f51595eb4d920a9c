/**
 * The methods of text. What takes the engine more than a moment is paid for by length before it runs;
 * what depends on a version of Unicode or on a locale is not there, nor is what makes a regular
 * expression out of text (U1, U3).
 */
import { charge, newError, refuse, uncurry } from './meter.ts';
import { paid, TEXT_UNITS, textOf } from './operators.ts';

type Method<R> = (text: string, ...args: readonly unknown[]) => R;

const { prototype } = String;
const nativeRepeat = uncurry(prototype.repeat) as Method<string>;
const nativeSlice = uncurry(prototype.slice) as Method<string>;
const nativeSubstring = uncurry(prototype.substring) as Method<string>;
const nativeSplit = uncurry(prototype.split) as Method<string[]>;
const nativeIndexOf = uncurry(prototype.indexOf) as Method<number>;
const nativeLastIndexOf = uncurry(prototype.lastIndexOf) as Method<number>;
const nativeStartsWith = uncurry(prototype.startsWith) as Method<boolean>;
const nativeEndsWith = uncurry(prototype.endsWith) as Method<boolean>;
const nativeAt = uncurry(prototype.at) as Method<string | undefined>;
const nativeCharAt = uncurry(prototype.charAt) as Method<string>;
const nativePointAt = uncurry(prototype.codePointAt) as Method<number | undefined>;
const nativeCodeAt = uncurry(prototype.charCodeAt) as Method<number>;
const nativeTrim = uncurry(prototype.trim) as Method<string>;
const nativeTrimStart = uncurry(prototype.trimStart) as Method<string>;
const nativeTrimEnd = uncurry(prototype.trimEnd) as Method<string>;
const nativeLower = uncurry(prototype.toLowerCase) as Method<string>;
const nativeUpper = uncurry(prototype.toUpperCase) as Method<string>;

export const TEXT_KEPT = ['length'];

export function asText(value: unknown): string {
  return typeof value === 'string' ? value : refuse('this takes text');
}

/** An optional position or count. */
export function asInteger(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'number' && (Number.isInteger(value) || !Number.isFinite(value))) {
    return value;
  }
  return refuse('this takes an integer');
}

/** Before `sought` is looked for: the engine may compare all of it at every place. */
function searched(text: unknown, sought: unknown): string {
  const all = asText(text).length;
  const part = asText(sought).length;
  const places = all - part + 1;
  if (places > 0) charge(all * (part < places ? part : places), TEXT_UNITS);
  return sought as string;
}

/** Capital letters beyond ASCII change with the version of Unicode. */
function ascii(text: unknown): string {
  const whole = paid(asText(text));
  for (let i = 0; i < whole.length; i++) {
    if (nativeCodeAt(whole, i) < 0x80) continue;
    throw newError('RangeError', 'upper and lower case are for ASCII text only');
  }
  return whole;
}

function padding(text: string, length: unknown, filler: unknown): string {
  const missing = (asInteger(length) ?? 0) - asText(text).length;
  const fill = filler === undefined ? ' ' : asText(filler);
  if (!(missing > 0) || fill === '') return '';
  return nativeSlice(repeated(fill, Math.ceil(missing / fill.length)), 0, missing);
}

function repeated(text: string, count: number): string {
  if (!(count >= 0 && count * text.length < 2 ** 28)) {
    throw newError('RangeError', 'a count from 0 on, and no more text than 2^28 units');
  }
  charge(count * text.length, TEXT_UNITS);
  return nativeRepeat(text, count);
}

/** All or the first of `sought` replaced, the replacement taken as it is. */
function replaced(text: string, sought: unknown, by: unknown, all: boolean): string {
  const part = searched(text, sought);
  const made =
    typeof by === 'function'
      ? (by as (match: string, at: number, text: string) => unknown)
      : undefined;
  const literal = made === undefined ? plain(asText(by)) : '';
  let result = '';
  let from = 0;
  for (let to = nativeIndexOf(text, part, 0); to >= 0; to = nativeIndexOf(text, part, to)) {
    const piece = made === undefined ? literal : textOf(made(part, to, text));
    charge(TEXT_UNITS + piece.length, TEXT_UNITS);
    result += nativeSlice(text, from, to) + piece;
    from = to + part.length;
    to = part === '' ? to + 1 : from;
    if (!all || to > text.length) break;
  }
  return paid(result + nativeSlice(text, from));
}

function plain(replacement: string): string {
  for (const sign of ['$$', '$&', '$`', "$'"]) {
    if (nativeIndexOf(paid(replacement), sign) < 0) continue;
    return refuse(`${sign} in a replacement: give a function that returns the text`);
  }
  return replacement;
}

/** Pays for the pieces of a text, at most `most`, before they are made. */
function payPieces(text: string, between: string, most: number): void {
  if (between === '') return charge(2 * text.length);
  charge(most > 0 ? 1 : 0);
  let at = nativeIndexOf(text, between, 0);
  for (let pieces = 1; at >= 0 && pieces < most; pieces++) {
    charge(1);
    at = nativeIndexOf(text, between, at + between.length);
  }
}

export const textMethods = {
  at(this: string, index: unknown): string | undefined {
    return nativeAt(asText(this), asInteger(index));
  },
  charAt(this: string, index: unknown): string {
    return nativeCharAt(asText(this), asInteger(index));
  },
  charCodeAt(this: string, index: unknown): number {
    return nativeCodeAt(asText(this), asInteger(index));
  },
  codePointAt(this: string, index: unknown): number | undefined {
    return nativePointAt(asText(this), asInteger(index));
  },
  repeat(this: string, count: unknown): string {
    return repeated(asText(this), asInteger(count) ?? 0);
  },
  padStart(this: string, length: unknown, filler?: unknown): string {
    return padding(this, length, filler) + this;
  },
  padEnd(this: string, length: unknown, filler?: unknown): string {
    return this + padding(this, length, filler);
  },
  concat(this: string, ...parts: readonly unknown[]): string {
    let whole = asText(this);
    for (const part of parts) whole = paid(whole + asText(part));
    return whole;
  },
  slice(this: string, start?: unknown, end?: unknown): string {
    return paid(nativeSlice(asText(this), asInteger(start), asInteger(end)));
  },
  substring(this: string, start: unknown, end?: unknown): string {
    return paid(nativeSubstring(asText(this), asInteger(start), asInteger(end)));
  },
  includes(this: string, sought: unknown, from?: unknown): boolean {
    return nativeIndexOf(this, searched(this, sought), asInteger(from)) >= 0;
  },
  indexOf(this: string, sought: unknown, from?: unknown): number {
    return nativeIndexOf(this, searched(this, sought), asInteger(from));
  },
  lastIndexOf(this: string, sought: unknown, from?: unknown): number {
    return nativeLastIndexOf(this, searched(this, sought), asInteger(from));
  },
  startsWith(this: string, sought: unknown, from?: unknown): boolean {
    return nativeStartsWith(asText(this), paid(asText(sought)), asInteger(from));
  },
  endsWith(this: string, sought: unknown, to?: unknown): boolean {
    return nativeEndsWith(asText(this), paid(asText(sought)), asInteger(to));
  },
  split(this: string, separator: unknown, limit?: unknown): string[] {
    const between = searched(this, separator);
    const most = asInteger(limit);
    payPieces(this, between, most === undefined ? Infinity : most >>> 0);
    return nativeSplit(this, between, most);
  },
  replace(this: string, sought: unknown, by: unknown): string {
    return replaced(this, sought, by, false);
  },
  replaceAll(this: string, sought: unknown, by: unknown): string {
    return replaced(this, sought, by, true);
  },
  trim(this: string): string {
    return nativeTrim(paid(asText(this)));
  },
  trimStart(this: string): string {
    return nativeTrimStart(paid(asText(this)));
  },
  trimEnd(this: string): string {
    return nativeTrimEnd(paid(asText(this)));
  },
  toLowerCase(this: string): string {
    return nativeLower(ascii(this));
  },
  toUpperCase(this: string): string {
    return nativeUpper(ascii(this));
  },
  toString(this: string): string {
    return asText(this);
  },
};

/** `String.…` as scripts know it. */
export const textFunctions = {
  fromCharCode: (...codes: readonly unknown[]): string => codesToText(codes, String.fromCharCode),
  fromCodePoint: (...codes: readonly unknown[]): string => codesToText(codes, String.fromCodePoint),
};

function codesToText(codes: readonly unknown[], native: (code: number) => string): string {
  let text = '';
  for (const code of codes) {
    const unit = asInteger(code) ?? 0;
    if (!(unit >= 0 && unit <= 0x10ffff)) throw newError('RangeError', 'no code of a character');
    text += native(unit);
  }
  return paid(text);
}

export function toText(...given: readonly unknown[]): string {
  return given.length === 0 ? '' : textOf(given[0]);
}
