/**
 * Agreement and total order: no two honest nodes have different final blocks, batches, states or
 * receipts at one height — and no two blocks could be made final by adding Byzantine votes.
 */
import type { LogEvent } from '../../../protocols/machine.ts';
import type { LocalMessage } from '../../../protocols/messages.ts';
import type { Certificate, Digest, Executed, Vote } from '../../../protocols/types.ts';
import type { SimNode } from '../node.ts';
import type { Observer, Report } from '../observer.ts';
import type { World } from '../world.ts';
import type { Registry } from './registry.ts';

export class OrderChecker implements Observer {
  readonly final = new Map<number, Digest>();
  readonly executed = new Map<number, Executed>();
  readonly #batches = new Map<number, string>();
  readonly #commitVotes = new Map<Digest, Set<number>>();
  readonly #committable = new Map<number, Digest>();
  readonly #lastFinal = new Map<SimNode, { incarnation: number; height: number }>();
  readonly #lastExecuted = new Map<SimNode, { incarnation: number; height: number }>();
  readonly #world: World;
  readonly #registry: Registry;
  readonly #report: Report;

  constructor(world: World, registry: Registry, report: Report) {
    this.#world = world;
    this.#registry = registry;
    this.#report = report;
  }

  /** Height up to which blocks are final somewhere, or can be by adding Byzantine votes. */
  get highest(): number {
    return Math.max(0, ...this.final.keys(), ...this.#committable.keys());
  }

  told(node: SimNode, _from: string, to: string, message: LocalMessage): void {
    switch (message.kind) {
      case 'finalised':
        this.#inOrder(this.#lastFinal, node, message.block.height, 'finalises');
        this.#final(node, message.block.height, this.#registry.learn(message.block));
        if (this.#registry.digestOf(message.block) !== message.digest) {
          this.#report(
            'agreement',
            `n${node.instance} misnames its final block ${message.block.height}`,
          );
        }
        return;
      case 'execute':
        this.#inOrder(this.#lastExecuted, node, message.block.height, 'executes');
        return this.#execute(node, message);
      case 'checkpointExecuted':
        if (to === 'consensus') this.#checkpoint(node, message.executed);
        return;
      default:
    }
  }

  /** A commit vote of an honest node that can no longer be lost. */
  commitVoted(node: SimNode, vote: Vote): void {
    let voters = this.#commitVotes.get(vote.block);
    if (voters === undefined) this.#commitVotes.set(vote.block, (voters = new Set()));
    voters.add(vote.voter);
    const byzantine = this.#world.profile.byzantine.size;
    if (voters.size < this.#world.cluster.quorum - byzantine) return;
    const rival = this.#committable.get(vote.height) ?? this.final.get(vote.height);
    if (rival !== undefined && rival !== vote.block) {
      return this.#report(
        'agreement',
        `height ${vote.height} can be committed twice (n${node.instance} voted last)`,
      );
    }
    if (rival !== undefined) return;
    this.#committable.set(vote.height, vote.block);
    this.#expectOneChain(vote);
  }

  /** Committable blocks lie on one chain: it is enough to look at the neighbours. */
  #expectOneChain(vote: Vote): void {
    let below = 0;
    let above = Infinity;
    for (const height of this.#committable.keys()) {
      if (height < vote.height) below = Math.max(below, height);
      if (height > vote.height) above = Math.min(above, height);
    }
    this.#expectDescent(below, vote.height);
    this.#expectDescent(vote.height, above);
  }

  #expectDescent(low: number, high: number): void {
    const [ancestor, digest] = [this.#committable.get(low), this.#committable.get(high)];
    if (ancestor === undefined || digest === undefined) return;
    if (this.#registry.descends(digest, ancestor, low)) return;
    this.#report('agreement', `heights ${low} and ${high} can be committed on different branches`);
  }

  #final(node: SimNode, height: number, digest: Digest): void {
    const known = this.final.get(height) ?? this.#committable.get(height);
    if (known !== undefined && known !== digest) {
      return this.#report(
        'agreement',
        `n${node.instance} has ${digest.slice(0, 8)} at height ${height}, elsewhere ${known.slice(0, 8)} is final`,
      );
    }
    this.final.set(height, digest);
  }

  #inOrder(
    last: Map<SimNode, { incarnation: number; height: number }>,
    node: SimNode,
    height: number,
    verb: string,
  ): void {
    const before = last.get(node);
    if (before?.incarnation === node.incarnation && height !== before.height + 1) {
      this.#report('order', `n${node.instance} ${verb} height ${height} after ${before.height}`);
    }
    last.set(node, { incarnation: node.incarnation, height });
  }

  #execute(node: SimNode, message: Extract<LocalMessage, { kind: 'execute' }>): void {
    const { height } = message.block;
    const { n } = this.#world.cluster;
    const ranks = message.batches.map(({ lane }) => (lane - (height % n) + n) % n);
    if (ranks.some((rank, at) => at > 0 && rank < (ranks[at - 1] as number))) {
      this.#report(
        'rule E1',
        `n${node.instance} executes the lanes of height ${height} out of order`,
      );
    }
    const parts = message.batches.map(
      ({ lane, payload }) => `${lane}:${this.#world.crypto.hash(payload).slice(0, 16)}`,
    );
    const said = `${message.digest.slice(0, 16)} ${parts.join(' ')}`;
    const known = this.#batches.get(height);
    if (known === undefined) this.#batches.set(height, said);
    else if (known !== said) {
      this.#report(
        'order',
        `n${node.instance} executes other batches at height ${height}: ${said} / ${known}`,
      );
    }
  }

  #checkpoint(node: SimNode, executed: Executed): void {
    const known = this.executed.get(executed.height);
    if (known === undefined) {
      this.executed.set(executed.height, executed);
    } else if (
      known.stateRoot !== executed.stateRoot ||
      known.receiptsRoot !== executed.receiptsRoot ||
      known.pendingSet !== executed.pendingSet
    ) {
      this.#report('state', `n${node.instance} reaches another state at height ${executed.height}`);
    }
  }

  /** What the chain stream holds is what was finalised, and by what (B6, C1). */
  chainStored(
    node: SimNode,
    event: LogEvent,
    digest: Digest,
    certificate: Certificate | null,
  ): void {
    this.#final(node, event.seq + 1, digest);
    if (certificate === null) return;
    const isProof =
      certificate.kind === 'commit' &&
      certificate.block === digest &&
      certificate.votes.length >= this.#world.cluster.quorum;
    if (!isProof)
      this.#report(
        'rule B6',
        `n${node.instance} finalises height ${event.seq + 1} without a commit certificate`,
      );
  }
}
