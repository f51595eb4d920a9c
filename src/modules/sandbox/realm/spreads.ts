/**
 * What `...` lays out, copies or gathers, and what takes all of a collection: paid for by its size before
 * it is done, or item by item where the size shows only as it goes (U1).
 */
import { charge, newError, refuse } from './meter.ts';
import { elementOf } from './names.ts';

/** More of a spread in a call could exhaust the engine's stack. */
const SPREAD_MAX = 250;
/** To copy a property, and the name that it needs. */
const FIELD_STEPS = 8;

const mapSize = sizeGetter(Map.prototype);
const setSize = sizeGetter(Set.prototype);

function sizeGetter(prototype: object): (of: object) => number {
  const getter = Object.getOwnPropertyDescriptor(prototype, 'size')?.get;
  return (of) => Reflect.apply(getter as () => number, of, []);
}

/** Items of a collection; undefined when `value` is none. */
export function sizeOf(value: unknown): number | undefined {
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  if (value instanceof Map) return mapSize(value) * 2;
  if (value instanceof Set) return setSize(value);
  return value instanceof Uint8Array ? value.length : undefined;
}

/** What `...` lays out in an array. */
export function spread(value: unknown): Iterable<unknown> {
  const size = sizeOf(value);
  if (size === undefined) return gather(value as Iterable<unknown>);
  charge(size, 2);
  return value as Iterable<unknown>;
}

/** What a pattern takes apart whose `...` gathers the rest: the engine goes through it item by item. */
export function rest(value: unknown): Iterable<unknown> {
  const list = sizeOf(value) === undefined ? gather(value as Iterable<unknown>) : value;
  charge((sizeOf(list) as number) * 2);
  return list as Iterable<unknown>;
}

/** What an iterator still has: how much it is shows as it goes. */
export function gather(values: Iterable<unknown>): unknown[] {
  const list: unknown[] = [];
  for (const each of values) {
    charge(1);
    list[list.length] = each;
  }
  return list;
}

/** What `...` lays out in the arguments of a call. */
export function args(value: unknown): unknown {
  const list = Array.isArray(value) ? value : refuse('only an array is spread in a call');
  charge(list.length);
  if (list.length <= SPREAD_MAX) return list;
  throw newError('RangeError', `more than ${SPREAD_MAX} arguments spread in a call`);
}

/**
 * What `...` copies into an object, or gathers of one. Text, arrays and bytes have a property for each
 * of their items: those are paid for before the engine makes names of them. Others were made one by
 * one.
 */
export function fields<T>(value: T): T {
  if (value === null || (typeof value !== 'object' && typeof value !== 'string')) return value;
  const items = itemsOf(value);
  charge(items * FIELD_STEPS);
  const names = Object.keys(value);
  charge((names.length - items) * FIELD_STEPS);
  for (const name of names) elementOf(name);
  return value;
}

function itemsOf(value: string | object): number {
  const listed = typeof value === 'string' || Array.isArray(value) || ArrayBuffer.isView(value);
  return listed ? (value as ArrayLike<unknown>).length : 0;
}
