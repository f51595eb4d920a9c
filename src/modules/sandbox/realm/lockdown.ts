/**
 * Takes from the context all that scripts may not have, and freezes the rest. What stays is listed:
 * no script reaches a constructor, a global, or anything that could keep state between calls (U4).
 *
 * U3. What a script sees depends on its source and arguments alone: on no version of the engine, of
 *     Unicode or of a locale, on no clock, and on nothing else of the machine.
 *
 * `Array.prototype.constructor` alone stays, as the engine makes all arrays of the process slower once
 * it is gone: instrument.ts and operators.ts keep scripts from that name.
 */
import { ARRAY_KEPT, arrayMethods } from './arrays.ts';
import {
  BYTES_KEPT,
  bytesMethods,
  COLLECTION_KEPT,
  mapMethods,
  setMethods,
} from './collections.ts';
import { bigintMethods, numberMethods } from './numbers.ts';
import { freezeAll, settle } from './meter.ts';
import { TEXT_KEPT, textMethods } from './text.ts';

type Anything = Record<PropertyKey, unknown>;

function tame(target: object, methods: object, kept: readonly PropertyKey[]): void {
  for (const key of Reflect.ownKeys(target)) {
    if (!has(kept, key)) Reflect.deleteProperty(target, key);
  }
  for (const key of Reflect.ownKeys(methods)) {
    Object.defineProperty(target, key, { value: (methods as Anything)[key] });
  }
}

/** Needs no method of what is being tamed. */
function has(keys: readonly PropertyKey[], wanted: PropertyKey): boolean {
  for (const key of keys) if (key === wanted) return true;
  return false;
}

function prototypeOf(value: unknown): object {
  return Object.getPrototypeOf(value) as object;
}

export function lockdown(): void {
  const iterator: typeof Symbol.iterator = Symbol.iterator;
  const iterators = [[][iterator](), ''[iterator](), new Map()[iterator](), new Set()[iterator]()];
  const prototypes: [object, object, readonly PropertyKey[]][] = [
    [Array.prototype, arrayMethods, [...ARRAY_KEPT, iterator]],
    [String.prototype, textMethods, [...TEXT_KEPT, iterator]],
    [Number.prototype, numberMethods, []],
    [BigInt.prototype, bigintMethods, []],
    [Boolean.prototype, {}, []],
    [Symbol.prototype, {}, []],
    [Map.prototype, mapMethods, [...COLLECTION_KEPT, iterator]],
    [Set.prototype, setMethods, [...COLLECTION_KEPT, iterator]],
    [prototypeOf(Uint8Array.prototype), bytesMethods, [...BYTES_KEPT, iterator]],
    [Uint8Array.prototype, {}, []],
    [prototypeOf(prototypeOf(iterators[0])), {}, [iterator]],
    ...iterators.map((each) => [prototypeOf(each), {}, ['next']] as never),
    ...[Error, RangeError, TypeError].map(
      (each) => [each.prototype, {}, ['name', 'message']] as never,
    ),
    [Function.prototype, {}, []],
    [Object.prototype, {}, []],
  ];
  for (const [target, methods, kept] of prototypes) tame(target, methods, kept);
  for (const [target] of prototypes) freezeAll(target);
}

/** What a script finds by name: none of it a constructor. */
export function namespace(functions: object): object {
  const names = Object.assign(Object.create(null) as object, functions);
  settle(names);
  return names;
}

/** As `namespace`, for a name that can itself be called. */
export function callable(call: object, functions: object): object {
  const names = Object.assign(call, functions);
  settle(names);
  return names;
}

/** Empties the global object: what the files of this folder use they hold by name. */
export function dropGlobals(global: object): void {
  for (const key of Reflect.ownKeys(global)) Reflect.deleteProperty(global, key);
}
