/**
 * Looks at the nodes while something is done to them: when a block becomes final and where, that none
 * does, and that every term has one leader, whoever is asked.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from '../cluster.ts';
import { blockAt, statusOf, until, type Status } from '../observer.ts';

/** Far beyond any bar: what takes longer does not happen. */
const BOUND_MS = 120_000;
/** What was under way at all nodes when a quorum was lost is through by then. */
const UNDER_WAY_MS = 1_000;

export class Watch {
  /** Sentences: two leaders of one term, or a block that must not be. */
  readonly violations: string[] = [];
  readonly #cluster: Cluster;
  readonly #leaders = new Map<number, string>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async status(node: number): Promise<Status> {
    const status = await statusOf(this.#cluster, node);
    const { term, currentLeader } = status;
    const known = this.#leaders.get(term) ?? currentLeader;
    this.#leaders.set(term, known);
    if (known !== currentLeader) {
      this.violations.push(`term ${term} is led by ${known}, and by ${currentLeader}`);
    }
    return status;
  }

  /** The height up to which some of the nodes have executed. */
  async height(nodes: readonly number[]): Promise<number> {
    const statuses = await Promise.all(nodes.map((node) => this.status(node)));
    return Math.max(...statuses.map(({ executedHeight }) => executedHeight));
  }

  /**
   * Milliseconds from `since` until each of the nodes has executed a final block of a term after `term`:
   * one that the last leader had under way does not count.
   */
  afterTerm(nodes: readonly number[], term: number, since: number): Promise<number> {
    let seen = 0;
    return this.#last(nodes, since, `a final block of a term after ${term}`, async (node) => {
      const { executedHeight } = await this.status(node);
      if (executedHeight <= seen) return false;
      if ((await blockAt(this.#cluster, node, executedHeight)).term > term) return true;
      seen = Math.max(seen, executedHeight);
      return false;
    });
  }

  /** Milliseconds from `since` until each of the nodes has executed a block after `height`. */
  after(nodes: readonly number[], height: number, since: number): Promise<number> {
    return this.#last(nodes, since, `executed more than ${height}`, async (node) => {
      return (await this.status(node)).executedHeight > height;
    });
  }

  async #last(
    nodes: readonly number[],
    since: number,
    what: string,
    holds: (node: number) => Promise<boolean>,
  ): Promise<number> {
    const each = nodes.map(async (node) => {
      const name = `${this.#cluster.id(node)} has ${what}`;
      await until(name, BOUND_MS, () => holds(node), Boolean);
      return performance.now() - since;
    });
    return Math.max(...(await Promise.all(each)));
  }

  /** Looks for so long at nodes that have no quorum, and complains if a block becomes final at one. */
  async still(nodes: readonly number[], ms: number): Promise<number> {
    await pause(UNDER_WAY_MS);
    const before = await this.height(nodes);
    await pause(ms);
    const after = await this.height(nodes);
    if (after > before) {
      this.violations.push(`without a quorum ${before} was final, and then ${after}`);
    }
    return after;
  }

  /** The longest time without a new final block at any of the nodes while `act` does something. */
  async longestGap(nodes: readonly number[], act: () => Promise<void>): Promise<number> {
    let isOver = false;
    let height = 0;
    let last = performance.now();
    let longest = 0;
    const look = async (node: number): Promise<void> => {
      while (!isOver) {
        const seen = await this.status(node).catch(() => null);
        if (seen !== null && seen.executedHeight > height) {
          height = seen.executedHeight;
          longest = Math.max(longest, performance.now() - last);
          last = performance.now();
        }
        await pause(5);
      }
    };
    const looks = nodes.map(look);
    try {
      await act();
    } finally {
      isOver = true;
      await Promise.all(looks);
    }
    return Math.max(longest, performance.now() - last);
  }
}
