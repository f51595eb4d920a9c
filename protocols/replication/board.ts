/**
 * What every validator reports to hold (rule D2): Raft's matchIndex, one per lane and validator.
 *
 * I63. A validator supports a batch only by a mark that names it or a held batch above it on its
 *      branch; marks that do not link yet wait, a bounded number of them.
 * I64. Support never goes back, however marks are delayed or repeated, unless the chain itself
 *      changes its branch.
 * I96. Where the lane's owner gave others another branch than this node, theirs is fetched once so many
 *      report it that one of them is honest, and once it is held their marks support it: an owner cannot
 *      keep a leader from proposing what a quorum reports.
 *
 * Claims, which link to nothing, only say whom to ask for a batch.
 */
import type { Digest, Marks, Tip, ValidatorIndex } from '../types.ts';
import type { Lane, Settled } from './lane.ts';

/** Marks of one validator for one lane that name nothing on the own chain. */
const WAITING_MAX = 32;

interface Row {
  /** Highest seq of the own chain that the validator is known to hold. */
  linked: number;
  /** Highest seq that it said to hold. */
  claimed: number;
  /** Tips above the own chain, or on another branch above the base, ascending. */
  waiting: Tip[];
}

/** A fork, and who holds it by a mark on it or above it. */
interface Reported {
  readonly tip: Tip;
  readonly validators: Set<ValidatorIndex>;
}

/** The forks of one lane that any validator reports. Each is counted once for each validator. */
interface Forks {
  readonly reported: Map<Digest, Reported>;
  /** The highest that a quorum reports. */
  best: Reported | null;
}

export interface Support {
  readonly tip: Tip;
  readonly validators: readonly ValidatorIndex[];
}

export class Board {
  readonly #quorum: number;
  readonly #rows: Row[][];
  readonly #forks: Forks[];
  readonly #latest: (Marks | null)[];

  constructor(n: number, quorum: number) {
    const validators = Array.from({ length: n });
    this.#quorum = quorum;
    this.#rows = validators.map(() => validators.map(emptyRow));
    this.#forks = validators.map(noForks);
    this.#latest = validators.map(() => null);
  }

  /** The newest signed marks of a validator. */
  latest(validator: ValidatorIndex): Marks | null {
    return this.#latest[validator] ?? null;
  }

  claimed(lane: ValidatorIndex, validator: ValidatorIndex): number {
    return this.#row(lane, validator).claimed;
  }

  /** Whether these marks claim anything that the validator did not claim before. */
  isNews(marks: Marks): boolean {
    return (
      marks.executed.height > (this.latest(marks.validator)?.executed.height ?? -1) ||
      marks.tips.some((tip, lane) => tip.seq > this.claimed(lane, marks.validator))
    );
  }

  report(marks: Marks, lanes: readonly Lane[]): void {
    if (this.#latest[marks.validator] === null || this.isNews(marks)) {
      this.#latest[marks.validator] = marks;
    }
    for (const lane of lanes) this.#note(lane, marks.validator, marks.tips[lane.index]!);
  }

  /** The chain of `lane` grew. */
  grew(lane: Lane): void {
    for (const row of this.#rows[lane.index]!) link(row, lane);
  }

  /** This node (`self`) marks the chain of `lane` up to `seq`. */
  marked(lane: Lane, self: ValidatorIndex, seq: number): void {
    const row = this.#row(lane.index, self);
    row.linked = row.claimed = seq;
  }

  /** Forks of `lane` were stored: marks that wait for them count. */
  forked(lane: Lane): void {
    this.#rows[lane.index]!.forEach(({ waiting }, validator) => {
      for (const tip of waiting) if (lane.holds(tip)) this.#credit(lane, validator, tip);
    });
  }

  /** The base of `lane` has moved. */
  settled(lane: Lane, { switched, dropped }: Settled): void {
    if (switched) return this.#switched(lane);
    const forks = this.#forks[lane.index]!;
    for (const digest of dropped) forks.reported.delete(digest);
    if (forks.best !== null && !lane.holds(forks.best.tip)) this.#recount(lane);
  }

  /** The chain of `lane` follows another branch now: support is what the newest marks say of it. */
  #switched(lane: Lane): void {
    this.#rows[lane.index]!.forEach((row, validator) => {
      row.linked = Math.min(row.linked, lane.base.seq);
      const latest = this.latest(validator);
      if (latest !== null) this.#note(lane, validator, latest.tips[lane.index]!);
    });
    this.grew(lane);
    this.#recount(lane);
  }

  /** Nothing that this validator said counts any more. */
  forget(validator: ValidatorIndex, lanes: readonly Lane[]): void {
    this.#latest[validator] = null;
    for (const lane of lanes) {
      this.#rows[lane.index]![validator] = emptyRow();
      this.#recount(lane);
    }
  }

  /** The highest held tip that a quorum holds, and who holds it. */
  support(lane: Lane): Support {
    const rows = this.#rows[lane.index]!;
    const linked = rows.map((row) => row.linked).sort((a, b) => b - a);
    const seq = Math.min(Math.max(linked[this.#quorum - 1]!, lane.base.seq), lane.tip.seq);
    const { best } = this.#forks[lane.index]!;
    if (best !== null && best.tip.seq > seq) {
      return { tip: best.tip, validators: [...best.validators].sort((a, b) => a - b) };
    }
    const digest = lane.at(seq)?.digest ?? lane.base.digest;
    return { tip: { seq, digest }, validators: whichOf(rows, (row) => row.linked >= seq) };
  }

  #recount(lane: Lane): void {
    this.#forks[lane.index] = noForks();
    this.forked(lane);
  }

  /** The validator holds `tip`, which is held here: so it holds all below, down to the own chain. */
  #credit(lane: Lane, validator: ValidatorIndex, tip: Tip): void {
    const forks = this.#forks[lane.index]!;
    let at = tip;
    while (!onChain(lane, at)) {
      const reported = forks.reported.get(at.digest) ?? { tip: at, validators: new Set() };
      if (reported.validators.has(validator)) return;
      forks.reported.set(at.digest, reported);
      reported.validators.add(validator);
      const isHigher = at.seq > (forks.best?.tip.seq ?? -1);
      if (reported.validators.size >= this.#quorum && isHigher) forks.best = reported;
      at = { seq: at.seq - 1, digest: lane.find(at)!.header.parentDigest };
    }
    const row = this.#row(lane.index, validator);
    row.linked = Math.max(row.linked, at.seq);
  }

  /** The highest tip that is not held and that `count` validators report: all below it exists. */
  unheld(lane: Lane, count: number): Tip | null {
    const rows = this.#rows[lane.index]!.filter(({ waiting }) => waiting.length > 0);
    if (rows.length < count) return null;
    const reporters = new Map<string, number>();
    let highest: Tip | null = null;
    for (const tip of rows.flatMap(({ waiting }) => waiting)) {
      // Under its seq: a liar may name one digest at several.
      const name = `${tip.seq}/${tip.digest}`;
      const reported = (reporters.get(name) ?? 0) + 1;
      reporters.set(name, reported);
      const isHigher = tip.seq > (highest ?? lane.base).seq && tip.seq <= lane.reach;
      if (reported >= count && isHigher && !lane.holds(tip)) highest = tip;
    }
    return highest;
  }

  /** A seq that the owner, or at least one honest validator, says to hold. */
  claimedByOthers(lane: ValidatorIndex, self: ValidatorIndex, faulty: number): number {
    const rows = this.#rows[lane]!;
    const others = rows.filter((_, validator) => validator !== self).map((row) => row.claimed);
    others.sort((a, b) => b - a);
    return Math.max(others[faulty] ?? -1, rows[lane]!.claimed);
  }

  #row(lane: ValidatorIndex, validator: ValidatorIndex): Row {
    return this.#rows[lane]![validator]!;
  }

  #note(lane: Lane, validator: ValidatorIndex, tip: Tip): void {
    const row = this.#row(lane.index, validator);
    row.claimed = Math.max(row.claimed, tip.seq);
    if (tip.seq <= row.linked) return;
    if (tip.seq <= lane.tip.seq && onChain(lane, tip)) {
      row.linked = tip.seq;
      return;
    }
    const last = row.waiting.at(-1);
    if (last !== undefined && tip.seq <= last.seq) return;
    row.waiting.push(tip);
    if (row.waiting.length > WAITING_MAX) row.waiting.shift();
    if (lane.holds(tip)) this.#credit(lane, validator, tip);
  }
}

function emptyRow(): Row {
  return { linked: -1, claimed: -1, waiting: [] };
}

function noForks(): Forks {
  return { reported: new Map(), best: null };
}

/** Below the base everything is final: what is claimed there proves and moves nothing. */
function onChain(lane: Lane, tip: Tip): boolean {
  if (tip.seq < lane.base.seq) return true;
  const digest = tip.seq === lane.base.seq ? lane.base.digest : lane.at(tip.seq)?.digest;
  return digest === tip.digest;
}

/** Settles the waiting tips that the chain has reached; those of another branch stay. */
function link(row: Row, lane: Lane): void {
  if (row.waiting.length === 0) return;
  for (const tip of row.waiting) {
    if (tip.seq > lane.tip.seq) break;
    if (tip.seq > row.linked && onChain(lane, tip)) row.linked = tip.seq;
  }
  const settled = Math.max(row.linked, lane.base.seq);
  row.waiting = row.waiting.filter((tip) => tip.seq > settled);
}

function whichOf<T>(values: readonly T[], is: (value: T) => boolean): ValidatorIndex[] {
  return values.flatMap((value, validator) => (is(value) ? [validator] : []));
}
