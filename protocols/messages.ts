/**
 * Everything that actors say: to the same actor on other nodes (PeerMessage, one msgpack envelope
 * each, on gRPC) and to other actors of their node (LocalMessage), and what a machine asks of its
 * shell (Effect). A batch payload travels beside its envelope as raw bytes (`body`).
 */
import type { AnswerResult, SubmitResult } from './answers.ts';
import { index, list, nullable, struct, u53, union, type Schema } from './codec.ts';
import type { Program } from './genesis.ts';
import type { LogEvent } from './machine.ts';
import type { ProofWanted } from './proofs/request.ts';
import type { StateRead } from './state-read.ts';
import {
  batchHeader,
  block,
  certificate,
  digest,
  handOver,
  marks,
  timeout,
  timeoutCertificate,
  VALIDATORS_MAX,
  vote,
} from './structures.ts';
import type {
  BatchHeader,
  Block,
  Certificate,
  Digest,
  Executed,
  HandOver,
  Marks,
  Millis,
  Timeout,
  TimeoutCertificate,
  Tip,
  ValidatorIndex,
  Vote,
} from './types.ts';

export type { AnswerResult, SubmitResult } from './answers.ts';
export type { SubmissionOutcomes, SubmissionReceipts } from './submission-receipts.ts';

/** Most blocks in one `blocks` answer. */
export const BLOCKS_PER_ANSWER = 64;

// ---------------------------------------------------------------------------------- between nodes

export type PeerMessage =
  | { readonly kind: 'proposal'; readonly block: Block }
  | { readonly kind: 'vote'; readonly vote: Vote }
  | {
      readonly kind: 'timeout';
      readonly timeout: Timeout;
      /** The certificate whose rank the timeout claims (T2). */
      readonly highest: Certificate | null;
      /** The leader's announcement that made the sender abandon the term, if one did (T4). */
      readonly handOver: HandOver | null;
    }
  | { readonly kind: 'certificate'; readonly certificate: Certificate }
  | { readonly kind: 'timeoutCertificate'; readonly certificate: TimeoutCertificate }
  | { readonly kind: 'handOver'; readonly handOver: HandOver }
  | { readonly kind: 'marks'; readonly marks: Marks }
  /** T1: the signed marks of `q` validators that report tips which the leader has not proposed. */
  | { readonly kind: 'tipsShown'; readonly marks: readonly Marks[] }
  /** The payload is the body. Streamed by the lane's owner, or the answer to a fetch. */
  | { readonly kind: 'batch'; readonly header: BatchHeader }
  /** Batches `fromSeq … toSeq` of a lane, as the asked node stored them. */
  | {
      readonly kind: 'fetchBatches';
      readonly lane: ValidatorIndex;
      readonly fromSeq: number;
      readonly toSeq: number;
    }
  /** One batch by digest: how the second version of an equivocated seq is found (D3). */
  | {
      readonly kind: 'fetchBatch';
      readonly lane: ValidatorIndex;
      readonly seq: number;
      readonly digest: Digest;
    }
  /** Final blocks from this height on (C1); answered by `blocks`. */
  | { readonly kind: 'fetchBlocks'; readonly fromHeight: number }
  /** Ascending and linked; the certificate is a commit certificate for the last one. */
  | {
      readonly kind: 'blocks';
      readonly blocks: readonly Block[];
      readonly certificate: Certificate;
    }
  /** One block that is not final yet; answered by a `proposal`. */
  | { readonly kind: 'fetchBlock'; readonly digest: Digest };

export const peerMessage: Schema<PeerMessage> = union<PeerMessage>({
  proposal: struct({ block }),
  vote: struct({ vote }),
  timeout: struct({ timeout, highest: nullable(certificate), handOver: nullable(handOver) }),
  certificate: struct({ certificate }),
  timeoutCertificate: struct({ certificate: timeoutCertificate }),
  handOver: struct({ handOver }),
  marks: struct({ marks }),
  tipsShown: struct({ marks: list(marks, VALIDATORS_MAX) }),
  batch: struct({ header: batchHeader }),
  fetchBatches: struct({ lane: index, fromSeq: u53, toSeq: u53 }),
  fetchBatch: struct({ lane: index, seq: u53, digest }),
  fetchBlocks: struct({ fromHeight: u53 }),
  blocks: struct({ blocks: list(block, BLOCKS_PER_ANSWER), certificate }),
  fetchBlock: struct({ digest }),
});

export type PeerMessageKind = PeerMessage['kind'];

/** Control never queues behind data: each class has its own connection. */
export type PeerClass = 'control' | 'data';

/** Which actor of the receiving node a message is for, and on which connection it travels. */
export const ROUTES: Readonly<
  Record<PeerMessageKind, { readonly actor: ProtocolActor; readonly class: PeerClass }>
> = {
  proposal: { actor: 'consensus', class: 'control' },
  vote: { actor: 'voting', class: 'control' },
  timeout: { actor: 'voting', class: 'control' },
  certificate: { actor: 'voting', class: 'control' },
  timeoutCertificate: { actor: 'voting', class: 'control' },
  handOver: { actor: 'consensus', class: 'control' },
  marks: { actor: 'replication', class: 'control' },
  tipsShown: { actor: 'replication', class: 'control' },
  batch: { actor: 'replication', class: 'data' },
  fetchBatches: { actor: 'replication', class: 'control' },
  fetchBatch: { actor: 'replication', class: 'control' },
  fetchBlocks: { actor: 'consensus', class: 'control' },
  blocks: { actor: 'consensus', class: 'data' },
  fetchBlock: { actor: 'consensus', class: 'control' },
};

// ------------------------------------------------------------------------------- between the actors

export type ProtocolActor = 'consensus' | 'voting' | 'replication' | 'transaction';
/** `edge` is what faces clients: HTTP, gRPC and the supervisor behind them. */
export type ActorName = ProtocolActor | 'edge';

/** To consensus. */
export type ConsensusMessage =
  /** From voting: `q` checked prepare votes. `lastVoted[v]`: the height of v's latest checked one. */
  | {
      readonly kind: 'prepareCertified';
      readonly certificate: Certificate;
      readonly lastVoted: readonly number[];
    }
  /** From voting: `q` checked commit votes (B6). */
  | { readonly kind: 'commitCertified'; readonly certificate: Certificate }
  | { readonly kind: 'timeoutCertified'; readonly certificate: TimeoutCertificate }
  /** From voting: n − q + 1 validators abandoned `term` or a later one (T2). */
  | { readonly kind: 'timeoutsJoined'; readonly term: number }
  /** From voting: a hand-over that travelled in `from`'s timeout (T4), its signature unchecked. */
  | { readonly kind: 'handOverSeen'; readonly from: ValidatorIndex; readonly handOver: HandOver }
  /** From replication: per lane the highest tip that `q` validators hold and this node can link. */
  | {
      readonly kind: 'tipsReported';
      readonly tips: readonly Tip[];
      /** `bases[lane]`: seq of the final tip that the reported one is or descends from. */
      readonly bases: readonly number[];
      /** `support[lane]`: which validators report that tip or more. */
      readonly support: readonly (readonly ValidatorIndex[])[];
      /** The highest executed checkpoint that `q` validators report alike, if any (B2). */
      readonly executed: Executed | null;
    }
  /** From replication: every batch up to the block's cut is durable here (B4). */
  | { readonly kind: 'cutHeld'; readonly block: Digest }
  /** From transaction: a checkpoint (height divisible by C) was executed here. */
  | { readonly kind: 'checkpointExecuted'; readonly executed: Executed };

/** To voting. */
export type VotingMessage =
  | { readonly kind: 'ownVote'; readonly vote: Vote }
  | { readonly kind: 'ownTimeout'; readonly timeout: Timeout; readonly highest: Certificate | null }
  | { readonly kind: 'termEntered'; readonly epoch: number; readonly term: number }
  | { readonly kind: 'finalTo'; readonly height: number };

/** To replication. */
export type ReplicationMessage =
  /** From transaction: the next batch of this node's own lane. */
  | { readonly kind: 'sealBatch'; readonly payload: Uint8Array; readonly txCount: number }
  /**
   * From consensus: tell me when every batch from the final cut through `parentCut` to `cut` is
   * durable here; fetch what is missing. A cut that does not lead through `parentCut` is never held.
   * Asked only while the block may be voted for.
   */
  | {
      readonly kind: 'holdCut';
      readonly block: Digest;
      readonly term: number;
      readonly height: number;
      readonly cut: readonly Tip[];
      /** The cut of the block's parent, which is certified: every lane must lead through it (B1). */
      readonly parentCut: readonly Tip[];
    }
  /** From consensus, in height order: the block is final. */
  | { readonly kind: 'finalised'; readonly block: Block; readonly digest: Digest }
  /** From consensus (T1): send the leader the signed marks behind these lanes' reported tips. */
  | {
      readonly kind: 'showTips';
      readonly leader: ValidatorIndex;
      readonly lanes: readonly ValidatorIndex[];
    }
  /** From transaction, once, first: all up to this height, whose block had this cut, need not be executed. */
  | { readonly kind: 'executeFrom'; readonly height: number; readonly cut: readonly Tip[] }
  /** From transaction: everything up to this height is executed here. */
  | { readonly kind: 'executedTo'; readonly height: number }
  /** From transaction: a checkpoint (height divisible by C) was executed here. */
  | { readonly kind: 'checkpointExecuted'; readonly executed: Executed };

/** To transaction. */
export type TransactionMessage =
  /** From replication: payload bytes that the own lane may still take (W less what is not final). */
  | { readonly kind: 'laneRoom'; readonly bytes: number }
  /** From replication, in height order: a final block with its batches in execution order (E1). */
  | {
      readonly kind: 'execute';
      readonly block: Block;
      readonly digest: Digest;
      readonly batches: readonly { readonly lane: ValidatorIndex; readonly payload: Uint8Array }[];
      /** How many of the batches sealed since both started lie at or below this height. */
      readonly sealed: number;
    }
  /** From the edge: submissions in their canonical bytes (transaction/submission.ts). */
  | { readonly kind: 'submit'; readonly submissions: readonly SubmitRequest[] }
  /** From the edge: a read of executed state. Answered by `answer` with the same `request`. */
  | ({ readonly kind: 'query'; readonly request: number } & StateRead)
  /**
   * From the edge: which executed height reflects all that is final anywhere by now? Answered by
   * `answer`, whose `height` it is, once that much is executed here (transaction/confirmations.ts).
   */
  | { readonly kind: 'confirm'; readonly request: number }
  /** From the edge: the receipts of a submission, wherever it was submitted. Answered by `answer`. */
  | { readonly kind: 'findSubmission'; readonly request: number; readonly id: Digest }
  /** From the edge: claims and their ways up to the roots of a checkpoint. Answered by `answer`. */
  | { readonly kind: 'prove'; readonly request: number; readonly wanted: ProofWanted };

export interface SubmitRequest {
  /** Chosen by the edge; comes back in `submitted`. */
  readonly request: number;
  readonly bytes: Uint8Array;
  /** What the answer waits for: admission to the own lane's queue; absent, execution. */
  readonly until?: 'admitted';
}

/** To the edge. */
export type EdgeMessage =
  /** What became of submissions. Exactly one result for each request of `submit`. */
  | { readonly kind: 'submitted'; readonly results: readonly SubmitResult[] }
  | {
      readonly kind: 'answer';
      readonly request: number;
      readonly height: number;
      readonly result: AnswerResult;
    }
  /** The modules that are in force from the next block on. */
  | { readonly kind: 'programs'; readonly programs: readonly Program[] }
  /** A block was executed here (in height order). */
  | {
      readonly kind: 'blockExecuted';
      readonly block: Block;
      readonly digest: Digest;
      readonly txCount: number;
    };

export type LocalMessage =
  ConsensusMessage | VotingMessage | ReplicationMessage | TransactionMessage | EdgeMessage;

// ------------------------------------------------------------------------ between machine and shell

/** What every machine may be given beside its own messages. */
export type CommonInput =
  /** Once, after recovery; the machine sets its timers and says again what it owes (T3). */
  | { readonly kind: 'started' }
  /** The sender is authenticated by its channel (M3); the content is decoded, not yet believed. */
  | {
      readonly kind: 'peerMessage';
      readonly from: ValidatorIndex;
      readonly message: PeerMessage;
      readonly body?: Uint8Array;
    }
  | { readonly kind: 'timer'; readonly timer: string }
  | { readonly kind: 'logRead'; readonly tag: string; readonly events: readonly LogEvent[] }
  /** The newest event under the key, or none. */
  | { readonly kind: 'logFound'; readonly tag: string; readonly event: LogEvent | null }
  | { readonly kind: 'peerConnected'; readonly peer: ValidatorIndex }
  | { readonly kind: 'peerDisconnected'; readonly peer: ValidatorIndex }
  /** The answer to `keepSnapshot`: that part is kept, or nothing is of that snapshot, and why. */
  | { readonly kind: 'snapshotKept'; readonly height: number; readonly error: string | null }
  /** Take nothing new, hand over leadership, finish what is in flight. */
  | { readonly kind: 'drain' };

export type Effect =
  | { readonly kind: 'tell'; readonly to: 'consensus'; readonly message: ConsensusMessage }
  | { readonly kind: 'tell'; readonly to: 'voting'; readonly message: VotingMessage }
  | { readonly kind: 'tell'; readonly to: 'replication'; readonly message: ReplicationMessage }
  | { readonly kind: 'tell'; readonly to: 'transaction'; readonly message: TransactionMessage }
  | { readonly kind: 'tell'; readonly to: 'edge'; readonly message: EdgeMessage }
  | {
      readonly kind: 'send';
      readonly to: ValidatorIndex;
      readonly message: PeerMessage;
      readonly body?: Uint8Array;
    }
  /** To every other validator. */
  | { readonly kind: 'broadcast'; readonly message: PeerMessage; readonly body?: Uint8Array }
  /** One timer per name; setting it again moves it. */
  | { readonly kind: 'setTimer'; readonly timer: string; readonly at: Millis }
  | { readonly kind: 'clearTimer'; readonly timer: string }
  /** Answered by `logRead` with events `from … to − 1` of the stream, cut where `bytesMax` is reached. */
  | {
      readonly kind: 'readLog';
      readonly tag: string;
      readonly stream: string;
      readonly from: number;
      readonly to: number;
      readonly bytesMax: number;
    }
  /** Answered by `logFound`. */
  | { readonly kind: 'findLog'; readonly tag: string; readonly key: string }
  /** Of the stream nothing at positions below this one is needed any more. */
  | { readonly kind: 'pruneLog'; readonly stream: string; readonly below: number }
  /**
   * The next part of the snapshot at a height, the first of which is `index` 0, beside the log. What comes
   * with the last part makes it one that recovery finds. Answered by `snapshotKept`.
   */
  | {
      readonly kind: 'keepSnapshot';
      readonly height: number;
      readonly index: number;
      readonly part: Uint8Array;
      readonly head: Uint8Array | null;
    }
  /** A peer broke a rule: counted, logged, never thrown. */
  | {
      readonly kind: 'peerFault';
      readonly peer: ValidatorIndex;
      readonly code: string;
      readonly detail: string;
    };

export type ConsensusInput = CommonInput | ConsensusMessage;
export type VotingInput = CommonInput | VotingMessage;
export type ReplicationInput = CommonInput | ReplicationMessage;
export type TransactionInput = CommonInput | TransactionMessage;
