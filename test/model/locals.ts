/**
 * The states of single validators, each once, and what every input makes of them. Executions share
 * them, so that each real step is made once, however many states of the cluster it is part of.
 */
import type { Engine } from './engine.ts';
import type { Forge } from './forge.ts';
import { roleOf } from './bounds.ts';
import { apply, type Input } from './inputs.ts';
import { stepFault, stateFault } from './conduct.ts';
import { Sayings, type Said } from './said.ts';
import { Validator } from './validator.ts';
import { viewOf, type View } from './view.ts';

export interface Local {
  readonly validator: Validator;
  readonly view: View;
  readonly said: Said;
  /** By input: the state after it, or −1 − the fault that it shows. */
  readonly next: (number | undefined)[];
  /** By input: what is called final after it, if that is more. */
  readonly told: (readonly number[] | undefined)[];
}

export class Locals {
  readonly #engine: Engine;
  readonly #forge: Forge;
  readonly all: Local[] = [];
  readonly inputs: Input[] = [];
  readonly faults: string[] = [];
  /** Real steps of machines. */
  steps = 0;
  readonly #byKey = new Map<string, number>();
  readonly #sayings = new Sayings();
  readonly #inputs = new Map<string, number>();

  constructor(engine: Engine, forge: Forge) {
    this.#engine = engine;
    this.#forge = forge;
  }

  start(index: number): number {
    const validator = new Validator(this.#engine, this.#forge, roleOf(this.#forge.bounds, index));
    validator.start();
    return this.#intern(validator, viewOf(this.#forge, validator));
  }

  input(input: Input): number {
    const name = JSON.stringify(input);
    const known = this.#inputs.get(name);
    if (known !== undefined) return known;
    const id = this.inputs.push(input) - 1;
    this.#inputs.set(name, id);
    return id;
  }

  /** The state after the input: the same when nothing comes of it within the bounds. */
  after(id: number, input: number): number {
    const local = this.all[id]!;
    const known = local.next[input];
    if (known !== undefined) return known;
    const to = this.#step(id, local, this.inputs[input]!);
    local.next[input] = to;
    return to;
  }

  #step(id: number, { validator, view, told }: Local, input: Input): number {
    this.steps++;
    if (!this.#isWithinBounds(view, input)) return id;
    const copy = validator.copy();
    try {
      apply(this.#forge, copy, input);
      const after = viewOf(this.#forge, copy);
      if (after.term >= this.#forge.bounds.terms) return id;
      const fault = stepFault(this.#forge, view, after) ?? stateFault(this.#forge, copy, after);
      if (fault !== null) return this.#fault(fault);
      if (after.told.length > view.told.length) told[this.input(input)] = after.told;
      return after.active === view.active ? id : this.#intern(copy, after);
    } catch (error) {
      const { name, message } = error as Error;
      return this.#fault(`a machine threw ${name}: ${message}`);
    }
  }

  /** In the last term nobody gives up: that would only keep it from saying more. */
  #isWithinBounds({ term, crashes }: View, input: Input): boolean {
    const { bounds } = this.#forge;
    const fails = input.kind === 'crash' || input.kind === 'lose';
    if (fails && crashes >= bounds.crashes) return false;
    // Timeouts of later terms make it give up, as it may at any time, but would be kept beyond that.
    if (input.kind === 'timeouts') return input.term === term;
    return input.kind !== 'expire' || term < bounds.terms - 1;
  }

  #fault(says: string): number {
    return -this.faults.push(says);
  }

  #intern(validator: Validator, view: View): number {
    const key = `${validator.self} ${view.key}`;
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    const id =
      this.all.push({ validator, view, said: this.#sayings.of(view), next: [], told: [] }) - 1;
    this.#byKey.set(key, id);
    return id;
  }

  isSilent(from: number, to: number): boolean {
    return this.all[from]!.said === this.all[to]!.said;
  }
}
