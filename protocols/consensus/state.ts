/** The consensus machine's state: the safety record, and what may be lost without harm. */
import type { Verifier } from '../certificates.ts';
import { CHAIN_STREAM, chainEntry, emptyCut, EXECUTED_NOTHING } from '../chain.ts';
import type { Crypto, Signer } from '../crypto.ts';
import type { Cluster } from '../genesis.ts';
import { newOutput, type Output } from '../machine.ts';
import type { ConsensusMessage, Effect } from '../messages.ts';
import type { Pace } from '../pace.ts';
import type {
  Block,
  Certificate,
  Digest,
  Executed,
  Millis,
  Tip,
  ValidatorIndex,
} from '../types.ts';
import { packStructure } from '../wire.ts';
import { BlockTree } from './block-tree.ts';
import { Due } from './due.ts';
import { CONSENSUS_STREAM, consensusEvent, type ConsensusEvent } from './events.ts';
import type { RecordPace } from './safety-record.ts';
import { evolve, newSafety, type Safety } from './safety.ts';

export interface ConsensusTiming {
  /** The timeout on a machine with no measured delay; it adapts upwards (T5). */
  readonly electionTimeoutMs: number;
  /** An idle leader's interval between empty blocks (B3). */
  readonly heartbeatMs: number;
}

export interface ConsensusOptions {
  readonly cluster: Cluster;
  readonly self: ValidatorIndex;
  readonly crypto: Crypto;
  readonly signer: Signer;
  readonly timing: ConsensusTiming;
  /** Default: RECORD_PACE. */
  readonly records?: RecordPace;
}

/** What a block needs to know of the one it extends; the root of the chain has one too. */
export interface Head {
  readonly digest: Digest;
  readonly height: number;
  readonly cut: readonly Tip[];
  readonly timestamp: Millis;
  readonly executed: Executed;
}

export function headOf(digest: Digest, block: Block): Head {
  const { height, cut, timestamp, executed } = block;
  return { digest, height, cut, timestamp, executed };
}

type Reported = Extract<ConsensusMessage, { kind: 'tipsReported' }>;

/** Whom this node asks for the final blocks that it lacks (catch-up.ts). */
export interface CatchUp {
  /** Whose turn it is; −1 before the first. */
  peer: ValidatorIndex;
  turnEndsAt: Millis;
  /** When the timer for the next turn is set to fire. */
  timerAt: Millis | null;
  /** By peer: the height that its next answer must begin with. Of others nothing is awaited. */
  readonly awaited: Map<ValidatorIndex, number>;
}

/** How one peer is served with blocks (serving.ts). */
export interface Served {
  /** A read of the chain stream is under way for it. */
  reading: boolean;
  readonly pace: Pace;
}

export interface State {
  readonly options: ConsensusOptions;
  readonly verifier: Verifier;
  safety: Safety;
  /** Next position in stream `consensus`. */
  streamEnd: number;
  /** Where the newest whole record of it stands in that stream, and the next position in its own. */
  records: { from: number; next: number };

  /** The newest final block. */
  final: Head;
  /** The newest commit certificate that this node holds, for those behind it (T3). */
  finalCertificate: Certificate | null;
  finalAt: Millis;
  readonly tree: BlockTree;
  /** Final blocks of late, for nodes that ask for one by digest. */
  readonly recentFinal: Map<Digest, Block>;
  /** A commit certificate for a block whose ancestors are not all here. */
  pendingCommit: Certificate | null;
  /** Highest height that others are known to have finalised. */
  knownHeight: number;

  /** Own executed checkpoints from the certified one on, by height. */
  readonly checkpoints: Map<number, Executed>;
  /** What final blocks certified before this node executed it (E4). */
  readonly certified: Map<number, Executed>;
  reported: Reported;
  /** By validator: height of its latest prepare vote, as voting saw it. */
  lastVoted: readonly number[];

  /** The term in which this process may propose; −1 in terms that it entered before (P2). */
  proposableTerm: number;
  lastProposed: Head | null;
  lastProposedAt: Millis;
  /** When the timer for the next proposal is set to fire. */
  proposeTimerAt: Millis | null;
  /** What the first block that this node proposes in its term extends: the last one of others. */
  inherited: Head;
  /** Height of the newest final or proposed block that ordered anything. */
  lastOrderedHeight: number;
  draining: boolean;

  readonly connected: Set<ValidatorIndex>;
  readonly due: Due;
  /** Lanes with a reported tip that is not final: since when, and whether the leader was shown it. */
  readonly laneWaits: Map<ValidatorIndex, { seq: number; readonly since: Millis; shown: boolean }>;
  elections: number;
  readonly catchUp: CatchUp;
  /** Peers that blocks are served to. */
  readonly served: Map<ValidatorIndex, Served>;

  out: Output<Effect>;
  now: Millis;
}

export function newState(options: ConsensusOptions): State {
  const { cluster, crypto, timing } = options;
  return {
    options,
    verifier: { cluster, crypto },
    safety: newSafety(),
    streamEnd: 0,
    records: { from: 0, next: 0 },
    final: rootOf(cluster),
    finalCertificate: null,
    finalAt: 0,
    tree: new BlockTree(),
    recentFinal: new Map(),
    pendingCommit: null,
    knownHeight: 0,
    checkpoints: new Map([[0, EXECUTED_NOTHING]]),
    certified: new Map(),
    reported: { kind: 'tipsReported', tips: [], bases: [], support: [], executed: null },
    lastVoted: [],
    proposableTerm: -1,
    lastProposed: null,
    lastProposedAt: 0,
    proposeTimerAt: null,
    inherited: rootOf(cluster),
    lastOrderedHeight: 0,
    draining: false,
    connected: new Set(),
    due: new Due(timing),
    laneWaits: new Map(),
    elections: 0,
    catchUp: { peer: -1, turnEndsAt: 0, timerAt: null, awaited: new Map() },
    served: new Map(),
    out: newOutput(),
    now: 0,
  };
}

/** What the first block extends: the genesis document, whose hash is the cluster id. */
export function rootOf(cluster: Cluster): Head {
  return {
    digest: cluster.id,
    height: 0,
    cut: emptyCut(cluster.n),
    timestamp: cluster.genesis.createdAtMs,
    executed: EXECUTED_NOTHING,
  };
}

/** The head of a known block: the final one, or one in the tree. */
export function headAt(state: State, digest: Digest): Head | undefined {
  if (digest === state.final.digest) return state.final;
  const entry = state.tree.get(digest);
  return entry === undefined ? undefined : headOf(digest, entry.block);
}

/** Writes down a fact about this validator and takes it into the safety record, in that order. */
export function record(state: State, event: ConsensusEvent): void {
  state.out.events.push({
    stream: CONSENSUS_STREAM,
    seq: state.streamEnd++,
    kind: event.kind,
    header: packStructure(consensusEvent, event),
  });
  evolve(state.safety, event);
}

/** A final block: nothing waits for this write, because commit votes behind it are durable (P2). */
export function recordFinal(state: State, block: Block, certificate: Certificate | null): void {
  state.out.deferred.push({
    stream: CHAIN_STREAM,
    seq: block.height - 1,
    kind: 'blockFinal',
    header: packStructure(chainEntry, { block, certificate }),
  });
}

export function fault(state: State, peer: ValidatorIndex, code: string, detail = ''): void {
  state.out.effects.push({ kind: 'peerFault', peer, code, detail });
}
