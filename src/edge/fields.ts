/**
 * Reads typed fields out of parsed JSON or msgpack. Every reader returns the value or a Problem that
 * names the field at fault.
 */
import { fromHex, isHex } from '../../protocols/bytes.ts';
import { malformed, type Problem } from './problem.ts';

export type Members = Readonly<Record<string, unknown>>;

export function isMembers(value: unknown): value is Members {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

/** The first member that is not in `known`, as a Problem. */
export function onlyMembers(value: Members, known: readonly string[], at: string): Problem | null {
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return null;
  return malformed(`unknown field; known are ${known.join(', ')}`, join(at, unknown));
}

export function textField(value: unknown, field: string, lengthMax: number): string | Problem {
  if (typeof value === 'string' && value.length > 0 && value.length <= lengthMax) return value;
  return malformed(`expected text of 1 to ${lengthMax} characters`, field);
}

/** An integer from 0 to 2^53 − 1, as a number or a decimal string. */
export function integerField(value: unknown, field: string): number | Problem {
  const number =
    typeof value === 'string' && /^(?:0|[1-9][0-9]{0,15})$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number) && number >= 0) return number;
  return malformed('expected an integer from 0 to 9007199254740991', field);
}

/** `byteLength` bytes, as lower-case hex or, in msgpack, as bytes. */
export function bytesField(
  value: unknown,
  field: string,
  byteLength: number,
): Uint8Array | Problem {
  if (value instanceof Uint8Array && value.length === byteLength) return value;
  if (typeof value === 'string' && isHex(value, byteLength)) return fromHex(value);
  return malformed(`expected ${byteLength} bytes in lower-case hex`, field);
}

/** The path of a field within another; either may be empty. */
export function join(at: string, name: string): string {
  return at === '' || name === '' ? at + name : `${at}.${name}`;
}
