/**
 * The meter of one sandbox, and what a script may see of errors. Like every file of this folder it
 * runs inside the context of the modules (bundle.ts), where no other code of ours is.
 *
 * U1. A call ends after the same number of steps on every node, whatever it does: the steps left are
 *     a number that only sinks, everything that costs charges it before or bounds what it made, and
 *     a script that has none left is thrown out of every `catch` and `finally` of its own (U2).
 */
export const DEPTH_MAX = 256;
const LOADING_MAX = 64;
/** What it takes to make an error, and one with a text of the engine's. */
const ERROR_STEPS = 4;
const ENGINE_ERROR_STEPS = 32;

export interface Meter {
  /** Steps left. Below zero the call is over. */
  left: number;
  /** Size of the frames on the stack, in units of about 64 nodes of syntax. */
  depth: number;
  /** Below every depth while a module loads, so that no ordinary function runs then (U4). */
  depthMax: number;
  loading: boolean;
  /** Why the call is over. */
  stopped: 'none' | 'steps' | 'depth' | 'loading';
  /** Steps that were left when it ended for another reason. */
  unused: number;
  /** What the host threw while it was called. */
  failure: unknown;
}

export const meter: Meter = {
  left: -1,
  depth: 0,
  depthMax: DEPTH_MAX,
  loading: false,
  stopped: 'none',
  unused: 0,
  failure: undefined,
};

/** Thrown when a call is over. No script ever holds it. */
export const STOP = Object.freeze({ stop: true });

const known = new WeakSet<object>();

const ERRORS = { Error, RangeError, TypeError };
export type ErrorName = keyof typeof ERRORS;

/** A method as a function of its receiver, whatever becomes of the prototype that it was taken from. */
export function uncurry(method: unknown): unknown {
  return Function.prototype.call.bind(method as () => void);
}

/** Ends the call. What still runs of it is thrown out at its next step. */
export function over(): never {
  if (meter.left >= 0) {
    meter.stopped = meter.loading ? 'loading' : 'depth';
    meter.unused = meter.left;
  } else if (meter.stopped === 'none') meter.stopped = 'steps';
  meter.left = -1;
  // oxlint-disable-next-line typescript/only-throw-error -- no script may tell it from another
  throw STOP;
}

/**
 * Takes what `amount` things cost of which `perStep` go to a step, if so much is left. Amounts are
 * divided and never shifted, as shifts wrap at 2^32; what is no count of steps is all that is left (U1).
 */
export function take(amount: number, perStep = 1): boolean {
  const steps = perStep === 1 ? amount : Math.floor(amount / perStep);
  meter.left = steps >= 0 && Number.isInteger(steps) ? meter.left - steps : -1;
  return meter.left >= 0;
}

export function charge(amount: number, perStep = 1): void {
  if (!take(amount, perStep)) over();
}

/** Entry of a function that may run while a module loads: what it holds on to is frozen then (U4). */
export function declared(...held: readonly unknown[]): void {
  if (!meter.loading || meter.left < 0 || meter.depth >= LOADING_MAX) over();
  for (const each of held) settle(each);
}

/** An error that scripts may see as it is: its text does not depend on the engine. */
export function newError(name: ErrorName, message: string): Error {
  const error = new ERRORS[name](message);
  known.add(error);
  return error;
}

/** Whether an error is of this file's making. */
export function isOurs(error: unknown): boolean {
  return typeof error === 'object' && error !== null && known.has(error);
}

export function refuse(message: string): never {
  throw newError('TypeError', message);
}

/** For `new Error(…)` in scripts. */
export function makeError(name: ErrorName, message: unknown, options: unknown): Error {
  if (message !== undefined && typeof message !== 'string') {
    return refuse('the message of an error is text');
  }
  charge(ERROR_STEPS);
  const error = newError(name, message ?? '');
  if (typeof options !== 'object' || options === null || !('cause' in options)) return error;
  return Object.defineProperty(error, 'cause', { value: options.cause });
}

/**
 * What a script catches. U2: nothing once the call is over. The engine's own errors come without
 * their text, which differs between its versions (U3).
 */
export function caught(error: unknown): unknown {
  if (meter.left < 0) over();
  if (!(error instanceof Error) || isOurs(error)) return error;
  charge(ENGINE_ERROR_STEPS);
  // The engine's stack ended before ours did: nothing that differs between nodes may be seen.
  if (error instanceof RangeError && error.message === 'Maximum call stack size exceeded') over();
  if (error instanceof RangeError) return newError('RangeError', 'out of range');
  if (error instanceof TypeError) return newError('TypeError', 'not of the type that this needs');
  return newError('Error', 'failed');
}

/** Freezes a value and all that is reachable from it: it is part of the module from now on (U4). */
export function settle(value: unknown): void {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return;
  if (settled.has(value)) return;
  if (STATELESS.has(Object.getPrototypeOf(value))) return freezeAll(value);
  return refuse('a Map, Set, Uint8Array or iterator at the top level keeps state');
}

/** The same for what is known to keep no state. */
export function freezeAll(value: object): void {
  settled.add(value);
  Object.freeze(value);
  for (const key of Reflect.ownKeys(value)) {
    charge(1);
    settle(Reflect.getOwnPropertyDescriptor(value, key)?.value);
  }
}

const settled = new WeakSet<object>();

/** Of what a script can pass on and nothing else. */
export const HANDLE = Object.freeze(Object.create(null) as object);

/** The prototypes of what is nothing but its properties; all else has something that no freezing reaches. */
const STATELESS = new Set<unknown>([
  null,
  HANDLE,
  ...[Object, Array, Function, Error, RangeError, TypeError].map(({ prototype }) => prototype),
]);
