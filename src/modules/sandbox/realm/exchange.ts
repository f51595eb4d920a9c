/**
 * What passes between scripts and the host. U5: no object of the host ever reaches a script, and no
 * function of it but behind one made here; what the host throws, a script cannot catch. Values are
 * copied, keys in order, so that a script sees the same of a row that was just written and of one
 * that was read from disk (U3).
 */
import { charge, HANDLE, isOurs, meter, over, refuse, settle, STOP, uncurry } from './meter.ts';
import { elementOf, paid, TEXT_UNITS } from './operators.ts';

/** Stands on a host object that has an object of this context to stand for it. */
export const STANDS_FOR = Symbol('stands for');

/** The steps of a call out of the context, besides what it passes. */
const HOST_CALL_STEPS = 4;

type HostFunction = (...args: readonly unknown[]) => unknown;
type Shape = { readonly [name: string]: Shape | HostFunction };

const sortKeys = uncurry(Array.prototype.sort) as (keys: string[]) => string[];
const hostValues = new WeakMap<object, unknown>();
const SCRIPT_PROTOTYPE = Object.prototype;

/** Whether a script made this with `{…}`, or holds it for something of the host, or neither. */
export function kindOf(value: object): 'object' | 'handle' | 'other' {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === SCRIPT_PROTOTYPE) return 'object';
  return prototype === HANDLE ? 'handle' : 'other';
}

/** An object that a script can pass on and nothing else, for a value of the host. */
export function handleOf(value: unknown): object {
  const handle = Object.freeze(Object.create(HANDLE) as object);
  hostValues.set(handle, value);
  return handle;
}

export function hostValueOf(handle: object): unknown {
  return hostValues.get(handle);
}

/** A copy of a canonical value, and what stands for the host objects in it. */
export function copyIn(value: unknown): unknown {
  if (typeof value === 'string') return paid(value);
  if (typeof value !== 'object' || value === null) return primitive(value);
  const ours = (value as { [STANDS_FOR]?: unknown })[STANDS_FOR];
  if (ours !== undefined) return ours;
  charge(1);
  if (Array.isArray(value)) {
    charge(value.length);
    const list: unknown[] = [];
    for (let i = 0; i < value.length; i++) list[i] = copyIn(value[i]);
    return list;
  }
  if (!ArrayBuffer.isView(value)) return copyFields(value as Record<string, unknown>);
  charge((value as Uint8Array).length, 32);
  return new Uint8Array(value as Uint8Array);
}

function primitive(value: unknown): unknown {
  return typeof value === 'function' ? refuse('a function of the host is no value') : value;
}

function copyFields(from: Record<string, unknown>): Record<string, unknown> {
  const keys = Object.keys(from);
  const to: Record<string, unknown> = {};
  order(keys);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    charge(TEXT_UNITS + key.length, TEXT_UNITS);
    to[elementOf(key)] = copyIn(from[key]);
  }
  return to;
}

/** Mostly there is nothing to do. */
function order(keys: string[]): void {
  let sorted = true;
  for (let i = 1; i < keys.length && sorted; i++) sorted = keys[i - 1]! < keys[i]!;
  if (!sorted) sortKeys(keys);
}

/** A function of the host as scripts may call it. `pass` copies its arguments out and calls it. */
export function portOf(host: HostFunction, pass: Pass, give: (result: unknown) => unknown): object {
  const port = (a: unknown, b: unknown, c: unknown, ...more: readonly unknown[]): unknown => {
    charge(HOST_CALL_STEPS);
    let result: unknown;
    try {
      result = pass(host, [a, b, c, ...more]);
    } catch (error) {
      if (error === STOP || isOurs(error)) throw error;
      return failed(error);
    }
    return give(result);
  };
  settle(port);
  return port;
}

export type Pass = (host: HostFunction, args: readonly unknown[]) => unknown;

/** The host failed, or its stack ended: not the script's to handle. */
function failed(error: unknown): never {
  meter.failure = error;
  return over();
}

/** Objects of functions of the host, frozen. */
export function portsOf(shape: Shape, port: (host: HostFunction) => object): object {
  const ports: Record<string, object> = {};
  for (const name of Object.keys(shape)) {
    const member = shape[name]!;
    ports[name] = typeof member === 'function' ? port(member) : portsOf(member, port);
  }
  return Object.freeze(ports);
}
