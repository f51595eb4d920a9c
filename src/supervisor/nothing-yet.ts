/** What a node shows of its actors before they have shown anything. */
import { NOTHING_EXECUTED, type ActorStatuses } from '../../protocols/status.ts';
import { ZERO_DIGEST } from '../../protocols/types.ts';

export const NOTHING_YET: ActorStatuses = {
  consensus: {
    epoch: 0,
    term: 0,
    state: 'CANDIDATE',
    leader: 0,
    preparedHeight: 0,
    finalHeight: 0,
    finalDigest: ZERO_DIGEST,
    knownFinalHeight: 0,
    blocksKept: 0,
    certifiedHeight: 0,
    timeoutMs: 0,
    baseTimeoutMs: 0,
    elections: 0,
    finalAtMs: 0,
    draining: false,
    drained: false,
  },
  voting: { voteSets: 0, evidence: 0, accused: [] },
  replication: {
    tips: [],
    pendingBytes: 0,
    ownLaneBytes: 0,
    fetching: 0,
    evidence: 0,
    accused: [],
  },
  transaction: NOTHING_EXECUTED,
};
