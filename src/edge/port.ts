/**
 * What the edges (HTTP, client gRPC) may ask of the node behind them. The supervisor implements it
 * over the actor runtime; the contract tests of the edges drive the same interface.
 */
import type { Program } from '../../protocols/genesis.ts';
import type { AnswerResult, SubmitResult } from '../../protocols/messages.ts';
import type { Proof } from '../../protocols/proofs/format.ts';
import type { Proved, ProofWanted } from '../../protocols/proofs/request.ts';
import type { StateRead } from '../../protocols/state-read.ts';
import type { StoreFigures } from '../cache/cache.ts';
import type { ReadModel } from '../read-model/read-model.ts';
import type { ActorStatuses } from '../../protocols/status.ts';
import type { Block, Certificate, Digest } from '../../protocols/types.ts';
import type { Evidence } from '../../protocols/voting/evidence.ts';
import type { Hub } from '../stream/hub.ts';

export interface NodeInfo {
  /** Name of this node, such as `validator-1`. */
  readonly nodeId: string;
  readonly clusterId: Digest;
  readonly clusterName: string;
  /** This node's index in the validator set. */
  readonly index: number;
  /** Names of all validators by index. */
  readonly validators: readonly string[];
  readonly quorum: number;
  readonly version: string;
  readonly devMode: boolean;
  readonly threads: number;
  /** What this node can run: modules of the software, and users' that it was given. */
  readonly availablePrograms: readonly Program[];
  readonly startedAtMs: number;
}

/** Whether writes can become final (protocols/quorum-watch.ts); times of day in milliseconds. */
export interface QuorumState {
  /** Null while they can. */
  readonly lostSinceMs: number | null;
  /** Validators that are not connected, and since when. */
  readonly unheard: readonly { readonly index: number; readonly sinceMs: number }[];
}

export interface Live {
  readonly actors: ActorStatuses;
  /** Indexes of peers with an open control stream. */
  readonly peersConnected: readonly number[];
  readonly quorum: QuorumState;
  readonly log: { readonly writable: boolean; readonly detail: string };
  /** The stores of the cache, the nearest first. */
  readonly cache: readonly StoreFigures[];
  readonly draining: boolean;
}

export type Submitted = SubmitResult extends infer R
  ? R extends unknown
    ? Omit<R, 'request'>
    : never
  : never;

/** Code of a result that tells nothing: the submission may become final, or have been, or not. */
export const OUTCOME_UNKNOWN = 'outcome_unknown';

export interface FinalBlock {
  readonly block: Block;
  readonly digest: Digest;
  /** Of this block, or of the nearest final descendant that has one; null while none is stored. */
  readonly certificate: Certificate | null;
  readonly txCount: number;
}

export interface Answered {
  readonly height: number;
  readonly result: AnswerResult;
}
/** A proof and what it shows, or why there is none. */
export type ProofAnswer =
  | ({ readonly ok: true; readonly proof: Proof } & Pick<Proved, 'executed' | 'result'>)
  | {
      readonly ok: false;
      readonly height: number;
      readonly result: Extract<AnswerResult, { ok: false }>;
    };

/** Where in the evidence of this node a page begins; shelves are numbered from 0 on. */
export interface EvidencePlace {
  readonly shelf: number;
  readonly position: number;
}

export interface EvidencePage {
  readonly evidence: readonly Evidence[];
  /** Where the next page begins; null at the end. */
  readonly next: EvidencePlace | null;
}

/** What edges need of the hub. */
export type Streams = Pick<Hub, 'limits' | 'newest' | 'refusal' | 'subscribe'>;

export interface EdgePort {
  readonly info: NodeInfo;
  readonly streams: Streams;
  live(): Live;
  /**
   * Hands over a submission in canonical bytes and resolves when it is final and executed here, or
   * refused; with `until`, as soon as it is in the queue of this node's lane. Never rejects; too much
   * waiting work comes back as `overloaded` with `retryAfterMs`, what was lost as OUTCOME_UNKNOWN.
   */
  submit(bytes: Uint8Array, until?: 'admitted'): Promise<Submitted>;
  /** A read of executed state; `height` is the executed height that it reflects. */
  query(read: StateRead): Promise<Answered>;
  /**
   * Waits, within a bound, until this node has executed all that is final anywhere by now; `height` is
   * how far it had got by then. `no_quorum` when none confirmed it in time.
   */
  confirm(): Promise<Answered>;
  /** Waits until what it shows is certified, within a bound. */
  prove(wanted: ProofWanted): Promise<ProofAnswer>;
  findSubmission(id: Digest): Promise<Answered>;
  /** Block time of a height that was executed here of late; null where that is not at hand. */
  timeOf(height: number): number | null;
  /** A final block by height; null when it is not final here yet, `unavailable` while the log is away. */
  block(height: number | 'latest'): Promise<FinalBlock | null | 'unavailable'>;
  /** Evidence that this node has found, in an order that stays; `unavailable` while the log is away. */
  evidence(from: EvidencePlace, limit: number): Promise<EvidencePage | 'unavailable'>;
  /** Null where the node keeps none. */
  readModel(): ReadModel | null;
  /** A metrics page of the whole node in Prometheus text format. */
  metrics(): Promise<string>;
}
