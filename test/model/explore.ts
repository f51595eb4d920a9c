/**
 * Breadth first through all states of a cluster that the bounds allow, until one breaks a rule: no
 * shorter execution then breaks one.
 *
 * A state is the states of the honest validators. What is on its way is no part of it: whatever they said
 * may come at any time, again, or never. Those that play one role are sorted (symmetry).
 */
import { honestOf, QUORUM, roleOf, type Bounds } from './bounds.ts';
import { factsFault, groundFault, toldFault } from './conduct.ts';
import type { Engine } from './engine.ts';
import { factsOf, failures, inputsFor, timeoutsFor, type Facts } from './facts.ts';
import { Forge } from './forge.ts';
import type { Input } from './inputs.ts';
import { unbackedClaims } from './lawless.ts';
import { Locals } from './locals.ts';
import { nameOf, statementsOf, togetherName } from './said.ts';
import { Store } from './store.ts';

export interface Limits {
  readonly seconds: number;
  readonly states: number;
}

export interface Step {
  readonly validator: number;
  readonly input: Input;
}

export interface Found {
  readonly fault: string;
  readonly steps: readonly Step[];
}

export interface Result {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** States of single validators, and real steps of machines between them. */
  readonly locals: number;
  readonly machineSteps: number;
  readonly seconds: number;
  /** Nothing was left to explore. */
  readonly emptied: boolean;
  readonly found: Found | null;
}

interface Known {
  readonly facts: Facts;
  readonly fault: string | null;
  readonly inputs: readonly number[];
  /** Beside those, by the claims of the others. */
  readonly timeouts: Map<string, readonly number[]>;
}

/** Where one validator can get to while it says nothing, how, and what it can say then. */
interface Reach {
  readonly from: ReadonlyMap<number, Move>;
  readonly says: readonly number[];
  readonly fault: (Move & { readonly says: string }) | null;
}

/** The state before, and the input that ended it; −1: none. */
interface Move {
  readonly id: number;
  readonly input: number;
}

export class Explorer {
  readonly forge: Forge;
  readonly locals: Locals;
  readonly #places: readonly number[];
  readonly #roles: readonly number[];
  /** How many states of one validator a key has room for. */
  readonly #base: number;
  readonly #store = new Store();
  readonly #known = new Map<string, Known>();
  #transitions = 0;
  #found: Found | null = null;

  constructor(engine: Engine, bounds: Bounds) {
    this.forge = new Forge(engine, bounds);
    this.locals = new Locals(engine, this.forge);
    this.#places = honestOf(bounds);
    this.#roles = this.#places.map((index) => roleOf(bounds, index));
    this.#base = Math.floor(Number.MAX_SAFE_INTEGER ** (1 / this.#places.length));
  }

  run(limits: Limits, onProgress: (result: () => Result) => void = () => undefined): Result {
    const started = performance.now();
    let depth = 0;
    let at = 0;
    const result = (): Result => ({
      states: this.#store.size,
      transitions: this.#transitions,
      depth,
      locals: this.locals.all.length,
      machineSteps: this.locals.steps,
      seconds: (performance.now() - started) / 1000,
      emptied: at === this.#store.size,
      found: this.#found,
    });
    this.#reach(
      this.#places.map((index) => this.locals.start(index)),
      -1,
      0,
    );
    for (let levelEnd = this.#store.size; at < this.#store.size && !this.#found; at++) {
      if (at === levelEnd) {
        depth++;
        levelEnd = this.#store.size;
      }
      if (at % 1024 === 0 && at > 0) {
        onProgress(result);
        if (result().seconds >= limits.seconds) break;
      }
      if (this.#store.size >= limits.states) break;
      this.#leave(at);
    }
    return result();
  }

  /** What the validators said in the states that were reached, those of one role in any order. */
  saidTogether(): Set<string> {
    const names = Array.from({ length: this.#store.size }, (_, at) =>
      togetherName(
        this.#idsOf(at).map((id) => this.locals.all[id]!.view),
        this.#roles,
      ),
    );
    return new Set(names);
  }

  /** Every validator may be the next to say something. */
  #leave(at: number): void {
    const ids = this.#idsOf(at);
    const known = this.#knownOf(ids);
    for (const [place, id] of ids.entries()) {
      const { says, fault } = this.#silently(known, place, id);
      if (fault !== null) return this.#report(fault.says, at, { place, ...fault });
      for (const to of says) {
        this.#transitions++;
        this.#reach(ids.with(place, to), at, place);
        if (this.#found !== null) return;
      }
    }
  }

  #silently(known: Known, place: number, id: number): Reach {
    const inputs = [...known.inputs, ...this.#timeouts(known, place)];
    const from = new Map<number, Move>();
    const silent = [id];
    const says: number[] = [];
    for (const each of silent) {
      const ground = groundFault(known.facts, this.locals.all[each]!.view);
      if (ground !== null) {
        return { from, says, fault: { ...(from.get(each) ?? { id, input: -1 }), says: ground } };
      }
      for (const input of inputs) {
        const to = this.locals.after(each, input);
        const told = this.locals.all[each]!.told[input];
        const unfounded = told === undefined ? null : toldFault(known.facts, told);
        if (unfounded !== null) return { from, says, fault: { id: each, input, says: unfounded } };
        if (to === each || from.has(to) || to === id) continue;
        if (to < 0)
          return { from, says, fault: { id: each, input, says: this.locals.faults[-to - 1]! } };
        from.set(to, { id: each, input });
        if (this.locals.isSilent(id, to)) silent.push(to);
        else says.push(to);
      }
    }
    return { from, says, fault: null };
  }

  #reach(ids: number[], from: number, place: number): void {
    const crashes = ids.reduce((sum, id) => sum + this.locals.all[id]!.view.crashes, 0);
    if (crashes > this.forge.bounds.crashes) return;
    const sorted = this.#sorted(ids);
    if (!this.#store.add(this.#keyOf(sorted), from, place)) return;
    const { fault } = this.#knownOf(sorted);
    if (fault !== null) this.#report(fault, this.#store.size - 1, null);
  }

  #sorted(ids: readonly number[]): number[] {
    const sorted = [...ids];
    for (let at = 1; at < sorted.length; at++) {
      for (let to = at; to > 0 && this.#roles[to] === this.#roles[to - 1]; to--) {
        if (sorted[to]! >= sorted[to - 1]!) break;
        [sorted[to], sorted[to - 1]] = [sorted[to - 1]!, sorted[to]!];
      }
    }
    return sorted;
  }

  #keyOf(ids: readonly number[]): number {
    return ids.reduce((key, id) => {
      if (id >= this.#base) throw new Error('more states of one validator than a key has room for');
      return key * this.#base + id;
    }, 0);
  }

  #idsOf(at: number): number[] {
    const ids: number[] = [];
    let rest = this.#store.key(at);
    for (; ids.length < this.#places.length; rest = Math.floor(rest / this.#base)) {
      ids.unshift(rest % this.#base);
    }
    return ids;
  }

  /** What exists follows from what was said. */
  #knownOf(ids: readonly number[]): Known {
    const { byzantine, lawless, crashes } = this.forge.bounds;
    const said = ids.map((id) => this.locals.all[id]!.said);
    const count = byzantine === null ? QUORUM : QUORUM - 1;
    const name = nameOf(said, count, lawless);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const facts = factsOf(this.forge, statementsOf(said, count));
    const common = inputsFor(facts);
    const all = crashes > 0 ? [...common, ...failures(common)] : common;
    const inputs = all.map((input) => this.locals.input(input));
    const made = { facts, fault: factsFault(facts), inputs, timeouts: new Map() };
    this.#known.set(name, made);
    return made;
  }

  #timeouts({ facts, timeouts }: Known, place: number): readonly number[] {
    if (!facts.claims.some((claims) => claims.length > 0)) return [];
    const others = facts.claims.filter((_, at) => at !== place);
    const name = others.map((claims) => claims.join('.')).join();
    const known = timeouts.get(name);
    if (known !== undefined) return known;
    const lawless = this.forge.bounds.lawless ? unbackedClaims(facts, place) : [];
    const inputs = [...timeoutsFor(facts, place), ...lawless];
    const made = inputs.map((input) => this.locals.input(input));
    timeouts.set(name, made);
    return made;
  }

  #report(fault: string, at: number, last: (Move & { readonly place: number }) | null): void {
    const path = [at];
    while (path[0]! > 0) path.unshift(this.#store.parent(path[0]!));
    // Whoever plays a role is named anew in each state: here each keeps its name.
    const names = this.#places.map((index) => this.locals.start(index));
    const steps: Step[] = [];
    const walk = (
      ids: readonly number[],
      place: number,
      to: number,
      moves: readonly number[],
    ): void => {
      const isIt = (id: number, at: number): boolean =>
        id === ids[place] && this.#roles[at] === this.#roles[place];
      const name = names.findIndex(isIt);
      names[name] = to;
      const validator = this.#places[name]!;
      for (const input of moves) steps.push({ validator, input: this.locals.inputs[input]! });
    };
    for (const [index, from] of path.slice(0, -1).entries()) {
      const ids = this.#idsOf(from);
      const child = path[index + 1]!;
      const place = this.#store.step(child);
      const reach = this.#silently(this.#knownOf(ids), place, ids[place]!);
      const isChild = (to: number): boolean =>
        this.#keyOf(this.#sorted(ids.with(place, to))) === this.#store.key(child);
      const to = reach.says.find(isChild)!;
      walk(ids, place, to, movesTo(reach, to));
    }
    if (last !== null) {
      const ids = this.#idsOf(at);
      const reach = this.#silently(this.#knownOf(ids), last.place, ids[last.place]!);
      const moves = last.input < 0 ? [] : [...movesTo(reach, last.id), last.input];
      walk(ids, last.place, last.id, moves);
    }
    this.#found = { fault, steps };
  }
}

function movesTo({ from }: Reach, to: number): number[] {
  const moves: number[] = [];
  for (let move = from.get(to); move !== undefined; move = from.get(move.id)) {
    moves.unshift(move.input);
  }
  return moves;
}
