/**
 * Saying again, unchanged, what others may not have heard (rule T3): without it one lost message
 * could stop the cluster for good. On reconnecting to one peer; to all every timeout interval, but
 * only while something is undecided.
 */
import type { PeerMessage } from '../messages.ts';
import type { ValidatorIndex } from '../types.ts';
import type { State } from './state.ts';
import { isLeader } from './voting-rules.ts';

export const RESEND_TIMER = 'resend';

export function sayAgainTo(state: State, peer: ValidatorIndex): void {
  for (const message of owed(state)) state.out.effects.push({ kind: 'send', to: peer, message });
}

export function sayAgain(state: State): void {
  if (state.safety.abandoned || isAnythingUndecided(state)) {
    for (const message of owed(state)) state.out.effects.push({ kind: 'broadcast', message });
  }
  scheduleResend(state);
}

export function scheduleResend(state: State): void {
  const at = state.now + state.due.timeoutMs();
  state.out.effects.push({ kind: 'setTimer', timer: RESEND_TIMER, at });
}

function isAnythingUndecided(state: State): boolean {
  return (
    state.safety.undecided.length > 0 || (state.lastProposed?.height ?? 0) > state.final.height
  );
}

function owed(state: State): PeerMessage[] {
  const { safety } = state;
  const messages: PeerMessage[] = [];
  if (safety.closedBy !== null) {
    messages.push({ kind: 'timeoutCertificate', certificate: safety.closedBy });
  }
  if (state.finalCertificate !== null) {
    messages.push({ kind: 'certificate', certificate: state.finalCertificate });
  }
  if (safety.ownTimeout !== null && safety.ownTimeout.timeout.term >= safety.term) {
    const { timeout, highest, handOver } = safety.ownTimeout;
    messages.push({ kind: 'timeout', timeout, highest, handOver });
  }
  for (const vote of safety.undecided) messages.push({ kind: 'vote', vote });
  if (isLeader(state) && !safety.abandoned) {
    for (const { block } of state.tree.ofTerm(safety.term)) {
      messages.push({ kind: 'proposal', block });
    }
  }
  return messages;
}
