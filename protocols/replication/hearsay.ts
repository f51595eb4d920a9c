/**
 * Marks of other validators: as they report themselves, and as they are shown to a leader that did
 * not propose what a quorum holds (rule T1).
 *
 * I76. Marks on their signer's own channel count without a check of the signature. Before they are
 *      shown to anybody they are checked, and so are marks that a third validator shows.
 * I77. A validator whose marks once failed that check counts again only with marks that pass it:
 *      what a quorum reports here can be shown to the leader.
 */
import type { Effect } from '../messages.ts';
import { marksBytes } from '../structures.ts';
import type { Marks, ValidatorIndex } from '../types.ts';
import type { Board } from './board.ts';
import type { Checkpoints } from './checkpoints.ts';
import { fault } from './effects.ts';
import type { Lane } from './lane.ts';
import type { Reporter } from './reporter.ts';
import type { Setting } from './setting.ts';

interface Parts {
  readonly lanes: readonly Lane[];
  readonly board: Board;
  readonly checkpoints: Checkpoints;
  readonly reporter: Reporter;
}

export class Hearsay {
  readonly #setting: Setting;
  readonly #parts: Parts;
  readonly #distrusted = new Set<ValidatorIndex>();

  constructor(setting: Setting, parts: Parts) {
    this.#setting = setting;
    this.#parts = parts;
  }

  reported(from: ValidatorIndex, marks: Marks, out: Effect[]): void {
    if (!this.#wellFormed(marks) || marks.validator !== from) {
      return fault(out, from, 'marks_malformed', 'not the sender’s own marks of this epoch');
    }
    if (this.#distrusted.has(from)) {
      if (!this.#signed(marks)) return fault(out, from, 'marks_signature', 'wrong signature');
      this.#distrusted.delete(from);
    }
    this.#count(marks);
  }

  /** A validator shows us, the leader, what others report: one message, one check for each of them. */
  shown(from: ValidatorIndex, shown: readonly Marks[], out: Effect[]): void {
    const validators = new Set(shown.map(({ validator }) => validator));
    if (validators.size < shown.length || !shown.every((marks) => this.#wellFormed(marks))) {
      return fault(out, from, 'tips_shown_malformed', 'not one set of marks a validator');
    }
    for (const marks of shown) {
      if (marks.validator === this.#setting.self || !this.#parts.board.isNews(marks)) continue;
      if (!this.#signed(marks)) {
        return fault(out, from, 'tips_shown_signature', `marks of validator ${marks.validator}`);
      }
      this.#distrusted.delete(marks.validator);
      this.#count(marks);
    }
  }

  /** Sends the leader the marks of a quorum behind the reported tips of these lanes. */
  show(leader: ValidatorIndex, lanes: readonly ValidatorIndex[], out: Effect[]): void {
    const { self, cluster } = this.#setting;
    if (leader === self) return;
    const chosen = new Map<ValidatorIndex, Marks>();
    for (const lane of lanes) {
      const seq = this.#parts.reporter.reportedTip(lane)?.seq;
      if (seq === undefined || seq < 0) continue;
      const behind = this.#provable(lane, seq, out);
      for (const marks of behind.slice(0, cluster.quorum)) chosen.set(marks.validator, marks);
    }
    if (chosen.size === 0) return;
    const message = { kind: 'tipsShown', marks: [...chosen.values()] } as const;
    out.push({ kind: 'send', to: leader, message });
  }

  #provable(lane: ValidatorIndex, seq: number, out: Effect[]): Marks[] {
    const { self } = this.#setting;
    const { board, reporter, lanes } = this.#parts;
    const provable: Marks[] = [];
    for (const validator of board.support(lanes[lane]!).validators) {
      const marks = validator === self ? reporter.marks() : board.latest(validator);
      if (marks === null || marks.tips[lane]!.seq < seq) continue;
      if (validator === self || this.#signed(marks)) provable.push(marks);
      else this.#distrust(validator, out);
    }
    return provable;
  }

  #distrust(validator: ValidatorIndex, out: Effect[]): void {
    this.#distrusted.add(validator);
    this.#parts.board.forget(validator, this.#parts.lanes);
    fault(out, validator, 'marks_signature', 'its marks prove nothing to others');
  }

  #count(marks: Marks): void {
    this.#parts.board.report(marks, this.#parts.lanes);
    this.#parts.checkpoints.report(marks.validator, marks.executed);
  }

  #wellFormed(marks: Marks): boolean {
    const { n } = this.#setting.cluster;
    return marks.epoch === 0 && marks.validator < n && marks.tips.length === n;
  }

  #signed(marks: Marks): boolean {
    const { cluster, crypto } = this.#setting;
    const key = cluster.genesis.validators[marks.validator]!.publicKey;
    return crypto.verify(key, marksBytes(cluster.id, marks), marks.signature);
  }
}
