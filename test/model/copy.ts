/**
 * Copies machines, so that one state can be left by many inputs. Messages and all that is frozen is
 * shared: machines never change those (they would throw).
 */

/** @param shared objects that belong to all copies, such as options */
export function deepCopy<T>(value: T, shared: ReadonlySet<unknown>): T {
  return copy(value, shared, new Map()) as T;
}

function copy(value: unknown, shared: ReadonlySet<unknown>, done: Map<object, object>): unknown {
  if (typeof value !== 'object' || value === null || shared.has(value)) return value;
  if (Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
  const known = done.get(value);
  if (known !== undefined) return known;
  const made = shallow(value);
  done.set(value, made);
  if (made instanceof Map) {
    for (const [key, each] of made) {
      if (typeof each === 'object') made.set(key, copy(each, shared, done));
    }
  } else if (!(made instanceof Set)) {
    const fields = made as Record<string, unknown>;
    for (const key of Object.keys(fields)) {
      const each = fields[key];
      if (typeof each === 'object' && each !== null) fields[key] = copy(each, shared, done);
    }
  }
  return made;
}

function shallow(value: object): object {
  if (value instanceof Map) return new Map(value);
  if (value instanceof Set) return new Set(value);
  if (Array.isArray(value)) return value.slice();
  const prototype = Object.getPrototypeOf(value) as object;
  if (prototype === Object.prototype) return { ...value };
  return Object.assign(Object.create(prototype) as object, value);
}
