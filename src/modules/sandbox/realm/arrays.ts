/**
 * The methods of arrays, written out: how often each calls what it is given is then the same in every
 * engine, sorting included, and nothing loops without paying (U1, U3). Arrays have no holes here.
 */
import { charge, newError, refuse, uncurry } from './meter.ts';
import { eq, lt, sizeOf, spread, TEXT_UNITS, textOf } from './operators.ts';
import { asInteger, asText } from './text.ts';

type List = unknown[];
type Each<R = unknown> = (item: unknown, index: number, list: List) => R;
type Method<R> = (list: List, ...args: readonly unknown[]) => R;

const { prototype } = Array;
const nativeJoin = uncurry(prototype.join) as Method<string>;
const nativePop = uncurry(prototype.pop) as Method<unknown>;
const nativeShift = uncurry(prototype.shift) as Method<unknown>;
const nativeSlice = uncurry(prototype.slice) as Method<List>;
const nativeSplice = uncurry(prototype.splice) as (list: List, ...args: List) => List;
const nativeUnshift = uncurry(prototype.unshift) as Method<number>;
const nativeReverse = uncurry(prototype.reverse) as Method<List>;
const nativeFill = uncurry(prototype.fill) as Method<List>;

const nativeAt = uncurry(prototype.at) as Method<unknown>;
const nativeEntries = uncurry(prototype.entries) as Method<unknown>;
const nativeKeys = uncurry(prototype.keys) as Method<unknown>;
const nativeValues = uncurry(prototype.values) as Method<unknown>;

export const ARRAY_KEPT = ['constructor', 'length'];

/** The engine's own methods take whatever has a length. */
function asList(value: unknown): List {
  return Array.isArray(value) ? value : refuse('this is a method of arrays');
}

/** The list, once its length is paid for. */
function listOf(value: unknown): List {
  const list = asList(value);
  charge(list.length, 4);
  return list;
}

/** The list, once a call for each of its items is paid for. */
function walked(value: unknown): List {
  const list = asList(value);
  charge(list.length);
  return list;
}

function call<R>(given: unknown): Each<R> {
  return typeof given === 'function' ? (given as Each<R>) : refuse('this takes a function');
}

function spliced(list: List, [start, ...rest]: List): List {
  const count = rest.length === 0 ? list.length : (asInteger(rest[0]) ?? 0);
  return nativeSplice(list, asInteger(start) ?? 0, count, ...nativeSlice(rest, 1));
}

function find(list: List, wanted: unknown, backwards: boolean): number {
  const test = call<boolean>(wanted);
  const { length } = list;
  for (let n = 0; n < length; n++) {
    const i = backwards ? length - 1 - n : n;
    if (test(list[i], i, list)) return i;
  }
  return -1;
}

function same(a: unknown, b: unknown): boolean {
  return eq(a, b) || (Number.isNaN(a) && Number.isNaN(b));
}

function fold(list: List, step: unknown, start: List, backwards: boolean): unknown {
  const combine = call(step) as unknown as (sum: unknown, ...rest: Parameters<Each>) => unknown;
  const { length } = list;
  if (length + start.length === 0) return refuse('reduce of an empty array needs a first value');
  const first = start.length > 0 ? 0 : 1;
  let sum = first === 0 ? start[0] : list[backwards ? length - 1 : 0];
  for (let n = first; n < length; n++) {
    const i = backwards ? length - 1 - n : n;
    sum = combine(sum, list[i], i, list);
  }
  return sum;
}

/** Merge sort from the bottom up: stable, and the same comparisons everywhere. */
function sorted(list: List, compare: unknown): List {
  const order = compare === undefined ? byText : (call(compare) as unknown as typeof byText);
  let from = nativeSlice(list);
  let to: List = nativeSlice(list);
  for (let width = 1; width < list.length; width *= 2) {
    charge(list.length);
    for (let start = 0; start < list.length; start += 2 * width) {
      merge(from, to, start, width, order);
    }
    [from, to] = [to, from];
  }
  return from;
}

function merge(from: List, to: List, start: number, width: number, order: typeof byText): void {
  const { length } = from;
  const middle = start + width < length ? start + width : length;
  const end = middle + width < length ? middle + width : length;
  let left = start;
  let right = middle;
  for (let i = start; i < end; i++) {
    const takeLeft = left < middle && (right >= end || !(order(from[left], from[right]) > 0));
    to[i] = takeLeft ? from[left++] : from[right++];
  }
}

function byText(a: unknown, b: unknown): number {
  if (typeof a !== 'string' || typeof b !== 'string') {
    return refuse('sort without a comparison is for arrays of text');
  }
  return lt(b as never, a as never) ? 1 : -1;
}

function appendTo(list: List, items: List): void {
  spread(items);
  for (let i = 0, { length } = items; i < length; i++) list[list.length] = items[i];
}

export const arrayMethods = {
  at(this: unknown, index: unknown): unknown {
    return nativeAt(asList(this), asInteger(index));
  },
  entries(this: unknown): unknown {
    return nativeEntries(asList(this));
  },
  keys(this: unknown): unknown {
    return nativeKeys(asList(this));
  },
  values(this: unknown): unknown {
    return nativeValues(asList(this));
  },
  forEach(this: unknown, each: unknown): void {
    const list = walked(this);
    const run = call(each);
    for (let i = 0, { length } = list; i < length; i++) run(list[i], i, list);
  },
  map(this: unknown, each: unknown): List {
    const list = walked(this);
    const run = call(each);
    const result: List = [];
    for (let i = 0, { length } = list; i < length; i++) result[i] = run(list[i], i, list);
    return result;
  },
  filter(this: unknown, each: unknown): List {
    const list = walked(this);
    const test = call(each);
    const result: List = [];
    for (let i = 0, { length } = list; i < length; i++) {
      const item = list[i];
      if (test(item, i, list)) result[result.length] = item;
    }
    return result;
  },
  flatMap(this: unknown, each: unknown): List {
    const list = walked(this);
    const run = call(each);
    const result: List = [];
    for (let i = 0, { length } = list; i < length; i++) {
      const item = run(list[i], i, list);
      if (Array.isArray(item)) appendTo(result, item);
      else result[result.length] = item;
    }
    return result;
  },
  flat(this: unknown, depth: unknown = 1): List {
    if (depth !== 1) return refuse('flat takes away one level: call it again for the next');
    const result: List = [];
    for (const item of walked(this)) {
      if (Array.isArray(item)) appendTo(result, item);
      else result[result.length] = item;
    }
    return result;
  },
  some(this: unknown, each: unknown): boolean {
    return find(walked(this), each, false) >= 0;
  },
  every(this: unknown, each: unknown): boolean {
    const test = call<boolean>(each);
    return find(walked(this), (item: unknown, i: number, l: List) => !test(item, i, l), false) < 0;
  },
  find(this: unknown, each: unknown): unknown {
    const list = walked(this);
    return list[find(list, each, false)];
  },
  findIndex(this: unknown, each: unknown): number {
    return find(walked(this), each, false);
  },
  findLast(this: unknown, each: unknown): unknown {
    const list = walked(this);
    return list[find(list, each, true)];
  },
  findLastIndex(this: unknown, each: unknown): number {
    return find(walked(this), each, true);
  },
  includes(this: unknown, wanted: unknown): boolean {
    return find(walked(this), (item: unknown) => same(item, wanted), false) >= 0;
  },
  indexOf(this: unknown, wanted: unknown): number {
    return find(walked(this), (item: unknown) => eq(item, wanted), false);
  },
  lastIndexOf(this: unknown, wanted: unknown): number {
    return find(walked(this), (item: unknown) => eq(item, wanted), true);
  },
  reduce(this: unknown, step: unknown, ...start: List): unknown {
    return fold(walked(this), step, start, false);
  },
  reduceRight(this: unknown, step: unknown, ...start: List): unknown {
    return fold(walked(this), step, start, true);
  },
  join(this: unknown, separator: unknown = ','): string {
    const between = asText(separator).length;
    const parts: string[] = [];
    for (const item of listOf(this)) {
      const part = item === null || item === undefined ? '' : textOf(item);
      charge(TEXT_UNITS + part.length + between, TEXT_UNITS);
      parts[parts.length] = part;
    }
    return nativeJoin(parts, separator);
  },
  concat(this: unknown, ...others: List): List {
    const result = nativeSlice(listOf(this));
    for (const other of others) {
      if (Array.isArray(other)) appendTo(result, other);
      else result[result.length] = other;
    }
    return result;
  },
  push(this: unknown, ...items: List): number {
    const list = asList(this);
    for (const item of items) list[list.length] = item;
    return list.length;
  },
  pop(this: unknown): unknown {
    return nativePop(asList(this));
  },
  shift(this: unknown): unknown {
    return nativeShift(listOf(this));
  },
  unshift(this: unknown, ...items: List): number {
    return nativeUnshift(listOf(this), ...items);
  },
  slice(this: unknown, start?: unknown, end?: unknown): List {
    return nativeSlice(listOf(this), asInteger(start), asInteger(end));
  },
  splice(this: unknown, ...args: List): List {
    return spliced(listOf(this), args);
  },
  toSpliced(this: unknown, ...args: List): List {
    const list = nativeSlice(listOf(this));
    spliced(list, args);
    return list;
  },
  reverse(this: unknown): List {
    return nativeReverse(listOf(this));
  },
  toReversed(this: unknown): List {
    return nativeReverse(nativeSlice(listOf(this)));
  },
  fill(this: unknown, value: unknown, start?: unknown, end?: unknown): List {
    return nativeFill(listOf(this), value, asInteger(start), asInteger(end));
  },
  sort(this: unknown, compare?: unknown): List {
    const list = listOf(this);
    const result = sorted(list, compare);
    for (let i = 0; i < result.length; i++) list[i] = result[i];
    return list;
  },
  toSorted(this: unknown, compare?: unknown): List {
    return sorted(listOf(this), compare);
  },
  with(this: unknown, index: unknown, value: unknown): List {
    const list = nativeSlice(listOf(this));
    const at = asInteger(index) ?? 0;
    const i = at < 0 ? at + list.length : at;
    if (!(i >= 0 && i < list.length)) throw newError('RangeError', 'no such index');
    list[i] = value;
    return list;
  },
};

/** `Array` as scripts know it. */
export const arrayFunctions = {
  isArray: (value: unknown): boolean => Array.isArray(value),
  of: (...items: List): List => items,
  from(source: unknown, each?: unknown): List {
    const run = each === undefined ? undefined : call(each);
    const result: List = [];
    for (const item of sourceOf(source)) {
      charge(1);
      result[result.length] = run === undefined ? item : run(item, result.length, result);
    }
    return result;
  },
};

/** What `Array.from` goes through: what can be iterated, or `{length}`. */
function sourceOf(source: unknown): Iterable<unknown> {
  if (sizeOf(source) !== undefined || typeof source !== 'object' || source === null) {
    return source as Iterable<unknown>;
  }
  const { length } = source as { length?: unknown };
  if (length === undefined) return source as Iterable<unknown>;
  const count = asInteger(length) ?? 0;
  charge(count > 0 ? count : 0);
  const list: List = [];
  for (let i = 0; i < count; i++) list[i] = (source as Record<number, unknown>)[i];
  return list;
}
