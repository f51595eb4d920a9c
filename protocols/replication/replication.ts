/**
 * The replication machine (rules D1–D5, and T1, T3, C1 where they touch data): it streams this
 * node's own lane, stores and serves those of its peers, keeps the marks of all, tells consensus
 * what a quorum holds and execution what is final. Its parts decide; this file says which part an
 * input is for, and what follows from any input.
 *
 * I78. Everything that speaks of a batch leaves through `effects`, never through `immediate` (P1).
 * I79. What the log gives back after a crash is what was durable: the same own lane, the same chain
 *      of each lane, the same final blocks in the same order.
 */
import {
  InvariantViolation,
  newOutput,
  unreachable,
  type LogEvent,
  type Machine,
  type Output,
  type RecoveryRead,
} from '../machine.ts';
import type { Effect, PeerMessage, ReplicationInput } from '../messages.ts';
import { faultyMax } from '../quorum.ts';
import type { ReplicationStatus } from '../status.ts';
import type { Executed, Millis, Tip, ValidatorIndex } from '../types.ts';
import { Board } from './board.ts';
import { Checkpoints } from './checkpoints.ts';
import { Cuts } from './cuts.ts';
import { fault } from './effects.ts';
import { settledToEvent } from './events.ts';
import { Feed, FEED_TAG } from './feed.ts';
import { FETCH_TIMER, Fetcher, type Need } from './fetch.ts';
import { FINAL_TAG, FINAL_TIMER, FinalQueue } from './final-queue.ts';
import { Hearsay } from './hearsay.ts';
import { Intake } from './intake.ts';
import { Lane } from './lane.ts';
import { Recovery } from './recovery.ts';
import { FEED_TIMER } from './replay.ts';
import { MARKS_TIMER, Reporter } from './reporter.ts';
import { SERVE_TAG, Server } from './serve.ts';
import { BRANCH_BATCHES_MAX, branchBytesMax, type Setting } from './setting.ts';
import type { Branch } from './walk.ts';

const REPEAT_TIMER = 'repeat';
/** T3: how often what is not final is said again. */
const REPEAT_MS = 500;
/** How many heights lie between two notes of how far all is stored. */
const SETTLED_EVERY = 64;
/** Within this many blocks of the newest, every executed checkpoint is reported at once. */
const CLOSE_BEHIND = 256;

export class ReplicationMachine implements Machine<ReplicationInput, Effect, ReplicationStatus> {
  readonly #setting: Setting;
  readonly #lanes: readonly Lane[];
  readonly #board: Board;
  readonly #checkpoints: Checkpoints;
  readonly #final: FinalQueue;
  readonly #cuts: Cuts;
  readonly #fetcher: Fetcher;
  readonly #intake: Intake;
  readonly #reporter: Reporter;
  readonly #hearsay: Hearsay;
  readonly #server: Server;
  readonly #feed: Feed;
  #recovery: Recovery | null;
  #settledPosition = 0;

  constructor(setting: Setting) {
    const { n, quorum } = setting.cluster;
    this.#setting = setting;
    this.#lanes = Array.from({ length: n }, (_, lane) => new Lane(lane));
    this.#board = new Board(n, quorum);
    this.#feed = new Feed(setting);
    const { backlog } = this.#feed;
    this.#cuts = new Cuts(setting.cluster, { backlog, board: this.#board });
    this.#checkpoints = new Checkpoints(n, quorum);
    this.#final = new FinalQueue(setting);
    this.#fetcher = new Fetcher(setting, this.#board);
    this.#server = new Server(setting);
    const parts = { lanes: this.#lanes, board: this.#board };
    this.#intake = new Intake(setting, { ...parts, fetcher: this.#fetcher, final: this.#final });
    const checkpoints = this.#checkpoints;
    this.#reporter = new Reporter(setting, { ...parts, checkpoints, backlog });
    this.#hearsay = new Hearsay(setting, { ...parts, checkpoints, reporter: this.#reporter });
    this.#recovery = new Recovery(setting, this.#lanes);
  }

  nextRecovery(): RecoveryRead | null {
    const read = this.#recovery?.next() ?? null;
    if (read === null) this.#recovered();
    return read;
  }

  recover(event: LogEvent): void {
    this.#recovery?.read(event);
  }

  step(input: ReplicationInput, now: Millis): Output<Effect> {
    this.#recovered();
    const out = newOutput<Effect>();
    this.#handle(input, now, out);
    this.#settle(out);
    this.#follow(now, out.effects);
    return out;
  }

  status(): ReplicationStatus {
    const lanes = this.#lanes.map(
      (lane) => lane.bytes + lane.ahead.bytes + this.#fetcher.bytes(lane.index),
    );
    const accused = this.#lanes.filter(({ log }) => log.evidenceCount > 0);
    return {
      tips: this.#lanes.map((lane) => lane.tip),
      pendingBytes: lanes.reduce((sum, bytes) => sum + bytes, this.#feed.bytes),
      ownLaneBytes: this.#own.bytesAbove(this.#ownFinalSeq),
      fetching: this.#fetcher.active,
      evidence: accused.reduce((sum, { log }) => sum + log.evidenceCount, 0),
      accused: accused.map(({ index }) => index),
    };
  }

  get #own(): Lane {
    return this.#lanes[this.#setting.self]!;
  }

  get #ownFinalSeq(): number {
    return this.#final.cut[this.#setting.self]!.seq;
  }

  #recovered(): void {
    const recovery = this.#recovery;
    if (recovery === null) return;
    this.#recovery = null;
    recovery.finish();
    this.#final.restore(recovery.settled, recovery.newest, recovery.cut);
    this.#feed.restore(recovery.settled, recovery.newest?.height ?? 0, this.#own.tip);
    this.#settledPosition = recovery.settledPosition;
  }

  #handle(input: ReplicationInput, now: Millis, out: Output<Effect>): void {
    switch (input.kind) {
      case 'started':
        return this.#repeatMarks(now, true, out.effects);
      case 'sealBatch':
        return this.#intake.seal(input.payload, input.txCount, out);
      case 'peerMessage':
        return this.#peerMessage(input.from, input.message, input.body, now, out);
      case 'holdCut':
        return this.#cuts.watch(input, this.#lanes);
      case 'finalised':
        this.#cuts.decided(input.block.height);
        return this.#final.add({ block: input.block, digest: input.digest });
      case 'showTips':
        return this.#hearsay.show(input.leader, input.lanes, out.effects);
      case 'executeFrom':
        return this.#feed.begin(input.height, input.cut);
      case 'executedTo':
        return this.#feed.executedTo(input.height);
      case 'checkpointExecuted':
        return this.#checkpointExecuted(input.executed, out.effects);
      case 'timer':
        return this.#timer(input.timer, now, out.effects);
      case 'logRead':
        return this.#logRead(input.tag, input.events, now, out.effects);
      case 'peerConnected':
        return this.#peerConnected(input.peer, now, out.effects);
      case 'peerDisconnected':
        this.#fetcher.peerDown(input.peer);
        return this.#server.peerDown(input.peer);
      case 'logFound': {
        const events = input.event === null ? [] : [input.event];
        return this.#logRead(input.tag, events, now, out.effects);
      }
      case 'drain':
      case 'snapshotKept':
        return;
      default:
        return unreachable(input);
    }
  }

  #peerMessage(
    from: ValidatorIndex,
    message: PeerMessage,
    body: Uint8Array | undefined,
    now: Millis,
    out: Output<Effect>,
  ): void {
    switch (message.kind) {
      case 'batch':
        return this.#intake.receive(from, message.header, body, now, out);
      case 'marks':
        return this.#hearsay.reported(from, message.marks, out.effects);
      case 'tipsShown':
        return this.#hearsay.shown(from, message.marks, out.effects);
      case 'fetchBatches': {
        const lane = this.#lanes[message.lane];
        if (lane === undefined) return fault(out.effects, from, 'fetch_malformed', 'no such lane');
        return this.#server.range(from, lane, message.fromSeq, message.toSeq, now, out.effects);
      }
      case 'fetchBatch': {
        const lane = this.#lanes[message.lane];
        if (lane === undefined) return fault(out.effects, from, 'fetch_malformed', 'no such lane');
        return this.#server.single(from, lane, message.seq, message.digest, now, out.effects);
      }
      default:
        return fault(out.effects, from, 'misrouted', `${message.kind} is not for replication`);
    }
  }

  #checkpointExecuted(executed: Executed, out: Effect[]): void {
    if (!this.#reporter.checkpoint(executed)) return;
    this.#checkpoints.report(this.#setting.self, executed);
    // Marks name one checkpoint: each has to be seen by all, or no quorum is seen to agree on any.
    if (this.#feed.behind < CLOSE_BEHIND) this.#reporter.sendMarks(out);
  }

  #timer(timer: string, now: Millis, out: Effect[]): void {
    if (timer === MARKS_TIMER) this.#reporter.timer();
    else if (timer === FETCH_TIMER) this.#fetcher.timer();
    else if (timer === FINAL_TIMER) this.#final.timer();
    else if (timer === FEED_TIMER) this.#feed.timer();
    else if (timer === REPEAT_TIMER) this.#repeatMarks(now, this.#unfinished(), out);
  }

  #logRead(tag: string, events: readonly LogEvent[], now: Millis, out: Effect[]): void {
    if (tag === FINAL_TAG) this.#final.logRead(events, now, out);
    else if (tag.startsWith(`${FEED_TAG}/`)) this.#feed.logRead(tag, events, now, out);
    else if (tag.startsWith(`${SERVE_TAG}/`)) {
      this.#server.logRead(Number(tag.slice(SERVE_TAG.length + 1)), events, now, out);
    }
  }

  #peerConnected(peer: ValidatorIndex, now: Millis, out: Effect[]): void {
    this.#fetcher.peerUp(peer, now);
    out.push({ kind: 'send', to: peer, message: { kind: 'marks', marks: this.#reporter.marks() } });
  }

  /** T3. */
  #repeatMarks(now: Millis, isDue: boolean, out: Effect[]): void {
    if (isDue) this.#reporter.sendMarks(out);
    out.push({ kind: 'setTimer', timer: REPEAT_TIMER, at: now + REPEAT_MS });
  }

  #unfinished(): boolean {
    return (
      this.#reporter.executedHeight > this.#final.certified ||
      this.#lanes.some((lane) => lane.tip.seq !== this.#final.cut[lane.index]!.seq)
    );
  }

  /** Settles final blocks, in height order, as far as every lane holds their tips. */
  #settle(out: Output<Effect>): void {
    for (let next = this.#final.next; next !== undefined; next = this.#final.next) {
      if (this.#final.missing(this.#own) !== null) throw ownBatchLost(next.block.height);
      if (this.#lanes.some((lane) => this.#final.missing(lane) !== null)) return;
      const { cut } = next.block;
      const settled = this.#lanes.map((lane) => lane.settle(cut[lane.index]!));
      this.#final.shift();
      this.#feed.offer(
        next,
        settled.map((each) => each.batches),
      );
      this.#noteSettled(next.block.height, cut, out);
      for (const lane of this.#lanes) {
        this.#board.settled(lane, settled[lane.index]!);
        this.#intake.drain(lane, out);
      }
    }
  }

  #noteSettled(height: number, cut: readonly Tip[], out: Output<Effect>): void {
    if (height % SETTLED_EVERY !== 0) return;
    const forks = this.#lanes.map((lane) => lane.firstFork);
    out.deferred.push(settledToEvent(this.#settledPosition++, { height, cut, forks }));
  }

  /** What follows from any input: answers, reports, requests, and blocks for execution. */
  #follow(now: Millis, out: Effect[]): void {
    for (const block of this.#cuts.takeHeld()) {
      out.push({ kind: 'tell', to: 'consensus', message: { kind: 'cutHeld', block } });
    }
    this.#final.poll(out);
    this.#reporter.poll(this.#ownFinalSeq, now, out);
    this.#fetcher.poll(this.#lanes, (lane) => this.#need(lane), now, out);
    this.#feed.poll(out);
  }

  #need(lane: Lane): Need | null {
    const { self, cluster } = this.#setting;
    if (lane.index === self) return null;
    const faulty = faultyMax(cluster.n);
    const final = this.#final.missing(lane);
    const cut = this.#proposed(lane);
    const named = final === null ? cut : { tip: final, by: null };
    const reported = this.#board.unheld(lane, faulty + 1);
    const claimed = this.#board.claimedByOthers(lane.index, self, faulty);
    const reach = Math.max(claimed, this.#final.reach(lane.index), cut?.tip.seq ?? -1);
    const to = lane.bytes < branchBytesMax(cluster) ? Math.min(reach, lane.reach) : -1;
    if (named === null && reported === null && to <= lane.tip.seq) return null;
    return { to, named, reported, urgent: cut !== null };
  }

  /** What a proposed cut names. Each leader may have one branch fetched on its own word alone (I74). */
  #proposed(lane: Lane): Branch | null {
    const cut = this.#cuts.missing(lane);
    if (cut === null || cut.by === null) return cut;
    const { bytes, batches } = lane.forkedBy(cut.by);
    const full = bytes >= branchBytesMax(this.#setting.cluster) || batches >= BRANCH_BATCHES_MAX;
    return full ? null : cut;
  }
}

function ownBatchLost(height: number): InvariantViolation {
  return new InvariantViolation(
    'own_batch_lost',
    `final block ${height} names a batch of our own lane that our log does not have: this log is not ` +
      'the newest one of this validator, whose key must not sign again (rule P3)',
  );
}
