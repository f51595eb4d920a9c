/**
 * The consensus machine: stable-leader two-phase agreement with timeout certificates. This file
 * only dispatches; the rules stand beside it, one file per idea, and the proof in docs/proof.md.
 */
import { isBlockSigned, leaderOf } from '../certificates.ts';
import {
  InvariantViolation,
  newOutput,
  unreachable,
  type LogEvent,
  type Machine,
  type Output,
  type RecoveryRead,
} from '../machine.ts';
import type { ConsensusInput, Effect, PeerMessage } from '../messages.ts';
import type { ConsensusStatus } from '../status.ts';
import { blockDigest } from '../structures.ts';
import type { Block, ValidatorIndex } from '../types.ts';
import { blocksReceived, CATCH_UP_TIMER, retryCatchUp, want } from './catch-up.ts';
import { clockMoved } from './clock.ts';
import { checkpointExecuted, finalise } from './finality.ts';
import { PROPOSE_TIMER, tryPropose } from './proposing.ts';
import { Recovery } from './recovery.ts';
import { RESEND_TIMER, sayAgain, sayAgainTo, scheduleResend } from './resend.ts';
import { recordSafety } from './safety-record.ts';
import { chainRead, serveBlock, serveBlocks } from './serving.ts';
import { fault, headAt, newState, type ConsensusOptions, type State } from './state.ts';
import {
  abandonTerm,
  checkDue,
  enterTerm,
  ENTERED_TIMER,
  handOverSeen,
  isInFlight,
  showWaitingLanes,
  timeoutsCertified,
  trackLanes,
  tryHandOver,
  watchLanes,
} from './terms.ts';
import { isFirst, isJustified, isLeader, learnCertificate, tryPrepare } from './voting-rules.ts';

const DUE_TIMER = 'due';
/** How often what is due is looked at, at least. */
const DUE_MS_MAX = 100;
const TERMS_AHEAD_MAX = 1024;
/** Voters keep to UNDECIDED_MAX: whoever sees blocks further up has to catch up first. */
const HEIGHTS_AHEAD_MAX = 1024;

export type { ConsensusOptions } from './state.ts';

export class ConsensusMachine implements Machine<ConsensusInput, Effect, ConsensusStatus> {
  readonly #state: State;
  readonly #recovery: Recovery;

  constructor(options: ConsensusOptions) {
    this.#state = newState(options);
    this.#recovery = new Recovery(this.#state);
  }

  nextRecovery(): RecoveryRead | null {
    return this.#recovery.next();
  }

  recover(event: LogEvent): void {
    this.#recovery.read(event);
  }

  status(): ConsensusStatus {
    const state = this.#state;
    const { safety } = state;
    const term = Math.max(0, safety.term);
    const leads = leaderOf(state.options.cluster, term) === state.options.self;
    const isOut = safety.abandoned || safety.term < 0 || state.due.isAlone;
    return {
      epoch: 0,
      term,
      state: isOut ? 'CANDIDATE' : leads ? 'LEADER' : 'FOLLOWER',
      leader: leaderOf(state.options.cluster, term),
      preparedHeight: Math.max(safety.highest?.height ?? 0, state.final.height),
      finalHeight: state.final.height,
      finalDigest: state.final.digest,
      knownFinalHeight: Math.max(state.knownHeight, state.final.height),
      certifiedHeight: state.final.executed.height,
      timeoutMs: state.due.timeoutMs(),
      baseTimeoutMs: state.due.baseTimeoutMs(),
      elections: state.elections,
      blocksKept: state.tree.size,
      finalAtMs: state.finalAt,
      draining: state.draining,
      drained: state.draining && this.#hasLetGo() && !isInFlight(state),
    };
  }

  #hasLetGo(): boolean {
    const { cluster } = this.#state.options;
    return cluster.n === 1 || !isLeader(this.#state) || this.#state.safety.abandoned;
  }

  step(input: ConsensusInput, now: number): Output<Effect> {
    const state = this.#state;
    state.out = newOutput();
    clockMoved(state, now);
    this.#take(input);
    if (input.kind !== 'started' && state.safety.term < 0) return state.out;
    tryPropose(state);
    tryPrepare(state);
    tryHandOver(state);
    recordSafety(state);
    return state.out;
  }

  #take(input: ConsensusInput): void {
    const state = this.#state;
    switch (input.kind) {
      case 'started':
        return this.#started();
      case 'peerMessage':
        return this.#peerMessage(input.from, input.message);
      case 'prepareCertified':
        state.lastVoted = input.lastVoted;
        return learnCertificate(state, input.certificate);
      case 'commitCertified':
        return finalise(state, input.certificate);
      case 'timeoutCertified':
        return timeoutsCertified(state, input.certificate);
      case 'timeoutsJoined':
        if (input.term === state.safety.term) abandonTerm(state, null);
        return;
      case 'handOverSeen':
        return handOverSeen(state, input.from, input.handOver);
      case 'tipsReported':
        state.reported = input;
        return watchLanes(state);
      case 'cutHeld':
        return state.tree.markHeld(input.block);
      case 'checkpointExecuted':
        return checkpointExecuted(state, input.executed);
      case 'timer':
        return this.#timer(input.timer);
      case 'logRead':
        return chainRead(state, input.tag, input.events);
      case 'peerConnected':
        return this.#connected(input.peer);
      case 'peerDisconnected':
        return this.#disconnected(input.peer);
      case 'drain':
        state.draining = true;
        return;
      case 'logFound':
      case 'snapshotKept':
        return;
      default:
        return unreachable(input);
    }
  }

  #started(): void {
    const state = this.#state;
    const { safety, options } = state;
    const isRestart = safety.term >= 0;
    if (isRestart) this.#resume();
    else enterTerm(state, 0, null);
    this.#countConnected();
    const height = state.final.height;
    state.out.effects.push({ kind: 'tell', to: 'voting', message: { kind: 'finalTo', height } });
    for (const vote of safety.undecided) {
      state.out.effects.push({ kind: 'tell', to: 'voting', message: { kind: 'ownVote', vote } });
    }
    // A restarted leader never proposes in a term that it entered before: it lets go at once (P2).
    const leads = leaderOf(options.cluster, safety.term) === options.self;
    if (isRestart && leads) abandonTerm(state, null);
    scheduleResend(state);
    this.#scheduleDue();
  }

  #resume(): void {
    const state = this.#state;
    const { safety } = state;
    state.due.restart(state.now, true);
    trackLanes(state);
    const { term } = safety;
    state.out.effects.push({
      kind: 'tell',
      to: 'voting',
      message: { kind: 'termEntered', epoch: 0, term },
    });
    if (safety.abandoned && safety.ownTimeout !== null) {
      const { timeout, highest } = safety.ownTimeout;
      state.out.effects.push({
        kind: 'tell',
        to: 'voting',
        message: { kind: 'ownTimeout', timeout, highest },
      });
    }
  }

  #peerMessage(from: ValidatorIndex, message: PeerMessage): void {
    const state = this.#state;
    switch (message.kind) {
      case 'proposal':
        return this.#proposal(from, message.block);
      case 'handOver':
        return handOverSeen(state, from, message.handOver);
      case 'fetchBlock':
        return serveBlock(state, from, message.digest);
      case 'fetchBlocks':
        return serveBlocks(state, from, message.fromHeight);
      case 'blocks':
        return blocksReceived(state, from, message);
      default:
        return fault(state, from, 'misrouted', message.kind);
    }
  }

  /** From its leader, or from whoever was asked for it: the leader's signature decides, not the channel. */
  #proposal(from: ValidatorIndex, block: Block): void {
    const state = this.#state;
    const { cluster, crypto } = state.options;
    if (block.height <= state.final.height || !this.#isWithinReach(block)) return;
    const digest = blockDigest(crypto, cluster.id, block);
    if (state.tree.has(digest) || !state.tree.isRoomFor(block, digest)) return;
    if (!isBlockSigned(state.verifier, block)) return fault(state, from, 'bad_block_signature');
    if (!isJustified(state, block)) return fault(state, from, 'unjustified_block');
    state.tree.add(block, digest, state.now);
    this.#learnJustify(block);
    if (headAt(state, block.parent) === undefined && block.height > state.final.height + 1) {
      want(state, block.parent, block.height - 1, [{ voter: from }]);
    }
    if (state.pendingCommit !== null) finalise(state, state.pendingCommit);
  }

  #isWithinReach(block: Block): boolean {
    const state = this.#state;
    return (
      block.epoch === 0 &&
      block.cut.length === state.options.cluster.n &&
      block.term <= state.safety.term + TERMS_AHEAD_MAX &&
      (isFirst(block) || block.height <= state.final.height + HEIGHTS_AHEAD_MAX)
    );
  }

  #learnJustify({ justify }: Block): void {
    const state = this.#state;
    if (justify.kind === 'certificate') learnCertificate(state, justify.certificate);
    if (justify.kind === 'timeouts') timeoutsCertified(state, justify.certificate);
  }

  #timer(timer: string): void {
    const state = this.#state;
    if (timer.startsWith(ENTERED_TIMER)) {
      state.proposableTerm = Number(timer.slice(ENTERED_TIMER.length));
      return;
    }
    switch (timer) {
      case PROPOSE_TIMER:
        state.proposeTimerAt = null;
        return;
      case RESEND_TIMER:
        return sayAgain(state);
      case CATCH_UP_TIMER:
        return retryCatchUp(state);
      case DUE_TIMER:
        showWaitingLanes(state);
        checkDue(state);
        return this.#scheduleDue();
      default:
        throw new InvariantViolation('unknown_timer', timer);
    }
  }

  #scheduleDue(): void {
    const { due, now, out, safety } = this.#state;
    const next = safety.abandoned ? now + DUE_MS_MAX : Math.min(due.deadline(), now + DUE_MS_MAX);
    out.effects.push({ kind: 'setTimer', timer: DUE_TIMER, at: Math.max(next, now + 1) });
  }

  #connected(peer: ValidatorIndex): void {
    const state = this.#state;
    state.connected.add(peer);
    this.#countConnected();
    if (leaderOf(state.options.cluster, state.safety.term) === peer) state.due.leaderConnected();
    sayAgainTo(state, peer);
  }

  #countConnected(): void {
    const { due, connected, options, now } = this.#state;
    due.quorumConnected(connected.size + 1 >= options.cluster.quorum, now);
  }

  #disconnected(peer: ValidatorIndex): void {
    const state = this.#state;
    state.connected.delete(peer);
    this.#countConnected();
    if (state.safety.term < 0 || isLeader(state)) return;
    if (leaderOf(state.options.cluster, state.safety.term) === peer) {
      state.due.leaderDisconnected(state.now);
    }
  }
}
