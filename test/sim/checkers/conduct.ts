/**
 * Accusations, failures and growth: no honest node is ever accused of anything, no honest node's
 * machine gives up, and nothing that a node keeps in memory grows without bound.
 */
import { faultyMax } from '../../../protocols/quorum.ts';
import type { NodeMachines } from '../engine.ts';
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
const MEASURE_EVERY_MS = 50;
const MAILBOX_MAX = 20_000;
/** Each set has a vote, and no validator has more of them. */
const VOTES_PER_VALIDATOR_MAX = 2_048;
/** Blocks and certificates above the final block: 64 of each, more where terms fail or leaders lie. */
const BLOCKS_KEPT_MAX = 1_000;

export class ConductChecker implements Observer {
  readonly #world: World;
  readonly #report: Report;
  readonly coverage = {
    faultsSeen: 0,
    evidence: 0,
    restarts: 0,
    appendFailures: 0,
    programsMissing: 0,
    fetches: 0,
  };

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
      this.coverage[error.name === 'AppendRefused' ? 'appendFailures' : 'programsMissing']++;
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

  /** Now and from now on; bounds are those that the limits of the genesis imply. */
  measure(): void {
    for (const node of this.#world.honest) {
      if (node.up && node.machines !== null) this.#measure(node, node.machines);
    }
    this.#world.scheduler.after(MEASURE_EVERY_MS * 1000, () => this.measure());
  }

  #measure(node: SimNode, { voting, consensus, replication }: NodeMachines): void {
    const { n } = this.#world.cluster;
    const expect = (kept: number, max: number, what: string): void => {
      if (kept > max) this.#report('bounds', `n${node.instance} keeps ${kept} ${what}`);
    };
    expect(voting.status().voteSets, n * VOTES_PER_VALIDATOR_MAX, 'vote sets');
    expect(consensus.status().blocksKept, BLOCKS_KEPT_MAX, 'blocks');
    expect(replication.status().pendingBytes, this.#pendingBytesMax(), 'bytes of batches');
    expect(node.waiting(), MAILBOX_MAX, 'inputs in a mailbox');
  }

  /**
   * Of each lane 2W in its chain and ahead of it, and as much again in either of the two walks where
   * its owner makes branches (I67, I74). What waits for execution is next to nothing here.
   */
  #pendingBytesMax(): number {
    const { n, genesis } = this.#world.cluster;
    return 2 * genesis.limits.laneBytesMax * (n + 2 * faultyMax(n));
  }
}
