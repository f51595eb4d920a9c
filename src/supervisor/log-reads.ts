/** What the edges read of this node's log: blocks, what certifies them, and evidence. */
import type { Cluster } from '../../protocols/genesis.ts';
import type { ActorStatuses } from '../../protocols/status.ts';
import type { ActorLog } from '../log/actor-log.ts';
import { Blocks } from './blocks.ts';
import { Certifications } from './certifications.ts';
import { EvidenceShelves } from './evidence.ts';
import { Proofs, type ProofParts } from './proofs.ts';

export interface LogReadsParts {
  readonly log: ActorLog;
  readonly cluster: Cluster;
  readonly statuses: () => ActorStatuses;
  /** Asks the transaction actor. */
  readonly ask: ProofParts['ask'];
}

export class LogReads {
  readonly blocks: Blocks;
  readonly proofs: Proofs;
  readonly evidence: EvidenceShelves;

  constructor({ log, cluster, statuses, ask }: LogReadsParts) {
    this.blocks = new Blocks(log, cluster.id, () => statuses().transaction.executedHeight);
    const certifications = new Certifications(this.blocks);
    this.proofs = new Proofs({ clusterId: cluster.id, certifications, ask });
    this.evidence = new EvidenceShelves(log, cluster.n, statuses);
  }
}
