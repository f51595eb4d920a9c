/**
 * One schema for a structure gives four things: its place in a msgpack envelope (`pack`), a strict
 * decoder (`unpack`), the canonical bytes that are hashed and signed (`write`), and what those bytes
 * say (`read`).
 *
 * A structure packs to an array of its fields in declared order, without names. `unpack` refuses
 * anything else: wrong length, wrong type, out of bounds. `read` is as strict: one value, one encoding.
 * Inside this file both throw `Malformed`; `decode` and `decodeCanonical` turn that into a result, so
 * that nothing on the wire can throw through a machine.
 */
import { isHex, type Writer } from './bytes.ts';
import { CanonicalReader, Malformed, refuse } from './canonical-reader.ts';

export interface Schema<T> {
  pack(value: T): unknown;
  unpack(packed: unknown, path: string): T;
  write(writer: Writer, value: T): void;
  read(reader: CanonicalReader, path: string): T;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

export type Decoded<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

export function decode<T>(schema: Schema<T>, packed: unknown): Decoded<T> {
  return resultOf(() => schema.unpack(packed, ''));
}

/** The value whose canonical bytes are all of `bytes`. */
export function decodeCanonical<T>(schema: Schema<T>, bytes: Uint8Array): Decoded<T> {
  return resultOf(() => {
    const reader = new CanonicalReader(bytes);
    const value = schema.read(reader, '');
    return reader.left === 0 ? value : refuse('', `an end ${reader.left} bytes before`);
  });
}

function resultOf<T>(make: () => T): Decoded<T> {
  try {
    return { ok: true, value: make() };
  } catch (error) {
    if (error instanceof Malformed) return { ok: false, error: error.message };
    throw error;
  }
}

/** An integer from `min` to `max`, both within ±(2^53 − 1). */
export function integer(min: number, max: number): Schema<number> {
  const unpack = (packed: unknown, path: string): number => {
    if (!Number.isSafeInteger(packed) || (packed as number) < min || (packed as number) > max) {
      return refuse(path, `an integer from ${min} to ${max}`);
    }
    return packed as number;
  };
  return {
    pack: (value) => value,
    unpack,
    write: (writer, value) => void writer.i54(value),
    read: (reader, path) => unpack(reader.i64(path), path),
  };
}

export const u53 = integer(0, Number.MAX_SAFE_INTEGER);
/** A position that may be "none": −1. */
export const i53 = integer(-1, Number.MAX_SAFE_INTEGER);
export const index = integer(0, 65_535);

/** Lower-case hex of `byteLength` bytes. */
export function hex<T extends string>(byteLength: number): Schema<T> {
  return {
    pack: (value) => value,
    unpack(packed, path) {
      if (typeof packed !== 'string' || !isHex(packed, byteLength)) {
        return refuse(path, `${byteLength} bytes in lower-case hex`);
      }
      return packed as T;
    },
    write: (writer, value) => void writer.hex(value),
    read: (reader, path) => reader.hex(byteLength, path) as T,
  };
}

/** Bytes up to `max` long; exactly `max` when `exact`. */
export function binary(max: number, exact = false): Schema<Uint8Array> {
  return {
    pack: (value) => value,
    unpack(packed, path) {
      if (!(packed instanceof Uint8Array)) return refuse(path, 'bytes');
      if (packed.length > max || (exact && packed.length !== max)) {
        return refuse(path, exact ? `${max} bytes` : `at most ${max} bytes`);
      }
      return packed;
    },
    write: (writer, value) => void writer.bytes(value),
    read(reader, path) {
      const length = reader.u32(path);
      const fits = exact ? length === max : length <= max;
      return fits
        ? reader.raw(length, path)
        : refuse(path, exact ? `${max} bytes` : `at most ${max} bytes`);
    },
  };
}

export const boolean: Schema<boolean> = {
  pack: (value) => value,
  unpack: (packed, path) => (typeof packed === 'boolean' ? packed : refuse(path, 'true or false')),
  write: (writer, value) => void writer.u8(value ? 1 : 0),
  read: (reader, path) => flag(reader, path) === 1,
};

function flag(reader: CanonicalReader, path: string): number {
  const value = reader.u8(path);
  return value <= 1 ? value : refuse(path, '0 or 1');
}

/** A position in a list of `count`, else −1: what comes from the wire names no other property. */
function tagOf(packed: unknown, count: number): number {
  const tag = Number.isInteger(packed) ? (packed as number) : -1;
  return tag >= 0 && tag < count ? tag : -1;
}

export function oneOf<const T extends string>(...choices: readonly T[]): Schema<T> {
  return {
    pack: (value) => choices.indexOf(value),
    unpack: (packed, path) =>
      choices[tagOf(packed, choices.length)] ?? refuse(path, choices.join(' or ')),
    write: (writer, value) => void writer.u8(choices.indexOf(value)),
    read: (reader, path) => choices[reader.u8(path)] ?? refuse(path, choices.join(' or ')),
  };
}

export function list<T>(item: Schema<T>, maxLength: number): Schema<readonly T[]> {
  return {
    pack: (value) => value.map((each) => item.pack(each)),
    unpack(packed, path) {
      if (!Array.isArray(packed) || packed.length > maxLength) {
        return refuse(path, `a list of at most ${maxLength}`);
      }
      return packed.map((each, at) => item.unpack(each, `${path}[${at}]`));
    },
    write(writer, value) {
      writer.u32(value.length);
      for (const each of value) item.write(writer, each);
    },
    read(reader, path) {
      const length = reader.u32(path);
      if (length > maxLength) return refuse(path, `a list of at most ${maxLength}`);
      const items: T[] = [];
      while (items.length < length) items.push(item.read(reader, `${path}[${items.length}]`));
      return items;
    },
  };
}

export function nullable<T>(inner: Schema<T>): Schema<T | null> {
  return {
    pack: (value) => (value === null ? null : inner.pack(value)),
    unpack: (packed, path) => (packed === null ? null : inner.unpack(packed, path)),
    write(writer, value) {
      writer.u8(value === null ? 0 : 1);
      if (value !== null) inner.write(writer, value);
    },
    read: (reader, path) => (flag(reader, path) === 0 ? null : inner.read(reader, path)),
  };
}

type Fields<T> = { readonly [K in keyof T]-?: Schema<T[K]> };

/** A structure with these fields, in this order. */
export function struct<T extends object>(fields: Fields<T>): Schema<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  const built = (make: (name: keyof T & string, at: number) => T[keyof T & string]): T => {
    const out: Partial<T> = {};
    names.forEach((name, at) => {
      out[name] = make(name, at);
    });
    return out as T;
  };
  const below = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);
  return {
    pack: (value) => names.map((name) => fields[name].pack(value[name])),
    unpack(packed, path) {
      if (!Array.isArray(packed) || packed.length !== names.length) {
        return refuse(path, `the ${names.length} fields ${names.join(', ')}`);
      }
      return built((name, at) => fields[name].unpack(packed[at], below(path, name)));
    },
    write(writer, value) {
      for (const name of names) fields[name].write(writer, value[name]);
    },
    read: (reader, path) => built((name) => fields[name].read(reader, below(path, name))),
  };
}

/** A union told apart by `kind`: packs to [tag, fields]. Tags are list positions: only ever append. */
export function union<T extends { readonly kind: string }>(variants: {
  readonly [K in T['kind']]: Schema<Omit<Extract<T, { kind: K }>, 'kind'>>;
}): Schema<T> {
  const kinds = Object.keys(variants) as T['kind'][];
  const schemas = kinds.map((kind) => variants[kind] as unknown as Schema<object>);
  return {
    pack(value) {
      const tag = kinds.indexOf(value.kind);
      return [tag, schemas[tag]!.pack(value)];
    },
    unpack(packed, path) {
      if (!Array.isArray(packed) || packed.length !== 2)
        return refuse(path, 'a tag and its fields');
      const tag = tagOf(packed[0], kinds.length);
      if (tag === -1) return refuse(path, `one of ${kinds.join(', ')}`);
      return { kind: kinds[tag]!, ...schemas[tag]!.unpack(packed[1], path) } as unknown as T;
    },
    write(writer, value) {
      const tag = kinds.indexOf(value.kind);
      writer.u8(tag);
      schemas[tag]!.write(writer, value);
    },
    read(reader, path) {
      const tag = reader.u8(path);
      const schema = schemas[tag] ?? refuse(path, `one of ${kinds.join(', ')}`);
      return { kind: kinds[tag]!, ...schema.read(reader, path) } as unknown as T;
    },
  };
}
