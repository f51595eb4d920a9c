/**
 * Leases: whoever grants one says how long it lasts, keeps it alive, and gives it to keys, which go when
 * it ends. A lease may have more keys than a block should delete, so that goes step by step.
 *
 * R7. Only its owner keeps a lease alive, revokes it, or gives it to keys.
 * R8. A block deletes at most SWEPT_PER_BLOCK keys of leases that have ended; the rest follows in the next
 *     ones, each step at a revision of its own.
 */
import { toHex } from '../../../protocols/bytes.ts';
import { ModuleRefusal, refuse } from '../../../protocols/transaction/module.ts';
import { Changes } from './changes.ts';
import { deleteSteps, LOOK_STEPS } from './costs.ts';
import { addLease, dropLease, extendLease, liveLease, rearm } from './lease-timers.ts';
import { isOwnLease, type Commands, type LeaseRow } from './rows.ts';

export const SWEPT_PER_BLOCK = 500;
/** Of the shortest key. */
const SWEEP_STEPS = LOOK_STEPS + deleteSteps('');
const BLOCK = 'block';

export interface Granted {
  readonly lease: string;
  readonly ttlMs: number;
  readonly deadline: number;
}

export function grantLease(
  context: Commands,
  { lease = toHex(context.random().slice(0, 8)), ttlMs }: { lease?: string; ttlMs: number },
): Granted | ModuleRefusal {
  if (context.tables.leases.get(lease) !== undefined) {
    return refuse('lease_exists', 'there is a lease of that name');
  }
  const { deadline } = addLease(context, lease, { owner: context.sender, ttlMs });
  return { lease, ttlMs, deadline };
}

export function keepAlive(
  context: Commands,
  { lease }: { lease: string },
): Granted | ModuleRefusal {
  const row = ownedBy(context, lease);
  if (row instanceof ModuleRefusal) return row;
  const { ttlMs, deadline } = extendLease(context, lease, row);
  return { lease, ttlMs, deadline };
}

/** Ends the lease; `more` when not all of its keys are deleted yet, which nobody sees. */
export function revokeLease(
  context: Commands,
  { lease }: { lease: string },
): { deleted: number; more: boolean } | ModuleRefusal {
  const row = ownedBy(context, lease);
  if (row instanceof ModuleRefusal) return row;
  context.cancel(row.timer);
  return endLease(context, lease, { ...row, deadline: context.time });
}

function ownedBy(context: Commands, lease: string): LeaseRow | ModuleRefusal {
  const row = liveLease(context, lease);
  if (row === undefined) return refuse('lease_not_found', 'there is no such lease, or it ended');
  if (row.owner === context.sender) return row;
  return refuse('not_lease_owner', 'the lease is another sender’s');
}

/** The timer of a lease: it may have been kept alive meanwhile. */
export function leaseEnds(context: Commands, { lease }: { lease: string }): void {
  const row = context.tables.leases.get(lease);
  if (row === undefined) return;
  if (row.deadline > context.time) rearm(context, lease, row, row.deadline);
  else endLease(context, lease, row);
}

function endLease(
  context: Commands,
  lease: string,
  row: LeaseRow,
): { deleted: number; more: boolean } {
  const deleted = sweep(context, lease);
  const more = firstKeys(context, lease, 1).length > 0;
  if (more) rearm(context, lease, row, context.time + 1);
  else dropLease(context, lease);
  return { deleted, more };
}

/** Deletes the first keys of the lease, as many as the block and the transaction have room for. */
function sweep(context: Commands, lease: string): number {
  const { swept } = context.tables;
  const { height, meter } = context;
  const before = swept.get(BLOCK);
  const used = before?.height === height ? before.keys : 0;
  const room = Math.min(SWEPT_PER_BLOCK - used, Math.floor(meter.left / SWEEP_STEPS));
  const rowKeys: string[] = [];
  for (const rowKey of firstKeys(context, lease, room)) {
    const steps = LOOK_STEPS + deleteSteps(rowKey);
    if (steps > meter.left) break;
    meter.spend(steps);
    rowKeys.push(rowKey);
  }
  if (rowKeys.length === 0) return 0;
  deleteAll(context, rowKeys);
  swept.set(BLOCK, { height, keys: used + rowKeys.length });
  return rowKeys.length;
}

/** Row keys of what the lease holds, in their order. */
function firstKeys({ tables: { entries } }: Commands, lease: string, limit: number): string[] {
  if (limit <= 0) return [];
  if (isOwnLease(lease)) return entries.get(lease)?.lease === lease ? [lease] : [];
  const rowKeys: string[] = [];
  let after: string | null | undefined;
  while (after !== null && rowKeys.length < limit) {
    const range = { equals: lease, after, limit: limit - rowKeys.length };
    const page: ReturnType<typeof entries.pageBy> = entries.pageBy('byLease', range);
    rowKeys.push(...page.rows.map(([key]) => key));
    after = page.next;
  }
  return rowKeys;
}

function deleteAll(context: Commands, rowKeys: readonly string[]): void {
  let changes: Changes | null = null;
  for (const rowKey of rowKeys) {
    const slash = rowKey.indexOf('/');
    const namespace = rowKey.slice(0, slash);
    if (changes?.namespace !== namespace) {
      changes?.finish();
      changes = new Changes(context, namespace);
    }
    changes.sweep(rowKey.slice(slash + 1));
  }
  changes?.finish();
}
