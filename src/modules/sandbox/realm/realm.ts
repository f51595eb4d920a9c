/** What a context gives to the host, and to scripts by name. The last file of bundle.ts. */
import { arrayFunctions } from './arrays.ts';
import { bytesFunctions, made, objectFunctions } from './collections.ts';
import { copyIn, handleOf, hostValueOf, kindOf, portOf, portsOf, STANDS_FOR } from './exchange.ts';
import { callable, dropGlobals, lockdown, namespace } from './lockdown.ts';
import {
  caught,
  charge,
  chargeEngineError,
  declared,
  isOurs,
  makeError,
  meter,
  over,
  refuse,
  settle,
  STOP,
  take,
} from './meter.ts';
import { bigintFunctions, mathFunctions, numberFunctions, toBigInt, toNumber } from './numbers.ts';
import { at, inside, key, put, read, truncate } from './names.ts';
import {
  add,
  and,
  choice,
  div,
  eq,
  ge,
  gt,
  le,
  lt,
  mod,
  mul,
  ne,
  neg,
  not,
  numeric,
  or,
  plus,
  pow,
  shl,
  shr,
  sub,
  text,
  ushr,
  xor,
} from './operators.ts';
import { args, fields, rest, spread } from './spreads.ts';

import { textFunctions, toText } from './text.ts';

/** The functions that instrumented code calls, as `$$.name`. */
const operators = {
  add,
  and,
  args,
  at,
  caught,
  choice,
  declared,
  div,
  eq,
  fields,
  ge,
  gt,
  inside,
  key,
  le,
  lt,
  mod,
  mul,
  ne,
  neg,
  not,
  numeric,
  or,
  over,
  plus,
  pow,
  put,
  read,
  rest,
  settle,
  shl,
  shr,
  spread,
  sub,
  text,
  truncate,
  ushr,
  xor,
  newMap: made.Map,
  newSet: made.Set,
  newUint8Array: made.Uint8Array,
  newError: (message: unknown, options: unknown) => makeError('Error', message, options),
  newRangeError: (message: unknown, options: unknown) => makeError('RangeError', message, options),
  newTypeError: (message: unknown, options: unknown) => makeError('TypeError', message, options),
  isMap: (value: unknown) => value instanceof Map,
  isSet: (value: unknown) => value instanceof Set,
  isUint8Array: (value: unknown) => value instanceof Uint8Array,
  isError: (value: unknown) => value instanceof Error,
  isRangeError: (value: unknown) => value instanceof RangeError,
  isTypeError: (value: unknown) => value instanceof TypeError,
};

export type Realm = ReturnType<typeof makeRealm>;

export function makeRealm(global: object) {
  meter.left = 1_000_000;
  Reflect.deleteProperty(Error, 'stackTraceLimit');
  lockdown();
  const globals = namespace({
    undefined: undefined,
    NaN,
    Infinity,
    Array: namespace(arrayFunctions),
    BigInt: callable((value: unknown) => toBigInt(value), bigintFunctions),
    Boolean: callable((value: unknown) => Boolean(value), {}),
    Error: namespace({}),
    Map: namespace({}),
    Math: namespace(mathFunctions),
    Number: callable((...given: readonly unknown[]) => toNumber(...given), numberFunctions),
    Object: namespace(objectFunctions),
    RangeError: namespace({}),
    Set: namespace({}),
    String: callable((...given: readonly unknown[]) => toText(...given), textFunctions),
    TypeError: namespace({}),
    Uint8Array: namespace(bytesFunctions),
  });
  dropGlobals(global);
  meter.left = -1;
  return {
    meter,
    operators,
    globals: globals as Readonly<Record<string, object | undefined>>,
    STOP,
    STANDS_FOR,
    charge,
    chargeEngineError,
    take,
    refuse,
    over,
    settle,
    isOurs,
    isError: operators.isError,
    copyIn,
    kindOf,
    handleOf,
    hostValueOf,
    portOf,
    portsOf,
  };
}
