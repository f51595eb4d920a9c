/** The node's state as people and dashboards read it; the same fields over HTTP and gRPC. */
import type { Program } from '../../protocols/genesis.ts';
import { faultyMax } from '../../protocols/quorum.ts';
import type { FinalityFigures } from './meter.ts';
import type { EdgePort } from './port.ts';

export interface ConsensusView {
  readonly nodeId: string;
  readonly nodeIndex: number;
  readonly clusterId: string;
  readonly clusterName: string;
  readonly version: string;
  /** Name of the validator that leads the term. */
  readonly currentLeader: string;
  readonly term: number;
  readonly epoch: number;
  readonly state: 'LEADER' | 'FOLLOWER' | 'CANDIDATE';
  /** Height of the highest block known with a prepare certificate. */
  readonly lastLogIndex: number;
  /** Height up to which blocks are final here. */
  readonly commitIndex: number;
  readonly knownCommitIndex: number;
  readonly executedHeight: number;
  /** Executed height that the newest final block certifies. */
  readonly certifiedHeight: number;
  readonly executedTransactions: number;
  readonly waitingSubmissions: number;
  readonly votingEnabled: boolean;
  readonly voting_enabled: boolean;
  readonly quorum: number;
  readonly faultyMax: number;
  readonly validators: readonly string[];
  readonly peers: readonly { readonly id: string; readonly connected: boolean }[];
  readonly elections: number;
  readonly electionTimeoutMs: number;
  readonly tps: number;
  readonly finality: FinalityFigures;
  readonly memoryBytes: number;
  readonly threads: number;
  readonly uptimeMs: number;
  readonly draining: boolean;
  readonly devMode: boolean;
  /** Modules that this node can run, whether or not the cluster runs them. */
  readonly availablePrograms: readonly Program[];
}

export function consensusView(
  port: EdgePort,
  figures: { readonly tps: number; readonly finality: FinalityFigures },
): ConsensusView {
  const { info } = port;
  const { actors, peersConnected, draining } = port.live();
  const { consensus, transaction } = actors;
  const votingEnabled = info.index >= 0 && !draining && !consensus.draining;
  return {
    nodeId: info.nodeId,
    nodeIndex: info.index,
    clusterId: info.clusterId,
    clusterName: info.clusterName,
    version: info.version,
    currentLeader: info.validators[consensus.leader] ?? '',
    term: consensus.term,
    epoch: consensus.epoch,
    state: consensus.state,
    lastLogIndex: Math.max(consensus.preparedHeight, consensus.finalHeight),
    commitIndex: consensus.finalHeight,
    knownCommitIndex: Math.max(consensus.knownFinalHeight, consensus.finalHeight),
    executedHeight: transaction.executedHeight,
    certifiedHeight: consensus.certifiedHeight,
    executedTransactions: transaction.executedTransactions,
    waitingSubmissions: transaction.waiting,
    votingEnabled,
    voting_enabled: votingEnabled,
    quorum: info.quorum,
    faultyMax: faultyMax(info.validators.length),
    validators: info.validators,
    peers: info.validators.flatMap((id, at) =>
      at === info.index ? [] : [{ id, connected: peersConnected.includes(at) }],
    ),
    elections: consensus.elections,
    electionTimeoutMs: consensus.timeoutMs,
    ...figures,
    memoryBytes: process.memoryUsage.rss(),
    threads: info.threads,
    uptimeMs: Date.now() - info.startedAtMs,
    draining,
    devMode: info.devMode,
    availablePrograms: info.availablePrograms,
  };
}
