/**
 * Rule D4: no lane gets further ahead of execution than honest validators can follow (I103). When a
 * block is final, as many honest validators as must have voted for it are within 6W bytes of executing it,
 * or have not caught up yet since they started.
 */
import type { LocalMessage } from '../../../protocols/messages.ts';
import type { Block, Tip } from '../../../protocols/types.ts';
import type { SimNode } from '../node.ts';
import type { Observer, Report } from '../observer.ts';
import type { World } from '../world.ts';
import type { Registry } from './registry.ts';

interface Progress {
  final: number;
  executed: number;
  /** What was final when the node started. */
  readonly since: number;
  hasCaughtUp: boolean;
}

export class BacklogChecker implements Observer {
  readonly #world: World;
  readonly #registry: Registry;
  readonly #report: Report;
  readonly #progress = new Map<SimNode, Progress>();
  /** Bytes of each lane up to the cut of each final height; the first is that of height 0. */
  readonly #totals: (readonly number[])[];
  #cut: readonly Tip[] | null = null;

  constructor(world: World, registry: Registry, report: Report) {
    this.#world = world;
    this.#registry = registry;
    this.#report = report;
    this.#totals = [Array.from({ length: world.profile.n }, () => 0)];
  }

  started(node: SimNode): void {
    const { final } = this.#of(node);
    this.#progress.set(node, { final, executed: 0, since: final, hasCaughtUp: final === 0 });
  }

  told(node: SimNode, from: string, _to: string, message: LocalMessage): void {
    const progress = this.#of(node);
    if (message.kind === 'executeFrom') progress.executed = message.height;
    if (message.kind === 'executedTo' && from === 'transaction') {
      progress.executed = message.height;
      progress.hasCaughtUp ||= message.height >= progress.since && this.#isWithin(progress, 2);
    }
    if (message.kind !== 'finalised') return;
    const { block } = message;
    progress.final = Math.max(progress.final, block.height);
    if (block.height === this.#totals.length) this.#measure(block);
  }

  #of(node: SimNode): Progress {
    let progress = this.#progress.get(node);
    if (progress === undefined) {
      progress = { final: 0, executed: 0, since: 0, hasCaughtUp: true };
      this.#progress.set(node, progress);
    }
    return progress;
  }

  /** The first time that a block is seen final. */
  #measure(block: Block): void {
    const before = this.#totals[block.height - 1]!;
    const now = block.cut.map((tip, lane) => before[lane]! + this.#bytes(this.#cut?.[lane], tip));
    this.#totals.push(now);
    this.#cut = block.cut;
    const { profile, cluster, honest } = this.#world;
    const voters = cluster.quorum - profile.byzantine.size;
    now.forEach((total, lane) => {
      if (total === before[lane]) return;
      const bound = honest.filter((node) => this.#of(node).hasCaughtUp);
      const lags = bound.map((node) => total - this.#executed(node, block.height)[lane]!);
      const close = lags.filter((lag) => lag <= 6 * this.#window);
      if (close.length + honest.length - bound.length >= voters) return;
      this.#report(
        'rule D4',
        `block ${block.height} is final, and fewer than ${voters} honest validators are within 6 times ` +
          `${this.#window} bytes of lane ${lane} of executing it: ${lags.join(', ')}`,
      );
    });
  }

  get #window(): number {
    return this.#world.cluster.genesis.limits.laneBytesMax;
  }

  /** Whether no lane has more than so many windows that are final for it and not executed. */
  #isWithin({ final, executed }: Progress, windows: number): boolean {
    const [to, from] = [this.#totals[final], this.#totals[executed]];
    if (to === undefined || from === undefined) return false;
    return to.every((total, lane) => total - from[lane]! <= windows * this.#window);
  }

  #executed(node: SimNode, height: number): readonly number[] {
    return this.#totals[Math.min(this.#of(node).executed, height)]!;
  }

  #bytes(from: Tip | undefined, to: Tip): number {
    let bytes = 0;
    for (let at = to; at.seq > (from?.seq ?? -1);) {
      const header = this.#registry.headers.get(at.digest);
      if (header === undefined) break;
      bytes += header.bytes;
      at = { seq: at.seq - 1, digest: header.parentDigest };
    }
    return bytes;
  }
}
