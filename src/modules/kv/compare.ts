/**
 * The conditions of a transaction, with the rules of etcd: all of them must hold; one about a key that is
 * not there compares with 0, or with no lease, and never holds about a value.
 */
import { Type, type Static } from '@sinclair/typebox';
import { refuse, type ModuleRefusal } from '../../../protocols/transaction/module.ts';
import { compareText, type Value, type ValueMap } from '../../../protocols/transaction/values.ts';
import { AnyValue } from '../schema.ts';
import { Key, strict, type EntryRow } from './rows.ts';

const Target = Type.Union(
  (['value', 'version', 'createRevision', 'modRevision', 'lease'] as const).map((each) =>
    Type.Literal(each),
  ),
  { description: 'value, version, createRevision, modRevision or lease' },
);
const Relation = Type.Union(
  (['equal', 'notEqual', 'greater', 'less'] as const).map((each) => Type.Literal(each)),
  { description: 'equal, notEqual, greater or less' },
);

export const Compare = Type.Object(
  {
    key: Key,
    /** Of all keys that start with `key`; when there is none, as of a key that is not there. */
    prefix: Type.Optional(Type.Boolean()),
    target: Target,
    is: Relation,
    /** What the target is compared with; no lease is ''. */
    value: AnyValue,
  },
  strict,
);
export type Compare = Static<typeof Compare>;

/** Null when the value can stand on the other side of the target. */
export function misfitOf({ target, value }: Compare): ModuleRefusal | null {
  if (target === 'value' || typeof value === (target === 'lease' ? 'string' : 'number'))
    return null;
  return refuse(
    'bad_compare',
    target === 'lease'
      ? 'a lease compares with text: its id, or nothing for none'
      : 'a version and a revision compare with an integer',
  );
}

/** `row` is undefined for a key that is not there. */
export function holds({ target, is, value }: Compare, row: EntryRow | undefined): boolean {
  if (target !== 'value') {
    return isSo(is, orderOf(row?.[target] ?? (target === 'lease' ? '' : 0), value));
  }
  if (row === undefined) return false;
  if (is === 'equal' || is === 'notEqual')
    return equalValues(row.value, value) === (is === 'equal');
  return isSo(is, orderOf(row.value, value));
}

function isSo(is: Compare['is'], order: number): boolean {
  switch (is) {
    case 'equal':
      return order === 0;
    case 'notEqual':
      return order !== 0;
    case 'greater':
      return order > 0;
    case 'less':
      return order < 0;
  }
}

/** Integers by size, text by its bytes; NaN for all else, which is neither greater nor less. */
function orderOf(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return compareText(a, b);
  const numbers = [a, b].every((each) => typeof each === 'number' || typeof each === 'bigint');
  if (!numbers || a === null || b === null) return NaN;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether two values are the same; costs no more than the smaller one. */
export function equalValues(a: Value, b: Value): boolean {
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (a instanceof Uint8Array || b instanceof Uint8Array || isList(a) || isList(b)) {
    return isSameList(a, b);
  }
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every(
    (name) => Object.hasOwn(b, name) && equalValues((a as ValueMap)[name]!, (b as ValueMap)[name]!),
  );
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

function isSameList(a: Value, b: Value): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    return a.length === b.length && a.every((byte, at) => byte === b[at]);
  }
  if (!isList(a) || !isList(b) || a.length !== b.length) return false;
  return a.every((each, at) => equalValues(each, b[at]!));
}
