/** Whether what one validator signed holds evidence against it, by the rules as they are (I84). */
import type { PeerMessage } from '../../protocols/messages.ts';
import type { Timeout, Vote } from '../../protocols/types.ts';
import { hidesCommit } from '../../protocols/voting/evidence.ts';

export function areEvidence(sent: readonly PeerMessage[], self: number): string | null {
  const votes = sent.flatMap((each) => (each.kind === 'vote' ? [each.vote] : []));
  const timeouts = sent.flatMap((each) => (each.kind === 'timeout' ? [each.timeout] : []));
  const own = votes.filter(({ voter }) => voter === self);
  for (const [at, vote] of own.entries()) {
    const said = against(vote, own.slice(0, at)) ?? hidden(vote, timeouts);
    if (said !== null) return said;
  }
  return null;
}

function against(vote: Vote, earlier: readonly Vote[]): string | null {
  for (const other of earlier) {
    if (other.block === vote.block || other.kind !== vote.kind || other.term !== vote.term)
      continue;
    if (other.height === vote.height) return `it casts two ${vote.kind} votes for one place`;
    if (vote.kind === 'prepare' && vote.first && other.first) {
      return 'it votes for two first blocks of one term';
    }
  }
  return null;
}

function hidden(vote: Vote, timeouts: readonly Timeout[]): string | null {
  const found = timeouts.some((each) => hidesCommit(vote, each));
  return found ? 'its timeout claims less than its commit vote stood on' : null;
}
