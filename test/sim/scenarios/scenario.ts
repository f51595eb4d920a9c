/** Scripted runs: a quiet cluster in which exactly what the script says goes wrong. */
import type { LocalMessage } from '../../../protocols/messages.ts';
import { loadEngine } from '../build-engine.ts';
import type { BehaviourName } from '../byzantine/behaviours.ts';
import type { SimNode } from '../node.ts';
import type { Observer } from '../observer.ts';
import { profileOf, type Profile } from '../profile.ts';
import { World, type Outcome, type WorldOptions } from '../world.ts';

export const engine = await loadEngine();

export interface Script {
  readonly seed?: number;
  readonly nodes?: number;
  readonly byzantine?: Readonly<Record<number, readonly BehaviourName[]>>;
  readonly profile?: Partial<Profile>;
  /** Arranges the faults before the clock starts. */
  readonly arrange?: (world: World) => void;
  readonly observe?: Observer;
  readonly counts?: WorldOptions['counts'];
}

export function play(script: Script): { readonly world: World; readonly outcome: Outcome } {
  const options = { nodes: script.nodes ?? 4, focus: ['calm'] as const };
  const quiet = profileOf(script.seed ?? 1, options);
  const byzantine = new Map(
    Object.entries(script.byzantine ?? {}).map(([validator, names]) => [Number(validator), names]),
  );
  const profile: Profile = {
    ...quiet,
    link: { minUs: 500, jitterUs: 200, loss: 0, duplicate: 0, ordered: true },
    syncUs: 500,
    heartbeatMs: 100,
    clients: 2,
    submissionsPerClient: 6,
    faultsMs: 2_000,
    byzantine,
    calm: false,
    ...script.profile,
  };
  const world = new World(engine, profile, {
    arrange: (made) => arrange(made, script),
    ...(script.counts && { counts: script.counts }),
  });
  return { world, outcome: world.run() };
}

function arrange(world: World, script: Script): void {
  if (script.observe) world.checkers.observers.push(script.observe);
  script.arrange?.(world);
}

/** At this virtual time. */
export function at(world: World, ms: number, task: () => void): void {
  world.scheduler.at(ms * 1000, task);
}

/** When each height became final somewhere first, in milliseconds. */
export class Heights implements Observer {
  readonly firstFinalMs: number[] = [];

  told(node: SimNode, _from: string, _to: string, message: LocalMessage): void {
    if (message.kind !== 'finalised') return;
    this.firstFinalMs[message.block.height] ??= node.setup.scheduler.now / 1000;
  }

  /** How many heights became final between these times. */
  between(fromMs: number, toMs: number): number {
    return this.firstFinalMs.filter((ms) => ms >= fromMs && ms < toMs).length;
  }

  /** How long after this time the next height became final. */
  nextAfter(fromMs: number): number {
    return Math.min(...this.firstFinalMs.filter((ms) => ms >= fromMs)) - fromMs;
  }
}
