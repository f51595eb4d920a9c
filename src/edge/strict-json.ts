/**
 * JSON as this interface accepts it: one reading for everybody, or none. Beyond the grammar it
 * refuses what parsers disagree about or what does harm later: a name that stands twice, names that
 * reach into prototypes, depth without end, numbers that a double cannot hold exactly, half
 * surrogates, bytes that are not UTF-8.
 *
 * Time is bounded by the number of values, not by bytes: all that the node does waits meanwhile, and
 * nobody's credential was looked at yet.
 */
import { malformed, Problem } from './problem.ts';

export const DEPTH_MAX = 32;
/** Values and names in one document: several times what the longest submission of transfers has. */
export const VALUES_MAX = 100_000;
/** Names that would reach into an object's prototype when assigned. */
const FORBIDDEN_NAMES = new Set(['__proto__', 'constructor', 'prototype']);

export function isForbiddenName(name: string): boolean {
  return FORBIDDEN_NAMES.has(name);
}

export type ParsedJson = { readonly value: unknown } | Problem;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Parses one JSON value, with white space around it and nothing else. Never throws. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  try {
    return { value: new Parser(decode(bytes)).document() };
  } catch (error) {
    if (error instanceof TooMany) return tooManyValues();
    if (error instanceof Refused) return malformed(error.message);
    throw error;
  }
}

class Refused extends Error {}
/** More than VALUES_MAX. */
export class TooMany extends Error {}

export function tooManyValues(): Problem {
  const detail = `the body may have at most ${VALUES_MAX} values and names: send fewer at once`;
  return new Problem(413, 'too_many_values', detail);
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw new Refused('the body is not UTF-8');
  }
}

// Sticky patterns let the engine scan; the parser itself only looks at one character at a time.
const SPACE = /[ \t\n\r]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
// Printable is what JSON allows raw in a string: everything from the space on but quote and backslash.
const PLAIN_TEXT = /"[ !#-[\]-\uffff]*"/y;
const ESCAPED_TEXT = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER_LENGTH_MAX = 64;

/** A double holds every whole number of so many digits. */
const DIGITS_EXACT = 15;

const COMMA = 0x2c;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const E = 0x45;
const BRACKET = 0x5d;
const SMALL_E = 0x65;
const BRACE = 0x7d;

class Parser {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): unknown {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) this.#refuse('nothing more');
    return value;
  }

  #refuse(expected: string): never {
    const found = this.#at < this.#text.length ? 'something else' : 'the end of the body';
    throw new Refused(`expected ${expected} at character ${this.#at}, found ${found}`);
  }

  #space(): void {
    // Most often there is none. (NaN at the end of the text compares false.)
    if (this.#text.charCodeAt(this.#at) > 0x20) return;
    SPACE.lastIndex = this.#at;
    SPACE.test(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #value(): unknown {
    this.#count();
    this.#space();
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#object();
      case 0x5b:
        return this.#array();
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#word('true', true);
      case 0x66:
        return this.#word('false', false);
      case 0x6e:
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #count(): void {
    if (++this.#values > VALUES_MAX) throw new TooMany();
  }

  #open(): void {
    if (++this.#depth > DEPTH_MAX) throw new Refused(`nested deeper than ${DEPTH_MAX} levels`);
    this.#at++;
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#refuse('a value');
    this.#at += word.length;
    return value;
  }

  #number(): number {
    return this.#digits() ?? this.#anyNumber();
  }

  /** Most numbers are a few digits: they need no pattern. Null, and nothing read, for all others. */
  #digits(): number | null {
    const from = this.#at;
    let value = 0;
    let at = from;
    let code = this.#text.charCodeAt(at);
    for (; code >= ZERO && code <= NINE; code = this.#text.charCodeAt(++at)) {
      value = 10 * value + (code - ZERO);
    }
    const isPlain = at - from <= DIGITS_EXACT && !(code === DOT || code === E || code === SMALL_E);
    const isZeroFirst = this.#text.charCodeAt(from) === ZERO && at - from > 1;
    if (at === from || isZeroFirst || !isPlain) return null;
    this.#at = at;
    return value;
  }

  #anyNumber(): number {
    const text = this.#match(NUMBER) ?? this.#refuse('a value');
    const value = text.length > NUMBER_LENGTH_MAX ? Infinity : Number(text);
    const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);
    if (!exact) {
      throw new Refused(
        `the number at character ${this.#at - text.length} does not fit a double exactly; ` +
          'write large integers as decimal strings',
      );
    }
    return value;
  }

  #string(): string {
    const plain = this.#match(PLAIN_TEXT);
    if (plain !== null) return plain.slice(1, -1);
    const escaped = this.#match(ESCAPED_TEXT) ?? this.#refuse('a string');
    const value = JSON.parse(escaped) as string;
    if (!value.isWellFormed()) {
      throw new Refused(`half a surrogate pair in the string before character ${this.#at}`);
    }
    return value;
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at;
    const from = this.#at;
    if (!pattern.test(this.#text)) return null;
    this.#at = pattern.lastIndex;
    return this.#text.slice(from, this.#at);
  }

  #array(): unknown[] {
    const values: unknown[] = [];
    this.#open();
    if (this.#closes(BRACKET)) return values;
    for (;;) {
      values.push(this.#value());
      if (this.#closes(BRACKET)) return values;
      this.#skip(COMMA, '"," or "]"');
    }
  }

  #object(): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    this.#open();
    if (this.#closes(BRACE)) return members;
    for (;;) {
      const name = this.#name(members);
      this.#skip(COLON, '":"');
      members[name] = this.#value();
      if (this.#closes(BRACE)) return members;
      this.#skip(COMMA, '"," or "}"');
    }
  }

  #name(members: object): string {
    this.#count();
    this.#space();
    const name = this.#string();
    if (isForbiddenName(name)) throw new Refused(`the name ${JSON.stringify(name)} is not allowed`);
    if (Object.hasOwn(members, name)) {
      throw new Refused(`the name ${JSON.stringify(name)} stands twice in one object`);
    }
    this.#space();
    return name;
  }

  #closes(bracket: number): boolean {
    this.#space();
    if (this.#text.charCodeAt(this.#at) !== bracket) return false;
    this.#at++;
    this.#depth--;
    return true;
  }

  #skip(mark: number, expected: string): void {
    if (this.#text.charCodeAt(this.#at) !== mark) this.#refuse(expected);
    this.#at++;
  }
}
