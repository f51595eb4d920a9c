/**
 * Accusations, failures and growth: no honest node is ever accused of anything, no honest node's
 * machine gives up, and nothing that a node keeps in memory grows without bound.
 */
import type { SimNode } from '../node.ts';
import type { Observer, Report } from '../observer.ts';
import type { World } from '../world.ts';

/** Codes that are proof of two statements under one key. */
const EVIDENCE: ReadonlySet<string> = new Set([
  'doubleVote',
  'doubleFirst',
  'hiddenCommit',
  'lane_equivocation',
]);
const MAILBOX_MAX = 20_000;
const VOTE_SETS_MAX = 20_000;
/** Blocks and certificates above the final block: 64 of each, more where terms fail or leaders lie. */
const BLOCKS_KEPT_MAX = 1_000;

export class ConductChecker implements Observer {
  readonly #world: World;
  readonly #report: Report;
  readonly coverage = { faultsSeen: 0, evidence: 0, restarts: 0, appendFailures: 0, fetches: 0 };

  constructor(world: World, report: Report) {
    this.#world = world;
    this.#report = report;
  }

  faulted(node: SimNode, peer: number, code: string, detail: string): void {
    this.coverage.faultsSeen++;
    if (EVIDENCE.has(code)) this.coverage.evidence++;
    if (!this.#world.isHonest(peer)) return;
    this.#report(
      'accusation',
      `n${node.instance} accuses honest validator ${peer} of ${code} ${detail}`,
    );
  }

  failed(node: SimNode, actor: string, error: Error, expected: boolean): void {
    if (expected) {
      this.coverage.appendFailures++;
      return;
    }
    const where = (error.stack ?? '')
      .split('\n')
      .slice(1, 4)
      .map((line) => line.trim())
      .join(' ');
    this.#report('failure', `n${node.instance} ${actor}: ${error.name} ${error.message} ${where}`);
  }

  started(node: SimNode): void {
    if (node.incarnation > 1) this.coverage.restarts++;
  }

  sent(_node: SimNode, _to: number | null, message: { readonly kind: string }): void {
    if (message.kind.startsWith('fetch')) this.coverage.fetches++;
  }

  /** Looked at now and then; bounds are those that the limits of the genesis imply. */
  measure(): void {
    const { n, genesis } = this.#world.cluster;
    const { laneBytesMax, batchBytesMax } = genesis.limits;
    const bytesMax = 2 * n * (laneBytesMax + batchBytesMax);
    for (const node of this.#world.honest) {
      if (!node.up || node.machines === null) continue;
      const { voteSets } = node.machines.voting.status();
      const { blocksKept } = node.machines.consensus.status();
      const { pendingBytes } = node.machines.replication.status();
      if (voteSets > VOTE_SETS_MAX)
        this.#report('bounds', `n${node.instance} keeps ${voteSets} vote sets`);
      if (blocksKept > BLOCKS_KEPT_MAX)
        this.#report('bounds', `n${node.instance} keeps ${blocksKept} blocks`);
      if (pendingBytes > bytesMax)
        this.#report('bounds', `n${node.instance} keeps ${pendingBytes} bytes of batches`);
      if (node.waiting() > MAILBOX_MAX)
        this.#report('bounds', `n${node.instance} has ${node.waiting()} inputs waiting`);
    }
  }
}
