/**
 * What scripts hand to the host, as values of the host: plain data, bytes, and what the host gave
 * them. Scripts have no getters and no proxies, so reading an object runs nothing; what is read is
 * charged as it is read, so that a few objects that hold one another cannot grow without end (U1).
 */
import { sortKeys } from '../../../protocols/transaction/values.ts';
import type { Realm } from './realm/realm.ts';

type Fields = Readonly<Record<string, unknown>>;
type ScriptCall = (...args: readonly unknown[]) => unknown;

const DEPTH_MAX = 32;
const INT64_MIN = -(2n ** 63n);
const UINT64_MAX = 2n ** 64n - 1n;

export class CopyOut {
  readonly #realm: Realm;
  readonly #functionOf: ((script: ScriptCall) => unknown) | undefined;

  /** `functionOf`: makes of a script's function one of the host; without it functions are refused. */
  constructor(realm: Realm, functionOf?: (script: ScriptCall) => unknown) {
    this.#realm = realm;
    this.#functionOf = functionOf;
  }

  /** Throws an error of the script's when `value` is not one that may pass. */
  copy(value: unknown, name = 'the value', depth = 0): unknown {
    switch (typeof value) {
      case 'boolean':
        return value;
      case 'string':
        return this.#text(value, name);
      case 'number':
        if (!Number.isSafeInteger(value)) return this.#refuse(name, 'is no integer of 53 bits');
        // −0, which has no canonical form of its own.
        return value === 0 ? 0 : value;
      case 'bigint':
        return this.#bigint(value, name);
      case 'object':
        return value === null ? null : this.#object(value, name, depth);
      case 'function':
        if (this.#functionOf !== undefined) return this.#functionOf(value as ScriptCall);
        return this.#refuse(name, 'is a function');
      default:
        return this.#refuse(name, `is ${typeof value}: leave it out`);
    }
  }

  #text(value: string, name: string): string {
    this.#realm.charge(value.length, 32);
    return value.isWellFormed() ? value : this.#refuse(name, 'has half of a surrogate pair');
  }

  #bigint(value: bigint, name: string): number | bigint {
    const narrow = Number(value);
    if (Number.isSafeInteger(narrow)) return narrow;
    if (value >= INT64_MIN && value <= UINT64_MAX) return value;
    return this.#refuse(name, 'does not fit 64 bits');
  }

  #object(value: object, name: string, depth: number): unknown {
    if (depth >= DEPTH_MAX) return this.#refuse(name, `is more than ${DEPTH_MAX} levels deep`);
    this.#realm.charge(1);
    if (Array.isArray(value)) {
      // Each item, whatever it is: an array that stands in many places is copied into each.
      this.#realm.charge(value.length);
      const items: unknown[] = [];
      for (let i = 0; i < value.length; i++) {
        items.push(this.copy(value[i], name, depth + 1));
      }
      return items;
    }
    switch (this.#realm.kindOf(value)) {
      case 'object':
        return this.#fields(value as Fields, name, depth);
      case 'handle':
        return this.#realm.hostValueOf(value);
      case 'other':
        if (!ArrayBuffer.isView(value)) return this.#refuse(name, 'is no plain object');
        this.#realm.charge((value as Uint8Array).length, 32);
        return new Uint8Array(value as Uint8Array);
    }
  }

  /**
   * Members of a value stand in the order in which it is encoded: a row that was read from its encoded form,
   * as from a snapshot, must look to the module as it did where it was written.
   */
  #fields(value: Fields, name: string, depth: number): Fields {
    const fields: Record<string, unknown> = {};
    const keys = Object.keys(value);
    if (this.#functionOf === undefined) sortKeys(keys);
    for (const key of keys) {
      this.#realm.charge(32 + key.length, 32);
      if (key === '__proto__' || !key.isWellFormed()) return this.#refuse(name, 'has a bad key');
      const each = value[key];
      // Declarations leave out what they do not say.
      if (each === undefined && this.#functionOf !== undefined) continue;
      fields[key] = this.copy(each, key, depth + 1);
    }
    return fields;
  }

  #refuse(name: string, reason: string): never {
    return this.#realm.refuse(`${name.slice(0, 64)} ${reason}`);
  }
}
