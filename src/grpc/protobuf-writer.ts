/** The three wire forms that the rich error model needs (protobuf encoding, proto3). */

export type Bytes = readonly number[];

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** A field with a non-negative integer; absent when it is 0. */
export function varint(field: number, value: number): Bytes {
  return value === 0 ? [] : [...rawVarint((field << 3) | VARINT), ...rawVarint(value)];
}

export function text(field: number, value: string): Bytes {
  return delimited(field, [...new TextEncoder().encode(value)]);
}

export function message(field: number, fields: readonly Bytes[]): Bytes {
  return delimited(field, fields.flat());
}

function delimited(field: number, bytes: Bytes): Bytes {
  return [...rawVarint((field << 3) | LENGTH_DELIMITED), ...rawVarint(bytes.length), ...bytes];
}

function rawVarint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}
