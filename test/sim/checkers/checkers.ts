/** All checkers of a run, and what they saw happen. */
import type { Observer, Report } from '../observer.ts';
import type { World } from '../world.ts';
import { BacklogChecker } from './backlog.ts';
import { ConductChecker } from './conduct.ts';
import { DurabilityChecker } from './durability.ts';
import { OrderChecker } from './order.ts';
import { PatienceChecker } from './patience.ts';
import { RecordChecker } from './record.ts';
import { Registry } from './registry.ts';

export interface Checkers {
  readonly observers: Observer[];
  readonly order: OrderChecker;
  readonly patience: PatienceChecker;
  readonly coverage: Readonly<Record<string, number>>;
  measure(): void;
}

export function makeCheckers(world: World, report: Report): Checkers {
  const registry = new Registry(world);
  const order = new OrderChecker(world, registry, report);
  const record = new RecordChecker(world, registry, order, report);
  const patience = new PatienceChecker(world, record, report);
  const durability = new DurabilityChecker({ registry, record, order, patience }, report);
  const backlog = new BacklogChecker(world, registry, report);
  const conduct = new ConductChecker(world, report);
  return {
    observers: [durability, order, backlog, conduct, patience, world.history.witness],
    order,
    patience,
    get coverage() {
      return { ...record.coverage, ...conduct.coverage };
    },
    measure: () => conduct.measure(),
  };
}
