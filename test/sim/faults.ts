/** The weather of a run: when links are cut, nodes crash, pause, or have their clocks set. */
import type { Network } from './network.ts';
import type { SimNode } from './node.ts';
import type { Profile } from './profile.ts';
import type { Random } from '../../bench/random.ts';
import type { Scheduler } from './scheduler.ts';

export interface Coverage {
  crashes: number;
  partitions: number;
  pauses: number;
  clockSteps: number;
  clockJumps: number;
  appendErrors: number;
}

/** How long a partition lasts: a hiccup, a moment, longer than it takes to change the leader twice. */
const PARTITION_MS = [
  [5, 80],
  [100, 1_200],
  [1_000, 2_500],
] as const;

/** How far a clock is set off, and back again: beyond what counts as patience, up to a day. */
const JUMP_MS_MIN = 60_000;
const JUMP_MS_MAX = 86_400_000;

type Link = readonly [number, number];

export class Weather {
  readonly #profile: Profile;
  readonly #scheduler: Scheduler;
  readonly #network: Network;
  readonly #nodes: readonly SimNode[];
  readonly #random: Random;
  readonly coverage: Coverage = {
    crashes: 0,
    partitions: 0,
    pauses: 0,
    clockSteps: 0,
    clockJumps: 0,
    appendErrors: 0,
  };
  #over = false;
  #jumped: SimNode | null = null;

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
    const { partitionEveryMs, crashEveryMs, pauseEveryMs, blackout, faultsMs } = this.#profile;
    const { clockStepEveryMs, clockJumpEveryMs } = this.#profile;
    if (partitionEveryMs > 0 && this.#random.chance(0.3)) this.#partition();
    this.#repeat(partitionEveryMs, () => this.#partition());
    this.#repeat(crashEveryMs, () => this.#crash(this.#random.pick(this.#nodes)));
    this.#repeat(pauseEveryMs, () => this.#pause());
    this.#repeat(clockStepEveryMs, () => this.#stepClock());
    // Alone or nearly so, a validator with a wrong clock would be a quorum with a wrong clock.
    if (this.#nodes.length > 3) this.#repeat(clockJumpEveryMs, () => this.#jumpClock());
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
    this.#unjump();
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
    this.#setRight(this.#random.pick(this.#nodes));
  }

  #setRight(node: SimNode): void {
    const { skewMs } = this.#profile;
    node.setup.clock.setOffset(this.#random.between(-skewMs, skewMs));
  }

  /** One at a time: more wrong clocks than faulty validators are allowed may outvote the others. */
  #jumpClock(): void {
    if (this.#jumped !== null) return;
    this.coverage.clockJumps++;
    const node = this.#random.pick(this.#nodes);
    this.#jumped = node;
    const offMs = this.#random.between(JUMP_MS_MIN, JUMP_MS_MAX);
    node.setup.clock.setOffset(this.#random.chance(0.5) ? offMs : -offMs);
    this.#after(this.#random.between(5, 1_500), () => this.#unjump());
  }

  #unjump(): void {
    if (this.#jumped !== null) this.#setRight(this.#jumped);
    this.#jumped = null;
  }

  #partition(): void {
    this.coverage.partitions++;
    const links = this.#cutLinks();
    this.#network.cut(links);
    const [fromMs, toMs] = this.#random.pick(PARTITION_MS);
    const lastsMs = this.#random.between(fromMs, toMs);
    this.#after(lastsMs, () => this.#network.mend(links));
  }

  #cutLinks(): Link[] {
    const all = this.#nodes.map(({ instance }) => instance);
    const side = new Set(
      this.#random.shuffle(all).slice(0, this.#random.between(1, Math.max(1, all.length >> 1))),
    );
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
