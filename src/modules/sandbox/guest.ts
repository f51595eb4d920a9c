/**
 * One context for one module: calls into it with a budget of steps, and the ways across its border.
 *
 * U6. A script's function runs while its module loads or within `run`, and in no other moment: there
 *     are no promises, timers or iterators of its own by which it could come back.
 */
import { createContext, type Context, type Script } from 'node:vm';
import type { Value } from '../../../protocols/transaction/values.ts';
import { realmScript } from './bundle.ts';
import { CopyOut } from './copy-out.ts';
import type { Realm } from './realm/realm.ts';

/** Called by scripts with copies of what they pass. */
export type HostFunction = (...args: never[]) => unknown;

/** Steps in which a module has to load. */
export const LOAD_STEPS = 1_000_000;

type ScriptFunction = (...args: readonly unknown[]) => unknown;
type AnyFunction = (...args: readonly unknown[]) => unknown;

/** How a module uses a function of the host. */
const KIND = Symbol('kind');
type Kind = 'declares' | 'offers' | 'opaque' | 'reads';

/** For the time of loading only: takes functions too, and gives what the module can only pass on. */
export function declares<F extends HostFunction>(host: F): F {
  return Object.assign((...args: never[]) => host(...args), { [KIND]: 'declares' }) as unknown as F;
}

/** At any time: takes values and gives a value. */
export function offers<F extends HostFunction>(host: F): F {
  return Object.assign((...args: never[]) => host(...args), { [KIND]: 'offers' }) as unknown as F;
}

/** At any time: takes values and gives what the module can only pass on or return. */
export function opaque<F extends HostFunction>(host: F): F {
  return Object.assign((...args: never[]) => host(...args), { [KIND]: 'opaque' }) as unknown as F;
}

/** At any time: takes what the module can only pass on, undefined for all else, and gives a value. */
export function reads<F extends HostFunction>(host: F): F {
  return Object.assign((...args: never[]) => host(...args), { [KIND]: 'reads' }) as unknown as F;
}

/** Imported, or returned by a function that a module calls: what it can only pass on or return. */
export class Passed {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** What a module imports: functions of these kinds, values, and objects of them. */
export type Importable = HostFunction | Value | Passed | { readonly [name: string]: Importable };

/** Functions of the host by name, for handlers. */
export type Shape = { readonly [name: string]: Shape | HostFunction };

/** Stands for an object in the context; made once, passed in every call. */
export type Port = { readonly port: unique symbol };

/** What a script threw. The text is the engine's in part: for logs, never for a receipt. */
export class ScriptFault extends Error {
  override readonly name = 'ScriptFault';
}

/** The call is over: out of steps, or too deep. */
class Stopped extends Error {
  override readonly name = 'Stopped';
  readonly reason: 'steps' | 'depth';

  constructor(reason: 'steps' | 'depth') {
    super(`stopped: ${reason}`);
    this.reason = reason;
  }
}

/** What a call may take, and afterwards what it has left. */
export interface Budget {
  left: number;
  /** Of the stack, by those who call it. */
  depth: number;
}

export type Ran<T> =
  | { readonly kind: 'done'; readonly value: T; readonly steps: number }
  | { readonly kind: 'threw'; readonly fault: ScriptFault; readonly steps: number }
  | { readonly kind: 'stopped'; readonly reason: 'steps' | 'depth'; readonly steps: number };

export class Guest {
  readonly #context: Context;
  readonly #realm: Realm;
  readonly #values: CopyOut;
  readonly #declarations: CopyOut;
  readonly #depthMax: number;

  constructor() {
    const codeGeneration = { strings: false, wasm: false };
    this.#context = createContext(Object.create(null) as Context, { codeGeneration });
    this.#realm = realmScript().runInContext(this.#context) as Realm;
    this.#depthMax = this.#realm.meter.depthMax;
    this.#values = new CopyOut(this.#realm);
    this.#declarations = new CopyOut(this.#realm, (script) => this.#hostFunction(script));
  }

  /** Names that scripts find without importing them. */
  get globals(): readonly string[] {
    return Object.keys(this.#realm.globals);
  }

  /** Whether a name is among the functions of a global object. */
  offers(global: string, name: string): boolean {
    const of = this.#realm.globals[global];
    return of !== undefined && Object.hasOwn(of, name);
  }

  /** Evaluates an instrumented module and returns its exports. Throws what its imports throw. */
  load(script: Script, imports: Importable): unknown {
    const { meter, operators, globals } = this.#realm;
    const module = script.runInContext(this.#context) as ScriptFunction;
    this.#start(LOAD_STEPS);
    meter.loading = true;
    meter.depthMax = -1;
    try {
      const given = this.#importOf(imports);
      const exports = module(operators, meter, given, ...Object.values(globals));
      return this.#declarations.copy(exports);
    } catch (error) {
      throw this.#escaped(error);
    } finally {
      meter.loading = false;
      meter.left = -1;
    }
  }

  /**
   * Runs what calls functions of the module, which together take at most what `budget` has left. Also
   * while the module waits for a function of the host, by which it is called again.
   */
  run<T>(budget: Budget, work: () => T): Ran<T> {
    const { meter } = this.#realm;
    const outer = { ...meter };
    const steps = budget.left;
    this.#start(steps, budget.depth);
    try {
      const value = work();
      if (meter.left < 0) throw this.#over();
      return { kind: 'done', value, steps: steps - meter.left };
    } catch (error) {
      if (error instanceof Stopped) return { kind: 'stopped', reason: error.reason, steps };
      if (!(error instanceof ScriptFault)) throw error;
      return { kind: 'threw', fault: error, steps: steps - meter.left };
    } finally {
      budget.left = this.#left();
      Object.assign(meter, outer);
    }
  }

  get isRunning(): boolean {
    return this.#realm.meter.left >= 0;
  }

  /** Only while it runs: has functions of the host take steps, too. */
  charge(steps: number): void {
    if (!this.#realm.take(steps)) throw this.#over();
  }

  /** Only while it runs: what is called in place of the module takes of its steps. */
  lend<T>(budget: Budget, work: () => T): T {
    const { meter } = this.#realm;
    budget.left = meter.left;
    budget.depth = meter.depth;
    try {
      return work();
    } finally {
      meter.left = budget.left;
    }
  }

  #left(): number {
    const { meter } = this.#realm;
    if (meter.left >= 0) return meter.left;
    return meter.failure === undefined ? 0 : meter.unused;
  }

  /** What stands for functions of the host in handlers' arguments, as `offers` has them. */
  port(shape: Shape | HostFunction): Port {
    const { meter, portsOf, STANDS_FOR } = this.#realm;
    meter.left = LOAD_STEPS;
    const port = (host: HostFunction): object => this.#importOf(offers(host)) as object;
    const ports = typeof shape === 'function' ? port(shape) : portsOf(shape as never, port);
    meter.left = -1;
    return { [STANDS_FOR]: ports } as unknown as Port;
  }

  #start(steps: number, depth = 0): void {
    const { meter } = this.#realm;
    meter.left = steps;
    meter.depth = depth;
    meter.unused = 0;
    meter.depthMax = this.#depthMax;
    meter.stopped = 'none';
    meter.failure = undefined;
  }

  #hostFunction(script: ScriptFunction): AnyFunction {
    const { meter, copyIn, settle } = this.#realm;
    settle(script);
    return (...args) => {
      if (meter.left < 0) {
        if (meter.stopped !== 'none') throw this.#over();
        throw new Error('a function of a module is called within run() only');
      }
      try {
        const given = args.map(meter.loading ? (each) => this.#importOf(each) : copyIn);
        const result = script(...given);
        if (result === undefined) return undefined;
        return (meter.loading ? this.#declarations : this.#values).copy(result);
      } catch (error) {
        throw this.#escaped(error);
      }
    };
  }

  #importOf(importable: unknown): unknown {
    const { copyIn, handleOf, settle } = this.#realm;
    if (importable instanceof Passed) return handleOf(importable.value);
    if (typeof importable === 'function') return this.#portOf(importable as AnyFunction);
    if (isPlain(importable)) {
      const { portsOf } = this.#realm;
      const members = Object.entries(importable).map(
        ([name, each]) => [name, () => this.#importOf(each)] as const,
      );
      return portsOf(Object.fromEntries(members) as never, (make) => make() as object);
    }
    const value = copyIn(importable);
    settle(value);
    return value;
  }

  #portOf(host: AnyFunction): object {
    const { copyIn, handleOf, meter, portOf, refuse } = this.#realm;
    const kind = (host as { [KIND]?: Kind })[KIND] ?? 'declares';
    const out = kind === 'declares' ? this.#declarations : this.#values;
    const given = (result: unknown): unknown => {
      if (result instanceof Passed) return handleOf(result.value);
      const bare = result === null || (typeof result !== 'object' && typeof result !== 'function');
      return kind === 'offers' || kind === 'reads' || bare ? copyIn(result) : handleOf(result);
    };
    const pass = (_host: unknown, args: readonly unknown[]): unknown => {
      if (kind === 'declares' && !meter.loading) {
        return refuse('this declares: call it at the top of the module');
      }
      if (kind === 'reads') return host(...(args.map((each) => this.#held(each)) as never[]));
      return host(...args.map((each) => (each === undefined ? undefined : out.copy(each))));
    };
    return portOf(host, pass, given);
  }

  /** Nothing is copied of what is none. */
  #held(value: unknown): unknown {
    const { hostValueOf } = this.#realm;
    return typeof value === 'object' && value !== null ? hostValueOf(value) : undefined;
  }

  #over(): Error {
    const { meter } = this.#realm;
    if (meter.failure !== undefined) return meter.failure as Error;
    if (meter.stopped === 'loading') {
      return new ScriptFault('the top of a module declares: it calls no function with statements');
    }
    return new Stopped(meter.stopped === 'depth' ? 'depth' : 'steps');
  }

  /** What the host sees of what left a script. */
  #escaped(error: unknown): Error {
    const { meter, STOP, isError } = this.#realm;
    if (error instanceof Stopped || error instanceof ScriptFault) return error;
    if (error === STOP || meter.left < 0) return this.#over();
    if (!isError(error)) return new ScriptFault('threw what is no Error');
    const { name, message } = error as { name: unknown; message: unknown };
    if (name === 'RangeError' && message === 'Maximum call stack size exceeded') {
      meter.left = -1;
      return new Stopped('depth');
    }
    const text = typeof message === 'string' ? message.slice(0, 1000) : 'without a message';
    return new ScriptFault(typeof name === 'string' ? `${name.slice(0, 64)}: ${text}` : text);
  }
}

function isPlain(value: unknown): value is Readonly<Record<string, Importable>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
