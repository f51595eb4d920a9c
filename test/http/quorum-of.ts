/** What a node shows of the quorum, as the tests of the edges have it: at once, without the time it takes. */
import type { NodeInfo, QuorumState } from '../../src/edge/port.ts';

/** Since when the tests' nodes are not heard. */
const UNHEARD_SINCE_MS = Date.UTC(2026, 0, 31, 12);
const SILENT_MS_MAX = 10_000;

export function quorumOf(
  { validators, quorum, index: self }: NodeInfo,
  connected: readonly number[],
  silentMs: number,
): QuorumState {
  const isHeard = (index: number): boolean => index === self || connected.includes(index);
  const unheard = validators.flatMap((_, index) =>
    isHeard(index) ? [] : [{ index, sinceMs: UNHEARD_SINCE_MS }],
  );
  const isLost = connected.length + 1 < quorum || silentMs > SILENT_MS_MAX;
  return { lostSinceMs: isLost ? Date.now() - silentMs : null, unheard };
}
