/**
 * What a cluster must have done with everything in its order: one model of each module, written down
 * once more in the plainest way, one after the other and nothing at once.
 */
import type { Value } from '../../../protocols/transaction/values.ts';
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
