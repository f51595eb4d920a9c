/**
 * Whether there is one order of the operations on a key that explains all that clients were told of it,
 * and in which whatever was answered before another was asked stands before it. The search is Wing &
 * Gong's with Lowe's memory of what was tried, as in Porcupine. It believes nothing that the cluster
 * says of its order.
 *
 * H1. Nobody knows the end of an operation without an answer: it may stand anywhere after it was asked,
 *     or nowhere.
 */
import { stateAfter, textOf, type KeyOperation, type State } from './register.ts';

export type Verdict =
  | { readonly kind: 'linearizable' }
  /** The longest order that could be found, and what fits nowhere behind it. */
  | { readonly kind: 'violated'; readonly order: readonly KeyOperation[]; readonly left: string }
  /** The search was given up. */
  | { readonly kind: 'undecided' };

/** A key of a few hundred operations takes thousands; some seconds are as much as one is worth. */
const STEPS_MAX = 5_000_000;

/** @param operations of one key, which is not there at first */
export function linearizable(operations: readonly KeyOperation[], stepsMax = STEPS_MAX): Verdict {
  return new Search(
    operations.filter(({ asked, told }) => told !== null || asked.kind !== 'get'),
  ).run(stepsMax);
}

/** How much of an order a complaint shows. */
const SHOWN = 3;

/** Sentences, one for each key whose history is not linearizable, or that could not be decided. */
export function complaints(operations: readonly KeyOperation[]): string[] {
  return [...byKey(operations)].flatMap(([key, ofKey]) => {
    const verdict = linearizable(ofKey);
    if (verdict.kind === 'linearizable') return [];
    if (verdict.kind === 'undecided') return [`key ${key}: no order found in ${STEPS_MAX} steps`];
    const before = verdict.order.slice(-SHOWN).map(textOf).join('; ');
    return [`key ${key}: ${verdict.left}; before it: ${before}`];
  });
}

function byKey(operations: readonly KeyOperation[]): Map<string, KeyOperation[]> {
  const keys = new Map<string, KeyOperation[]>();
  for (const operation of operations) {
    const others = keys.get(operation.key);
    if (others === undefined) keys.set(operation.key, [operation]);
    else others.push(operation);
  }
  return keys;
}

interface Event {
  readonly operation: number;
  readonly isAnswer: boolean;
  readonly at: number;
}

/** Place 0 of the timeline is before all events. */
const START = 0;

class Search {
  readonly #operations: readonly KeyOperation[];
  /** All questions and answers in their order, as a list from which pairs are taken and put back. */
  readonly #events: readonly Event[];
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  /** By operation: the places of its question and, or 0, its answer. */
  readonly #questions: Int32Array;
  readonly #answers: Int32Array;
  #answersLeft = 0;
  readonly #placed: Uint16Array;
  readonly #tried = new Set<string>();
  #order: { readonly operation: number; readonly before: State }[] = [];
  #longest: readonly number[] = [];
  #left = '';

  constructor(operations: readonly KeyOperation[]) {
    this.#operations = operations;
    this.#placed = new Uint16Array(Math.ceil(operations.length / 16));
    this.#events = eventsOf(operations);
    const places = this.#events.length + 1;
    this.#next = Int32Array.from({ length: places }, (_, at) => at + 1);
    this.#previous = Int32Array.from({ length: places + 1 }, (_, at) => at - 1);
    this.#questions = new Int32Array(operations.length);
    this.#answers = new Int32Array(operations.length);
    for (const [at, { operation, isAnswer }] of this.#events.entries()) {
      (isAnswer ? this.#answers : this.#questions)[operation] = at + 1;
      if (isAnswer) this.#answersLeft++;
    }
  }

  run(stepsMax: number): Verdict {
    let state: State = null;
    let at = this.#next[START]!;
    for (let step = 0; step < stepsMax; step++) {
      if (this.#answersLeft === 0) return { kind: 'linearizable' };
      const { operation, isAnswer } = this.#events[at - 1]!;
      if (isAnswer) {
        this.#note(operation, state);
        const last = this.#order.pop();
        if (last === undefined) return this.#violated();
        this.#putBack(last.operation);
        state = last.before;
        at = this.#next[this.#questions[last.operation]!]!;
        continue;
      }
      const after = stateAfter(state, this.#operations[operation]!);
      if (after !== undefined && this.#isNew(operation, after)) {
        this.#take(operation);
        this.#order.push({ operation, before: state });
        state = after;
        at = this.#next[START]!;
      } else at = this.#next[at]!;
    }
    return { kind: 'undecided' };
  }

  /** Whether the same operations in another order have not yet led to the same state. */
  #isNew(operation: number, after: State): boolean {
    const word = operation >> 4;
    const before = this.#placed[word]!;
    this.#placed[word] = before | (1 << (operation & 15));
    const key = `${String.fromCharCode(...this.#placed)}${after}`;
    this.#placed[word] = before;
    if (this.#tried.has(key)) return false;
    this.#tried.add(key);
    return true;
  }

  #take(operation: number): void {
    this.#placed[operation >> 4]! |= 1 << (operation & 15);
    this.#unlink(this.#questions[operation]!);
    if (this.#answers[operation] === START) return;
    this.#unlink(this.#answers[operation]!);
    this.#answersLeft--;
  }

  #putBack(operation: number): void {
    this.#placed[operation >> 4]! &= ~(1 << (operation & 15));
    if (this.#answers[operation] !== START) {
      this.#link(this.#answers[operation]!);
      this.#answersLeft++;
    }
    this.#link(this.#questions[operation]!);
  }

  #unlink(at: number): void {
    this.#next[this.#previous[at]!] = this.#next[at]!;
    this.#previous[this.#next[at]!] = this.#previous[at]!;
  }

  #link(at: number): void {
    this.#next[this.#previous[at]!] = at;
    this.#previous[this.#next[at]!] = at;
  }

  #note(operation: number, state: State): void {
    if (this.#left !== '' && this.#order.length <= this.#longest.length) return;
    this.#longest = this.#order.map((each) => each.operation);
    this.#left = `${textOf(this.#operations[operation]!)} fits nowhere where the value is ${state}`;
  }

  #violated(): Verdict {
    const order = this.#longest.map((operation) => this.#operations[operation]!);
    return { kind: 'violated', order, left: this.#left };
  }
}

/** Of one moment, questions come first: what cannot be told apart may have overlapped. */
function eventsOf(operations: readonly KeyOperation[]): Event[] {
  const events = operations.flatMap(({ askedAt, answeredAt, told }, operation): Event[] => [
    { operation, isAnswer: false, at: askedAt },
    ...(told === null ? [] : [{ operation, isAnswer: true, at: answeredAt }]),
  ]);
  return events.toSorted((a, b) => a.at - b.at || Number(a.isAnswer) - Number(b.isAnswer));
}
