/** The weather of a run: when links are cut, nodes crash, pause, or have their clocks set. */
import type { Network } from './network.ts';
import type { SimNode } from './node.ts';
import type { Profile } from './profile.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

export interface Coverage {
  crashes: number;
  partitions: number;
  pauses: number;
  clockSteps: number;
  appendErrors: number;
}

type Link = readonly [number, number];

export class Weather {
  readonly #profile: Profile;
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #nodes: readonly SimNode[];
  readonly #random: Random;
  readonly coverage: Coverage = { crashes: 0, partitions: 0, pauses: 0, clockSteps: 0, appendErrors: 0 };
  #over = false;

  constructor(
    profile: Profile,
    scheduler: Scheduler,
    network: Network,
    nodes: readonly SimNode[],
    random: Random,
  ) {
    this.#profile = profile;
    this.#scheduler = scheduler;
    this.#network = network;
    this.#nodes = nodes;
    this.#random = random;
  }

  start(): void {
    const { partitionEveryMs, crashEveryMs, pauseEveryMs, clockStepEveryMs, blackout, faultsMs } =
      this.#profile;
    if (partitionEveryMs > 0 && this.#random.chance(0.3)) this.#partition();
    this.#repeat(partitionEveryMs, () => this.#partition());
    this.#repeat(crashEveryMs, () => this.#crash(this.#random.pick(this.#nodes)));
    this.#repeat(pauseEveryMs, () => this.#pause());
    this.#repeat(clockStepEveryMs, () => this.#stepClock());
    if (blackout) {
      this.#after(this.#random.between(faultsMs / 4, (faultsMs * 3) / 4), () => {
        for (const node of this.#nodes) this.#crash(node);
      });
    }
    this.#scheduler.after(faultsMs * 1000, () => this.#clear());
  }

  /** From now on the machines and links work; what is Byzantine stays so. */
  #clear(): void {
    this.#over = true;
    this.#network.heal();
    for (const node of this.#nodes) {
      node.faulty = false;
      if (!node.running) node.start();
    }
  }

  #repeat(meanMs: number, task: () => void): void {
    if (meanMs === 0) return;
    this.#after(this.#random.exponential(meanMs), () => {
      task();
      this.#repeat(meanMs, task);
    });
  }

  #after(delayMs: number, task: () => void): void {
    this.#scheduler.after(delayMs * 1000, () => {
      if (!this.#over) task();
    });
  }

  #crash(node: SimNode): void {
    this.coverage.crashes++;
    node.crashFor(this.#random.pick([5, 50, this.#random.between(50, 900)]));
  }

  #pause(): void {
    this.coverage.pauses++;
    this.#random.pick(this.#nodes).pauseFor(this.#random.between(20, 900));
  }

  #stepClock(): void {
    this.coverage.clockSteps++;
    const { skewMs } = this.#profile;
    this.#random.pick(this.#nodes).setup.clock.setOffset(this.#random.between(-skewMs, skewMs));
  }

  #partition(): void {
    this.coverage.partitions++;
    const links = this.#cutLinks();
    this.#network.cut(links);
    const lastsMs = this.#random.pick([this.#random.between(5, 80), this.#random.between(100, 1200)]);
    this.#after(lastsMs, () => this.#network.mend(links));
  }

  #cutLinks(): Link[] {
    const all = this.#nodes.map(({ instance }) => instance);
    const side = new Set(this.#random.shuffle(all).slice(0, this.#random.between(1, Math.max(1, all.length >> 1))));
    const across = all.flatMap((a) =>
      all.filter((b) => side.has(a) && !side.has(b)).map((b): Link => [a, b]),
    );
    const back = across.map(([a, b]): Link => [b, a]);
    const kind = this.#random.int(4);
    if (kind === 0) return across;
    if (kind === 1) return [...across, ...back].filter(() => this.#random.chance(0.5));
    return [...across, ...back];
  }
}
