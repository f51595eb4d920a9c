/** How a missing quorum is explained: who is not heard, and since when. */
import type { NodeInfo, QuorumState } from './port.ts';

/** Within what a problem's detail may have (problem.ts). */
const REASON_LENGTH_MAX = 190;

export function quorumReason(
  { validators, quorum }: Pick<NodeInfo, 'validators' | 'quorum'>,
  { lostSinceMs, unheard }: QuorumState,
): string {
  const reachable = validators.length - unheard.length;
  const few = `${reachable} of the ${quorum} validators that make a quorum are reachable`;
  const isFew = reachable < quorum;
  if (lostSinceMs === null) return isFew ? `${few} for the moment` : 'a quorum is reachable';
  const reason = isFew ? few : `no block became final since ${time(lostSinceMs)}`;
  return withNames(reason, unheardNames({ validators }, { unheard }));
}

/** `node-3 since 2026-01-31T12:00:00Z`, of each. */
export function unheardNames(
  { validators }: Pick<NodeInfo, 'validators'>,
  { unheard }: Pick<QuorumState, 'unheard'>,
): readonly string[] {
  return unheard.map(
    ({ index, sinceMs }) => `${validators[index] ?? index} since ${time(sinceMs)}`,
  );
}

/** As many names as fit; the check `quorum` of /health has all of them. */
function withNames(reason: string, names: readonly string[]): string {
  for (let shown = names.length; shown > 0; shown--) {
    const rest = names.length - shown;
    const more = rest === 0 ? '' : ` and ${rest} more`;
    const text = `${reason}; not heard: ${names.slice(0, shown).join(', ')}${more}`;
    if (text.length <= REASON_LENGTH_MAX) return text;
  }
  return reason;
}

/** To the second: what is between two looks is not known any better. */
const time = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
