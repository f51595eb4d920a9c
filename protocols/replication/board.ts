/**
 * What every validator reports to hold (rule D2): Raft's matchIndex, one per lane and validator.
 *
 * I63. A validator supports a seq only by a mark that names a digest on this node's own chain at
 *      that seq or above it; marks that do not link yet wait, a bounded number of them.
 * I64. Support never goes back, however marks are delayed or repeated, unless the chain itself
 *      changes its branch.
 * I96. Where the lane's owner gave others another branch than this node, theirs is fetched once so many
 *      report it that one of them is honest, and once it is held their marks support it: an owner cannot
 *      keep a leader from proposing what a quorum reports.
 *
 * Claims, which link to nothing, only say whom to ask for a batch.
 */
import type { Digest, Marks, Tip, ValidatorIndex } from '../types.ts';
import type { Lane } from './lane.ts';

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

export interface Support {
  readonly tip: Tip;
  readonly validators: readonly ValidatorIndex[];
}

export class Board {
  readonly #rows: Row[][];
  readonly #latest: (Marks | null)[];

  constructor(n: number) {
    const validators = Array.from({ length: n });
    this.#rows = validators.map(() => validators.map(emptyRow));
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

  /** The chain of `lane` grew to `tip`, which this node (`self`) holds. */
  grew(lane: Lane, self: ValidatorIndex): void {
    const tip = lane.tip;
    this.#rows[lane.index]!.forEach((row, validator) => {
      if (validator === self) row.linked = row.claimed = tip.seq;
      else link(row, lane);
    });
  }

  /** The chain of `lane` follows another branch now: support is what the newest marks say of it. */
  switched(lane: Lane, self: ValidatorIndex): void {
    this.#rows[lane.index]!.forEach((row, validator) => {
      row.linked = Math.min(row.linked, lane.base.seq);
      const latest = this.latest(validator);
      if (latest !== null) this.#note(lane, validator, latest.tips[lane.index]!);
    });
    this.grew(lane, self);
  }

  /** Nothing that this validator said counts any more. */
  forget(validator: ValidatorIndex): void {
    this.#latest[validator] = null;
    for (const lane of this.#rows) lane[validator] = emptyRow();
  }

  /** The highest held tip that `quorum` validators hold, and who holds it. */
  support(lane: Lane, quorum: number): Support {
    const rows = this.#rows[lane.index]!;
    const linked = rows.map((row) => row.linked).sort((a, b) => b - a);
    const seq = Math.min(Math.max(linked[quorum - 1]!, lane.base.seq), lane.tip.seq);
    const fork = lane.forkBytes === 0 ? null : this.#forkSupport(lane, quorum, seq);
    if (fork !== null) return fork;
    const digest = lane.at(seq)?.digest ?? lane.base.digest;
    return { tip: { seq, digest }, validators: whichOf(rows, (row) => row.linked >= seq) };
  }

  /** The same on other branches, above `seq`. */
  #forkSupport(lane: Lane, quorum: number, seq: number): Support | null {
    const rows = this.#rows[lane.index]!;
    const held = rows.map(({ waiting }) => waiting.filter((tip) => lane.holds(tip)));
    for (const tip of held.flat().sort((a, b) => b.seq - a.seq)) {
      if (tip.seq <= seq) return null;
      const validators = whichOf(held, (tips) => tips.some((top) => lane.leadsThrough(top, tip)));
      if (validators.length >= quorum) return { tip, validators };
    }
    return null;
  }

  /** The highest tip that is not held and that `count` validators report: all below it exists. */
  unheld(lane: Lane, count: number): Tip | null {
    const reporters = new Map<Digest, number>();
    let highest: Tip | null = null;
    for (const { waiting } of this.#rows[lane.index]!) {
      for (const tip of waiting) {
        const reported = (reporters.get(tip.digest) ?? 0) + 1;
        reporters.set(tip.digest, reported);
        const isHigher = tip.seq > (highest ?? lane.base).seq;
        if (reported >= count && isHigher && !lane.holds(tip)) highest = tip;
      }
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
  }
}

function emptyRow(): Row {
  return { linked: -1, claimed: -1, waiting: [] };
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
