/** Which version of the test's module is in force, by what the validators have approved. */
import type { PublicKey } from '../../../protocols/types.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import { quorumOf } from '../../../protocols/quorum.ts';
import { Refused } from '../../modules/refused.ts';
import type { Args, Asking, ModuleModel } from './model.ts';

/** Blocks between the quorum's approval and the upgrade. */
const NOTICE = 16;

export class ProgramsModel implements ModuleModel {
  readonly #validators: readonly PublicKey[];
  readonly #approvals = new Map<string, Set<string>>();
  readonly #upgrades = new Map<number, number>();
  /** Of the test's module, from the block that has begun on. */
  version = 1;

  constructor(validators: readonly PublicKey[]) {
    this.#validators = validators;
  }

  startBlock({ height }: { readonly height: number }): readonly string[] {
    this.version = this.#upgrades.get(height) ?? this.version;
    return [];
  }

  run(command: string, args: Args, { sender, height: now }: Asking): undefined {
    if (command !== 'approve') throw new Error(`the model has no command ${command}`);
    const { height, version } = args as { readonly height: number; readonly version: number };
    const validator = this.#validators.find((each) => sender === `key:${each}`);
    if (validator === undefined) throw new Refused('not_validator');
    if (height < now + NOTICE) throw new Refused('height_passed');
    if (this.#upgrades.has(height)) throw new Refused('height_taken');
    const key = `${height}/${version}`;
    const approvals = this.#approvals.get(key) ?? new Set();
    if (approvals.has(validator)) throw new Refused('already_approved');
    this.#approvals.set(key, approvals.add(validator));
    if (approvals.size >= quorumOf(this.#validators.length)) this.#upgrades.set(height, version);
  }

  answer(query: string): Value {
    throw new Error(`the model has no query ${query}`);
  }
}
