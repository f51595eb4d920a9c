/**
 * Leaving a term and entering the next (rules T1, T2, T4).
 *
 * I37. A timeout claims the rank of this node's highest certificate, so at least that of every
 *      commit vote that it cast; it is durable before it is sent, and ends all voting in its term.
 * I38. A term is entered only on a valid timeout certificate of the term before or a later one, or
 *      on a valid certificate of that term itself; never backwards.
 */
import { isHandOverValid, leaderOf } from '../certificates.ts';
import { handOverBytes, timeoutBytes } from '../structures.ts';
import type { HandOver, TimeoutCertificate, ValidatorIndex } from '../types.ts';
import { ZERO_DIGEST } from '../types.ts';
import { fault, record, type State } from './state.ts';
import { isLeader, learnCertificate } from './voting-rules.ts';

/**
 * `entered/<term>` fires once the entry of the term is durable. Only then may this node propose in
 * it: a proposal itself needs no write, because a term's entry is never forgotten (P2).
 */
export const ENTERED_TIMER = 'entered/';

export function enterTerm(state: State, term: number, by: TimeoutCertificate | null): void {
  const { safety, due, options } = state;
  if (term <= safety.term) return;
  if (by !== null) {
    state.elections++;
    due.termFailed();
  }
  record(state, { kind: 'termEntered', epoch: 0, term, by });
  const leader = leaderOf(options.cluster, term);
  const isReachable = by === null || leader === options.self || state.connected.has(leader);
  due.restart(state.now, isReachable);
  trackLanes(state);
  state.lastProposed = null;
  state.out.effects.push(
    { kind: 'tell', to: 'voting', message: { kind: 'termEntered', epoch: 0, term } },
    { kind: 'setTimer', timer: `${ENTERED_TIMER}${term}`, at: state.now },
  );
}

/** A checked timeout certificate: its highest certificate counts, and its term is over (T2). */
export function timeoutsCertified(state: State, certificate: TimeoutCertificate): void {
  if (certificate.highest !== null) learnCertificate(state, certificate.highest);
  if (certificate.term < state.safety.term) return;
  const next = leaderOf(state.options.cluster, certificate.term + 1);
  if (next !== state.options.self) {
    const message = { kind: 'timeoutCertificate', certificate } as const;
    state.out.immediate.push({ kind: 'send', to: next, message });
  }
  enterTerm(state, certificate.term + 1, certificate);
}

/** For good: no vote, proposal or certificate of ours in this term any more (T1). */
export function abandonTerm(state: State, handOver: HandOver | null): void {
  const { safety, options } = state;
  if (safety.abandoned || safety.term < 0) return;
  const { highest } = safety;
  const content = {
    epoch: 0,
    term: safety.term,
    highTerm: highest?.term ?? -1,
    highHeight: highest?.height ?? -1,
    highBlock: highest?.block ?? ZERO_DIGEST,
  };
  const signature = options.signer.sign(timeoutBytes(options.cluster.id, content));
  const timeout = { ...content, voter: options.self, signature };
  record(state, { kind: 'timeoutCast', timeout, highest, handOver });
  state.out.effects.push(
    { kind: 'broadcast', message: { kind: 'timeout', timeout, highest, handOver } },
    { kind: 'tell', to: 'voting', message: { kind: 'ownTimeout', timeout, highest } },
  );
}

/** The leader's word that it hands over: every receiver acts on it at once (T4). */
export function handOverSeen(state: State, from: ValidatorIndex, handOver: HandOver): void {
  const { safety, options } = state;
  if (handOver.epoch !== 0 || handOver.term !== safety.term || safety.abandoned) return;
  if (leaderOf(options.cluster, handOver.term) === options.self) return;
  if (!isHandOverValid(state.verifier, handOver)) return fault(state, from, 'bad_hand_over');
  abandonTerm(state, handOver);
}

/** A draining leader lets go only when nothing is in flight, so that nobody waits for it (T4). */
export function tryHandOver(state: State): void {
  const { safety, options } = state;
  if (!state.draining || safety.abandoned || !isLeader(state) || isInFlight(state)) return;
  if (options.cluster.n === 1) return;
  const content = { epoch: 0, term: safety.term };
  const signature = options.signer.sign(handOverBytes(options.cluster.id, content));
  const handOver = { ...content, signature };
  state.out.immediate.push({ kind: 'broadcast', message: { kind: 'handOver', handOver } });
  abandonTerm(state, handOver);
}

export function isInFlight(state: State): boolean {
  return (state.lastProposed?.height ?? 0) > state.final.height;
}

/** Abandons the term when something is due for longer than the timeout (T1). */
export function checkDue(state: State): void {
  trackExecuted(state);
  if (!state.safety.abandoned && state.now >= state.due.deadline()) abandonTerm(state, null);
}

/** `executed` must come within 2C of what q validators report: more than that no leader may name (T1, B2). */
function trackExecuted(state: State): void {
  const { checkpointInterval } = state.options.cluster.genesis.limits;
  const reported = state.reported.executed?.height ?? 0;
  if (reported - state.final.executed.height > 2 * checkpointInterval) {
    state.due.mark('executed', state.now);
  } else {
    state.due.settle('executed');
  }
}

/**
 * A lane tip that q validators report, and that no proposal covers after half a timeout, is shown
 * to the leader with the signed marks behind it, and is due from then on (T1): a leader that
 * censors a lane is replaced, one that could not know is told first. Nothing waits for what is not
 * reported any more, because the lane follows another branch: no leader can propose that.
 */
export function trackLanes(state: State): void {
  state.laneWaits.clear();
  watchLanes(state);
}

export function watchLanes(state: State): void {
  const { reported, final, laneWaits, due } = state;
  reported.tips.forEach((tip, lane) => {
    const wait = laneWaits.get(lane);
    if (wait !== undefined) wait.seq = Math.min(wait.seq, tip.seq);
    if (wait !== undefined && final.cut[lane]!.seq >= wait.seq) {
      laneWaits.delete(lane);
      due.settle(`lane-${lane}`);
    }
    if (!laneWaits.has(lane) && tip.seq > final.cut[lane]!.seq) {
      laneWaits.set(lane, { seq: tip.seq, since: state.now, shown: false });
    }
  });
}

export function showWaitingLanes(state: State): void {
  const { safety, options, laneWaits, due } = state;
  if (safety.abandoned) return;
  const patience = due.timeoutMs() / 2;
  const late = [...laneWaits].filter(
    ([, wait]) => !wait.shown && state.now - wait.since >= patience,
  );
  if (late.length === 0) return;
  for (const [lane, wait] of late) {
    wait.shown = true;
    due.mark(`lane-${lane}`, state.now);
  }
  const leader = leaderOf(options.cluster, safety.term);
  if (leader === options.self) return;
  const message = { kind: 'showTips', leader, lanes: late.map(([lane]) => lane) } as const;
  state.out.effects.push({ kind: 'tell', to: 'replication', message });
}
