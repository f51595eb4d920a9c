/**
 * What each machine shows of itself. Plain data, read by the shell after a turn and published to the
 * edge at most every few milliseconds; the machines emit no metrics and no log lines themselves.
 */
import type { Program } from './genesis.ts';
import type { Digest, Millis, Tip, ValidatorIndex } from './types.ts';

export interface ConsensusStatus {
  readonly epoch: number;
  readonly term: number;
  /** LEADER leads the term; CANDIDATE has abandoned it, or is connected to too few for a quorum (A2). */
  readonly state: 'LEADER' | 'FOLLOWER' | 'CANDIDATE';
  readonly leader: ValidatorIndex;
  /** Height of the highest block known with a prepare certificate. */
  readonly preparedHeight: number;
  /** Height up to which blocks are final here: the commit index. */
  readonly finalHeight: number;
  readonly finalDigest: Digest;
  /** Height that other nodes are known to have finalised; above `finalHeight` while catching up. */
  readonly knownFinalHeight: number;
  /** Executed height that the newest final block certifies (E4). */
  readonly certifiedHeight: number;
  readonly timeoutMs: number;
  /** The same, before failed terms in a row double it. */
  readonly baseTimeoutMs: number;
  /** Terms entered since the start because a leader was abandoned. */
  readonly elections: number;
  /** Blocks and certificates above the final block that are in memory, and blocks that are wanted. */
  readonly blocksKept: number;
  /** Wall-clock time of the newest final block, 0 before the first. */
  readonly finalAtMs: number;
  readonly draining: boolean;
  /** Nothing of this node's is in flight: a drain may go on. */
  readonly drained: boolean;
}

export interface VotingStatus {
  readonly voteSets: number;
  /** Pieces of it in the log, of what validators voted. */
  readonly evidence: number;
  /** Against whom. */
  readonly accused: readonly ValidatorIndex[];
}

export interface ReplicationStatus {
  readonly tips: readonly Tip[];
  /** Bytes held in memory for batches that are not executed yet. */
  readonly pendingBytes: number;
  readonly ownLaneBytes: number;
  readonly fetching: number;
  /** Pieces of it in the log, of what validators put into their lanes. */
  readonly evidence: number;
  /** Against whom. */
  readonly accused: readonly ValidatorIndex[];
}

/** A committed upgrade whose module the node lacks. */
export interface MissingProgram extends Program {
  /** Of the first block that it is to execute. */
  readonly height: number;
}

export interface TransactionStatus {
  readonly executedHeight: number;
  /** Of the block of that height; of the genesis before the first. */
  readonly executedTime: Millis;
  readonly executedTransactions: number;
  /** Submissions taken here that are not answered yet. */
  readonly waiting: number;
  readonly waitingBytes: number;
  /** Height of the newest snapshot that is kept here; 0 for none. */
  readonly snapshotHeight: number;
  /** Why the last snapshot could not be kept; absent when it could. */
  readonly snapshotProblem?: string;
  /** What stops this node at its height, unless it is given the module or the upgrade is withdrawn. */
  readonly missingPrograms: readonly MissingProgram[];
  /** Height that execution must reach again after a restart; absent once it has. */
  readonly replayingTo?: number;
}

/** What the transaction machine shows before it has recovered. */
export const NOTHING_EXECUTED: TransactionStatus = {
  executedHeight: 0,
  executedTime: 0,
  executedTransactions: 0,
  waiting: 0,
  waitingBytes: 0,
  missingPrograms: [],
  snapshotHeight: 0,
};

export interface ActorStatuses {
  readonly consensus: ConsensusStatus;
  readonly voting: VotingStatus;
  readonly replication: ReplicationStatus;
  readonly transaction: TransactionStatus;
}
