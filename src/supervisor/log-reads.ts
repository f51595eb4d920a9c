/** What the edges read of this node's log: blocks, what certifies them, and evidence. */
import type { Cluster } from '../../protocols/genesis.ts';
import type { ActorStatuses } from '../../protocols/status.ts';
import type { ActorLog } from '../log/actor-log.ts';
import { Blocks } from './blocks.ts';
import type { Cache } from '../cache/cache.ts';
import type { FinalBlock } from '../edge/port.ts';
import { Certifications } from './certifications.ts';
import { EvidenceShelves } from './evidence.ts';
import { KeptAnswers } from './kept-answers.ts';
import { Proofs, type ProofParts } from './proofs.ts';

export interface LogReadsParts {
  readonly log: ActorLog;
  readonly cluster: Cluster;
  readonly cache: Cache;
  readonly statuses: () => ActorStatuses;
  /** Asks the transaction actor. */
  readonly ask: ProofParts['ask'];
}

export class LogReads {
  readonly log: ActorLog;
  readonly blocks: Blocks;
  readonly proofs: Proofs;
  readonly evidence: EvidenceShelves;
  readonly kept: KeptAnswers;
  readonly #statuses: () => ActorStatuses;

  constructor({ log, cluster, cache, statuses, ask }: LogReadsParts) {
    this.log = log;
    this.#statuses = statuses;
    const executedHeight = (): number => statuses().transaction.executedHeight;
    this.blocks = new Blocks(log, cluster.id, executedHeight);
    this.kept = new KeptAnswers(cache, executedHeight);
    const certifications = new Certifications(this.blocks);
    this.proofs = new Proofs({ clusterId: cluster.id, certifications, ask });
    this.evidence = new EvidenceShelves(log, cluster.n, statuses);
  }

  block(height: number | 'latest'): Promise<FinalBlock | null | 'unavailable'> {
    return this.kept.block(height, () => this.blocks.at(height));
  }

  /** After a restart nothing was executed of late, but the newest of before is known. */
  timeOf(height: number): number | null {
    const { executedHeight, executedTime } = this.#statuses().transaction;
    return this.blocks.timeOf(height) ?? (height === executedHeight ? executedTime : null);
  }
}
