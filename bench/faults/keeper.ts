/**
 * Keeps the nodes of a cluster running, as a supervisor of services does: one that ends is started
 * again, unless its exit code says that this cannot help, or it is to stay down for now.
 */
import type { Cluster } from '../cluster.ts';

const AGAIN_MS = 1_000;
/** Usage, a log that is not what was written, a diverged state: nothing that a fault here may bring about. */
const FINAL_EXITS: ReadonlySet<unknown> = new Set([2, 3, 4]);

export class Keeper {
  /** Ends that nobody brought about, by exit code or signal. */
  readonly exits = new Map<string, number>();
  /** Sentences: ends that must not be. */
  readonly violations: string[] = [];
  #cluster: Cluster | null = null;
  readonly #lives: number[] = [];
  /** By node: how many faults want it down. */
  readonly #down: number[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();

  /** What to give to a cluster as `onEnded`. */
  readonly onEnded = (node: number, exit: number | NodeJS.Signals | null): void => {
    const name = String(exit);
    this.exits.set(name, (this.exits.get(name) ?? 0) + 1);
    if (FINAL_EXITS.has(exit)) {
      this.violations.push(`node ${node} ended by itself with exit code ${name}`);
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#start(node);
    }, AGAIN_MS);
    this.#timers.add(timer);
  };

  async start(cluster: Cluster): Promise<void> {
    this.#cluster = cluster;
    await cluster.start();
  }

  /** How often it was started again. */
  lifeOf(node: number): number {
    return this.#lives[node] ?? 0;
  }

  /** Kills it, and keeps it down until as many have called `release`. */
  async kill(node: number): Promise<void> {
    this.#down[node] = (this.#down[node] ?? 0) + 1;
    await this.#cluster!.end(node, 'SIGKILL');
  }

  release(node: number): void {
    this.#down[node]!--;
    this.#start(node);
  }

  /** Starts nothing any more. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#cluster = null;
  }

  #start(node: number): void {
    if (this.#cluster === null || (this.#down[node] ?? 0) > 0 || this.#cluster.runs(node)) return;
    this.#lives[node] = this.lifeOf(node) + 1;
    this.#cluster.spawn(node);
  }
}
