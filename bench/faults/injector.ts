/** Does to a cluster what a plan says, and undoes it. Faults may overlap, also on one node. */
import { writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Cluster } from '../cluster.ts';
import type { Disks } from './disks.ts';
import type { Keeper } from './keeper.ts';
import { FAIR, type Weather } from './link-proxy.ts';
import { CUT, HOLE } from './links.ts';
import { textOf, type Fault, type Partition } from './plan.ts';

const FLAP_MS = 300;
const LATE: Weather = { ...FAIR, delayMs: 80 };

export interface InjectorOptions {
  readonly cluster: Cluster;
  readonly keeper: Keeper;
  /** Null where there are none: then the plan has no `disk`. */
  readonly disks: Disks | null;
  /** The file that says how far a node's clock is off. */
  readonly clockOf: (node: number) => string;
  readonly say: (what: string) => void;
}

/** What undoes a fault. */
type Undo = () => Promise<void> | void;

export class Injector {
  readonly #options: InjectorOptions;
  readonly #isOver = new AbortController();

  constructor(options: InjectorOptions) {
    this.#options = options;
  }

  /** Resolves when the last fault is over and all is mended. Rejects when a fault could not be done. */
  async run(plan: readonly Fault[]): Promise<void> {
    const startedAt = performance.now();
    const one = async (fault: Fault): Promise<void> => {
      await this.#wait(startedAt + fault.atMs - performance.now());
      this.#options.say(textOf(fault));
      const undo = await this.#begin(fault);
      await this.#wait(fault.forMs);
      await undo();
    };
    await Promise.all(plan.map(one));
    await this.mend();
  }

  /** No further fault begins, and those under way end soon. */
  stop(): void {
    this.#isOver.abort();
  }

  /** Whatever is disturbed is not any more. */
  async mend(): Promise<void> {
    const { cluster, disks, clockOf } = this.#options;
    cluster.links.heal();
    for (let node = 0; node < cluster.size; node++) {
      disks?.empty(cluster.id(node));
      writeFileSync(clockOf(node), '0');
      if (cluster.runs(node)) cluster.resume(node);
      await cluster.serverOf(node).restart();
    }
  }

  async #wait(ms: number): Promise<void> {
    await pause(Math.max(0, ms), undefined, { signal: this.#isOver.signal });
  }

  async #begin(fault: Fault): Promise<Undo> {
    const { cluster, keeper, disks, clockOf } = this.#options;
    const { nodes } = fault;
    switch (fault.kind) {
      case 'kill':
        await Promise.all(nodes.map((node) => keeper.kill(node)));
        return () => nodes.forEach((node) => keeper.release(node));
      case 'pause':
        for (const node of nodes) if (cluster.runs(node)) cluster.pause(node);
        return () => nodes.forEach((node) => cluster.runs(node) && cluster.resume(node));
      case 'partition':
        return this.#part(nodes, fault.partition);
      case 'database':
        await Promise.all(nodes.map((node) => cluster.serverOf(node).kill()));
        return () => this.#restartServers(nodes);
      case 'disk':
        await Promise.all(nodes.map((node) => disks!.fill(cluster.id(node))));
        return async () => {
          for (const node of nodes) disks!.empty(cluster.id(node));
          await this.#restartServers(nodes);
        };
      case 'clock':
        for (const node of nodes) writeFileSync(clockOf(node), String(fault.offsetMs));
        return () => nodes.forEach((node) => writeFileSync(clockOf(node), '0'));
    }
  }

  /** Those that run go on as they are. One that cannot start for another fault starts after that. */
  async #restartServers(nodes: readonly number[]): Promise<void> {
    const { cluster, say } = this.#options;
    const restarts = nodes.map((node) => cluster.serverOf(node).restart());
    for (const { status, ...rest } of await Promise.allSettled(restarts)) {
      if (status === 'rejected')
        say(`a database does not start yet: ${String(Object.values(rest)[0])}`);
    }
  }

  #part(nodes: readonly number[], partition: Partition): Undo {
    const { links } = this.#options.cluster;
    const heal = (): void => links.isolate(nodes, FAIR);
    switch (partition) {
      case 'hole':
        links.isolate(nodes, HOLE);
        return heal;
      case 'unheard':
        links.isolate(nodes, HOLE, 'said');
        return heal;
      case 'deaf':
        links.isolate(nodes, HOLE, 'heard');
        return heal;
      case 'cut':
        links.isolate(nodes, CUT);
        return heal;
      case 'late':
        links.isolate(nodes, LATE);
        return heal;
      case 'flapping':
        return this.#flap(nodes, heal);
    }
  }

  #flap(nodes: readonly number[], heal: () => void): Undo {
    let isCut = false;
    const timer = setInterval(() => {
      isCut = !isCut;
      this.#options.cluster.links.isolate(nodes, isCut ? CUT : FAIR);
    }, FLAP_MS);
    return () => {
      clearInterval(timer);
      heal();
    };
  }
}
