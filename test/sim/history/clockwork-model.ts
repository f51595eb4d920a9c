/** The test's module: what rings, when, and by which version's count. */
import { RING_COUNTS } from '../clockwork.ts';
import type { Value } from '../../../protocols/transaction/values.ts';
import { Refused } from '../../modules/refused.ts';
import type { Args, Asking, ModuleModel } from './model.ts';

export class ClockworkModel implements ModuleModel {
  readonly #versionNow: () => number;
  /** What is set, in the order of setting. */
  readonly #set = new Map<string, number>();
  #count = 0;

  constructor(versionNow: () => number) {
    this.#versionNow = versionNow;
  }

  startBlock({ time }: { readonly time: number }): readonly string[] {
    const due = [...this.#set].filter(([, at]) => at <= time).toSorted(([, a], [, b]) => a - b);
    return due.map(([name]) => {
      this.#set.delete(name);
      this.#count += RING_COUNTS[this.#versionNow()]!;
      return `ring ${name}`;
    });
  }

  run(command: string, { name, at }: Args, _asking: Asking): Value {
    const key = name as string;
    if (command === 'set') {
      if (this.#set.has(key)) throw new Refused('name_taken');
      this.#set.set(key, at as number);
    } else if (command === 'stop') {
      if (!this.#set.delete(key)) throw new Refused('nothing_set');
    } else throw new Error(`the model has no command ${command}`);
    return { version: this.#versionNow() };
  }

  answer(query: string): Value {
    if (query !== 'count') throw new Error(`the model has no query ${query}`);
    return { count: this.#count, waiting: this.#set.size };
  }
}
