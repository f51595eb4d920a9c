/**
 * What this node says of its holdings: signed marks to all validators (D2), the tips that a quorum
 * reports to consensus, and the room in its own lane to transaction (D4).
 *
 * I75. Marks, like everything else that speaks of a batch, leave as effects of a step not earlier
 *      than the one that stored it: after it is durable (P1).
 *
 * Marks are cumulative. The first few after a pause leave with the batch they cover; under load one
 * leaves every few milliseconds and covers all that was stored meanwhile.
 */
import { EXECUTED_NOTHING } from '../chain.ts';
import type { Effect } from '../messages.ts';
import { marksBytes } from '../structures.ts';
import type { Executed, Marks, Millis, Tip, ValidatorIndex } from '../types.ts';
import type { Board } from './board.ts';
import type { Backlog } from './backlog.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { Lane } from './lane.ts';
import { OWN_BATCHES_MAX, type Setting } from './setting.ts';

export const MARKS_TIMER = 'marks';
const MARKS_EVERY_MS = 4;
const MARKS_BURST = 4;

interface Report {
  readonly tips: readonly Tip[];
  readonly bases: readonly number[];
  readonly support: readonly (readonly ValidatorIndex[])[];
  readonly executed: Executed | null;
}

export class Reporter {
  readonly #setting: Setting;
  readonly #lanes: readonly Lane[];
  readonly #board: Board;
  readonly #checkpoints: Checkpoints;
  readonly #backlog: Backlog;
  #executed: Executed = EXECUTED_NOTHING;
  #signed: Marks | null = null;
  #sent: Marks | null = null;
  /** When the next marks may leave, were there no burst. */
  #paceAt: Millis = 0;
  #timerSet = false;
  #report: Report | null = null;
  #room = -1;

  constructor(
    setting: Setting,
    parts: { lanes: readonly Lane[]; board: Board; checkpoints: Checkpoints; backlog: Backlog },
  ) {
    this.#setting = setting;
    this.#lanes = parts.lanes;
    this.#board = parts.board;
    this.#checkpoints = parts.checkpoints;
    this.#backlog = parts.backlog;
  }

  /** Height of the newest checkpoint executed here. */
  get executedHeight(): number {
    return this.#executed.height;
  }

  /** Tip of a lane as consensus was last told. */
  reportedTip(lane: ValidatorIndex): Tip | undefined {
    return this.#report?.tips[lane];
  }

  /** True when the checkpoint is newer than the last one. */
  checkpoint(executed: Executed): boolean {
    if (executed.height <= this.#executed.height) return false;
    this.#executed = executed;
    return true;
  }

  /** This node's marks as they are now. */
  marks(): Marks {
    if (this.#signed !== null && this.#covers(this.#signed)) return this.#signed;
    const { cluster, self, signer } = this.#setting;
    const tips = this.#lanes.map((lane) => this.#markable(lane));
    const content = { epoch: 0, validator: self, tips, executed: this.#executed };
    this.#signed = { ...content, signature: signer.sign(marksBytes(cluster.id, content)) };
    return this.#signed;
  }

  /** Sends the marks to all at once, whether or not they changed. */
  sendMarks(out: Effect[]): void {
    this.#sent = this.marks();
    out.push({ kind: 'broadcast', message: { kind: 'marks', marks: this.#sent } });
  }

  timer(): void {
    this.#timerSet = false;
  }

  /** Says what has changed. `finalSeq`: the own lane's tip in the newest final block. */
  poll(finalSeq: number, now: Millis, out: Effect[]): void {
    if (this.#sent === null || !this.#covers(this.#sent)) this.#paceMarks(now, out);
    this.#reportTips(out);
    this.#tellRoom(finalSeq, out);
  }

  #covers(marks: Marks): boolean {
    return (
      marks.executed === this.#executed &&
      this.#lanes.every((lane) => this.#markable(lane).digest === marks.tips[lane.index]!.digest)
    );
  }

  /** The end of the chain; or what was marked before, as long as execution is too far behind (I103). */
  #markable(lane: Lane): Tip {
    const marked = this.#signed?.tips[lane.index];
    if (marked === undefined || !this.#backlog.stopsMarks(lane.index)) return lane.tip;
    return lane.at(marked.seq)?.digest === marked.digest ? marked : lane.base;
  }

  #paceMarks(now: Millis, out: Effect[]): void {
    // A clock that was set back starts the pace anew.
    if (this.#paceAt > now + 2 * MARKS_EVERY_MS) this.#paceAt = now;
    if (this.#paceAt <= now) {
      const earliest = now - MARKS_BURST * MARKS_EVERY_MS;
      this.#paceAt = Math.max(this.#paceAt, earliest) + MARKS_EVERY_MS;
      return this.sendMarks(out);
    }
    if (this.#timerSet) return;
    this.#timerSet = true;
    out.push({ kind: 'setTimer', timer: MARKS_TIMER, at: this.#paceAt });
  }

  #reportTips(out: Effect[]): void {
    for (const lane of this.#lanes) {
      this.#board.marked(lane, this.#setting.self, this.#markable(lane).seq);
    }
    const supports = this.#lanes.map((lane) => this.#board.support(lane));
    const report: Report = {
      tips: supports.map((each) => each.tip),
      bases: this.#lanes.map((lane) => lane.base.seq),
      support: supports.map((each) => each.validators),
      executed: this.#checkpoints.agreed,
    };
    if (this.#report !== null && sameReport(this.#report, report)) return;
    this.#report = report;
    out.push({ kind: 'tell', to: 'consensus', message: { kind: 'tipsReported', ...report } });
  }

  #tellRoom(finalSeq: number, out: Effect[]): void {
    const lane = this.#lanes[this.#setting.self]!;
    const { laneBytesMax } = this.#setting.cluster.genesis.limits;
    const full = lane.tip.seq - finalSeq >= OWN_BATCHES_MAX;
    const bytes = full ? 0 : Math.max(0, laneBytesMax - lane.bytesAbove(finalSeq));
    if (bytes === this.#room) return;
    this.#room = bytes;
    out.push({ kind: 'tell', to: 'transaction', message: { kind: 'laneRoom', bytes } });
  }
}

function sameReport(a: Report, b: Report): boolean {
  return (
    a.executed === b.executed &&
    a.tips.every((tip, lane) => tip.digest === b.tips[lane]!.digest) &&
    sameList(a.bases, b.bases) &&
    a.support.every((validators, lane) => sameList(validators, b.support[lane]!))
  );
}

function sameList(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((each, at) => each === b[at]);
}
