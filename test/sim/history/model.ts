/**
 * What a cluster must have done with everything in its order: one model of each module, written down
 * once more in the plainest way, one after the other and nothing at once.
 */
import { encodeValue, type Value } from '../../../protocols/transaction/values.ts';
import { Refused } from '../../modules/refused.ts';

export type Outcome =
  | { readonly ok: true; readonly result: Value | undefined }
  | { readonly ok: false; readonly code: string };

/** Who asks, when, and what it was answered. */
export interface Asking {
  readonly time: number;
  readonly height: number;
  readonly sender: string;
  /** The result in the receipt: the only source of names that nobody can foresee, as hashes are. */
  readonly said: Value | undefined;
}

export type Args = Readonly<Record<string, Value>>;

export interface ModuleModel {
  /** Brings about what is due at the start of a block; the timers that must run in it, if it knows. */
  startBlock(block: { readonly time: number; readonly height: number }): readonly string[] | null;
  /** The result. Throws Refused, with nothing done. */
  run(command: string, args: Args, asking: Asking): Value | undefined;
  /** What a query is answered, or as much of it as the model knows. Throws Refused. */
  answer(query: string, args: Args, time: number): Value;
}

export type Call = (module: string, command: string, args: Args, sender: string) => Outcome;

/** The result, or the code of the refusal. */
export function outcomeOf(run: () => Value | undefined): Outcome {
  try {
    return { ok: true, result: run() };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return { ok: false, code: error.message };
  }
}

/**
 * What is wrong with an outcome, or null.
 *
 * @param isPart whether only some of the fields are expected
 */
export function difference(said: Outcome, expected: Outcome, isPart = false): string | null {
  const isRight =
    said.ok && expected.ok
      ? (isPart ? hasFields : isSame)(said.result, expected.result)
      : !said.ok && !expected.ok && said.code === expected.code;
  return isRight ? null : `${describe(said)}, expected ${describe(expected)}`;
}

function isSame(a: Value | undefined, b: Value | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return Buffer.compare(encodeValue(a), encodeValue(b)) === 0;
}

function hasFields(whole: Value | undefined, fields: Value | undefined): boolean {
  const all = whole as Args;
  return Object.entries(fields as Args).every(([name, field]) => isSame(all[name], field));
}

function describe(outcome: Outcome): string {
  return outcome.ok ? textOf(outcome.result) : outcome.code;
}

export function textOf(value: Value | undefined): string {
  const text = (_: string, each: unknown): unknown =>
    typeof each === 'bigint' ? String(each) : each;
  return JSON.stringify(value, text) ?? 'no result';
}
