/** What is kept of a history that must not be: enough to see how it came about, and to have it again. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '../cluster.ts';
import type { Fault } from '../faults/plan.ts';
import type { Transfer } from './money.ts';
import type { KeyOperation } from './register.ts';

export interface Kept {
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly violations: readonly string[];
  /** As it was drawn, and as it came: milliseconds and words. */
  readonly plan: readonly Fault[];
  readonly faults: readonly (readonly [atMs: number, what: string])[];
  readonly operations: readonly KeyOperation[];
  readonly transfers: readonly Transfer[];
}

/** One file for each of them, and the nodes' logs. */
export function keep(folder: string, kept: Kept, cluster: Cluster): void {
  mkdirSync(folder, { recursive: true });
  const { configuration, violations, plan, faults, operations, transfers } = kept;
  const files = {
    'verdict.json': JSON.stringify({ configuration, violations }, null, 2),
    'plan.json': JSON.stringify(plan, null, 2),
    'faults.jsonl': lines(faults),
    'operations.jsonl': lines(operations),
    'transfers.jsonl': lines(transfers),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), `${text}\n`);
  for (let node = 0; node < cluster.size; node++) {
    cpSync(cluster.logFile(node), join(folder, `${cluster.id(node)}.log`));
  }
}

function lines(items: readonly unknown[]): string {
  return items.map((item) => JSON.stringify(item)).join('\n');
}
