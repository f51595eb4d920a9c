/** What is wrong with the arguments of a call, with the name of the one at fault. */
import type { Call } from '../../protocols/transaction/submission.ts';
import {
  encodeValue,
  NotAValue,
  VALUE_DEPTH_MAX,
  type Value,
} from '../../protocols/transaction/values.ts';
import { AlthingError } from './errors.ts';

/** What `encode` makes of the calls. Throws AlthingError `invalid_args` where a part is no value, such as 1.5. */
export function encoded<T>(calls: readonly Call[], encode: () => T): T {
  try {
    return encode();
  } catch (error) {
    if (!(error instanceof NotAValue)) throw error;
    const wrong = calls.find(({ args }) => !isValue(args));
    const field = wrong === undefined ? '' : placeIn(wrong.args);
    throw new AlthingError('invalid_args', named(field, error.message), 0, field);
  }
}

/** `message` of the part `field`, which is empty when it is of none in particular. */
export function named(field: string, message: string): string {
  return field === '' ? message : `${field}: ${message}`;
}

function isValue(value: Value): boolean {
  try {
    encodeValue(value);
    return true;
  } catch (error) {
    if (!(error instanceof NotAValue)) throw error;
    return false;
  }
}

/** The path of the innermost part that is no value; the argument where it has too many levels to tell. */
function placeIn(args: Value): string {
  let [path, value] = ['', args];
  let argument = '';
  for (let level = 0; level <= VALUE_DEPTH_MAX; level++) {
    const wrong = partsOf(value, path).find(([, part]) => !isValue(part));
    if (wrong === undefined) return path;
    [path, value] = wrong;
    if (level === 0) argument = path;
  }
  return argument;
}

function partsOf(value: Value, path: string): readonly (readonly [string, Value])[] {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return [];
  if (Array.isArray(value)) {
    return (value as readonly Value[]).map((part, at) => [`${path}[${at}]`, part]);
  }
  const members = Object.entries(value as Readonly<Record<string, Value>>);
  return members.map(([name, part]) => [path === '' ? name : `${path}.${name}`, part]);
}
