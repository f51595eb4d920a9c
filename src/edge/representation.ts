/**
 * Values as clients read them. JSON knows neither bytes nor 64-bit integers: bytes become lower-case
 * hex, big integers decimal strings. msgpack carries both as they are.
 */
import { Packr } from 'msgpackr';
import { toHex } from '../../protocols/bytes.ts';

const packr = new Packr({ useRecords: false, moreTypes: false, variableMapSize: true });

export function toMsgpack(value: unknown): Uint8Array {
  return packr.pack(value);
}

export function toJson(value: unknown): string {
  return JSON.stringify(plain(value));
}

/** The same value with nothing in it that JSON lacks. */
export function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return plain(Object.fromEntries(value));
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}
