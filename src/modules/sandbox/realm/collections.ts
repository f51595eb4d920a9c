/** Maps, sets, bytes and the functions of `Object`: as they are, but paid for by size (U1). */
import { charge, newError, refuse, uncurry } from './meter.ts';
import { elementOf, fields, gather, paid, put, spread, textOf } from './operators.ts';
import { asInteger } from './text.ts';

type Fields = Record<string, unknown>;
type OnKey<C, R = unknown> = (collection: C, key: unknown, value?: unknown) => R;

/** What a new, empty collection takes. */
const COLLECTION_STEPS = 4;
const BYTES_PER_STEP = 32;

const mapGet = uncurry(Map.prototype.get) as OnKey<Map<unknown, unknown>>;
const mapHas = uncurry(Map.prototype.has) as OnKey<Map<unknown, unknown>, boolean>;
const mapSet = uncurry(Map.prototype.set) as OnKey<unknown>;
const mapDelete = uncurry(Map.prototype.delete) as OnKey<unknown, boolean>;
const setAdd = uncurry(Set.prototype.add) as OnKey<unknown>;
const setHas = uncurry(Set.prototype.has) as OnKey<unknown, boolean>;
const setDelete = uncurry(Set.prototype.delete) as OnKey<unknown, boolean>;
const bytesAt = uncurry(Uint8Array.prototype.at) as (b: unknown, at: unknown) => unknown;
const bytesFill = uncurry(Uint8Array.prototype.fill) as (b: unknown, ...args: unknown[]) => unknown;
const bytesSet = uncurry(Uint8Array.prototype.set) as (b: unknown, ...args: unknown[]) => void;
const bytesSlice = uncurry(Uint8Array.prototype.slice) as (
  b: unknown,
  ...args: unknown[]
) => unknown;

export const COLLECTION_KEPT = ['size', 'clear', 'entries', 'keys', 'values'];
export const BYTES_KEPT = ['length', 'entries', 'keys', 'values'];

/** The key, paid for: the engine reads all of a text that it looks for. */
function keyed(key: unknown): unknown {
  return typeof key === 'string' ? paid(key) : key;
}

export const mapMethods = {
  get(this: Map<unknown, unknown>, key: unknown): unknown {
    return mapGet(this, keyed(key));
  },
  has(this: Map<unknown, unknown>, key: unknown): boolean {
    return mapHas(this, keyed(key));
  },
  set(this: unknown, key: unknown, value: unknown): unknown {
    return mapSet(this, keyed(key), value);
  },
  delete(this: unknown, key: unknown): boolean {
    return mapDelete(this, keyed(key));
  },
  forEach(this: Map<unknown, unknown>, each: (value: unknown, key: unknown, map: unknown) => void) {
    for (const [key, value] of this) {
      charge(1);
      each(value, key, this);
    }
  },
};

export const setMethods = {
  add(this: unknown, key: unknown): unknown {
    return setAdd(this, keyed(key));
  },
  has(this: unknown, key: unknown): boolean {
    return setHas(this, keyed(key));
  },
  delete(this: unknown, key: unknown): boolean {
    return setDelete(this, keyed(key));
  },
  forEach(this: Set<unknown>, each: (value: unknown, key: unknown, set: unknown) => void) {
    for (const value of this) {
      charge(1);
      each(value, value, this);
    }
  },
};

function asBytes(value: unknown): Uint8Array {
  return value instanceof Uint8Array ? value : refuse('this takes a Uint8Array');
}

export const bytesMethods = {
  at(this: unknown, index: unknown): unknown {
    return bytesAt(this, asInteger(index));
  },
  fill(this: unknown, value: unknown, start?: unknown, end?: unknown): unknown {
    charge(asBytes(this).length, BYTES_PER_STEP);
    const byte = asInteger(value) ?? 0;
    return bytesFill(this, byte, asInteger(start), asInteger(end));
  },
  set(this: unknown, source: unknown, offset?: unknown): void {
    const { length } = asBytes(source);
    charge(length, BYTES_PER_STEP);
    const from = asInteger(offset) ?? 0;
    if (from < 0 || from + length > asBytes(this).length) {
      throw newError('RangeError', 'the bytes do not fit there');
    }
    bytesSet(this, source, from);
  },
  slice(this: unknown, start?: unknown, end?: unknown): unknown {
    charge(COLLECTION_STEPS);
    charge(asBytes(this).length, BYTES_PER_STEP);
    return bytesSlice(this, asInteger(start), asInteger(end));
  },
};

/** What `new` makes in scripts. */
export const made = {
  Map(entries?: unknown): unknown {
    charge(COLLECTION_STEPS);
    const map = new Map<unknown, unknown>();
    if (entries === undefined || entries === null) return map;
    for (const entry of entries as Iterable<unknown>) {
      if (!Array.isArray(entry)) return refuse('new Map takes pairs');
      charge(2);
      mapSet(map, keyed(entry[0]), entry[1]);
    }
    return map;
  },
  Set(items?: unknown): unknown {
    charge(COLLECTION_STEPS);
    const set = new Set<unknown>();
    if (items === undefined || items === null) return set;
    for (const item of items as Iterable<unknown>) {
      charge(2);
      setAdd(set, keyed(item));
    }
    return set;
  },
  Uint8Array(source: unknown = 0): Uint8Array {
    charge(COLLECTION_STEPS);
    if (typeof source !== 'number') return bytesOf(source as Iterable<unknown>);
    if (!Number.isInteger(source) || source < 0 || source > 2 ** 30) {
      throw newError('RangeError', 'the length of a Uint8Array is an integer from 0 on');
    }
    charge(source, BYTES_PER_STEP);
    return new Uint8Array(source);
  },
};

function bytesOf(source: Iterable<unknown>): Uint8Array {
  const list = gather(source);
  const bytes = new Uint8Array(list.length);
  for (let i = 0; i < list.length; i++) bytes[i] = asInteger(list[i]) ?? 0;
  return bytes;
}

export const bytesFunctions = {
  from: (source: unknown): Uint8Array => made.Uint8Array(spread(source)),
  of: (...items: readonly unknown[]): Uint8Array => made.Uint8Array(items),
};

function asObject(value: unknown): Fields {
  if (typeof value === 'object' && value !== null) return fields(value as Fields);
  return refuse('this takes an object');
}

export const objectFunctions = {
  keys: (of: unknown): string[] => Object.keys(asObject(of)),
  values: (of: unknown): unknown[] => Object.values(asObject(of)),
  entries(of: unknown): (readonly [string, unknown])[] {
    const all = Object.entries(asObject(of));
    charge(all.length * 2);
    return all;
  },
  hasOwn: (of: unknown, key: unknown): boolean =>
    typeof of === 'object' && of !== null && Object.hasOwn(of, paid(textOf(key))),
  freeze<T>(of: T): T {
    return of instanceof Uint8Array ? refuse('bytes cannot be frozen') : Object.freeze(fields(of));
  },
  is: (a: unknown, b: unknown): boolean => Object.is(keyed(a), keyed(b)),
  assign(to: unknown, ...sources: readonly unknown[]): unknown {
    const target = asObject(to);
    for (const source of sources) {
      if (source === undefined || source === null) continue;
      const from = asObject(source);
      for (const key of Object.keys(from)) put(target, key, from[key]);
    }
    return target;
  },
  fromEntries(entries: unknown): Fields {
    const result: Fields = {};
    for (const entry of entries as Iterable<unknown>) {
      if (!Array.isArray(entry)) return refuse('Object.fromEntries takes pairs');
      charge(1);
      result[elementOf(paid(textOf(entry[0])))] = entry[1];
    }
    return result;
  },
};
