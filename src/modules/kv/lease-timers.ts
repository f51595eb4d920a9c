/**
 * When leases end. Each has one timer, which is not moved when the lease is kept alive: it looks again
 * when it fires, so that to keep a lease alive costs one row (etcd's lessor does the same).
 *
 * R4. A lease ends at its newest deadline by block time, and with it at once all keys that it holds,
 *     however late their rows are deleted.
 */
import type { Commands, LeaseRow, Reads } from './rows.ts';

/** A lease of that id, which there must not be yet. */
export function addLease(
  context: Commands,
  lease: string,
  { owner, ttlMs }: Pick<LeaseRow, 'owner' | 'ttlMs'>,
): LeaseRow {
  const deadline = context.time + ttlMs;
  const row = { owner, ttlMs, deadline, ...timerAt(context, lease, deadline) };
  context.tables.leases.set(lease, row);
  return row;
}

/** The lease lasts its whole time from now on. */
export function extendLease(context: Commands, lease: string, row: LeaseRow): LeaseRow {
  const extended = { ...row, deadline: context.time + row.ttlMs };
  context.tables.leases.set(lease, extended);
  return extended;
}

/** Looks at the lease again at `due`; its timer has fired or was cancelled. */
export function rearm(context: Commands, lease: string, row: LeaseRow, due: number): void {
  context.tables.leases.set(lease, { ...row, ...timerAt(context, lease, due) });
}

/** The lease is gone, and its timer if that has not fired. */
export function dropLease(context: Commands, lease: string): void {
  const { leases } = context.tables;
  const row = leases.get(lease);
  if (row === undefined) return;
  context.cancel(row.timer);
  leases.delete(lease);
}

function timerAt(context: Commands, lease: string, due: number): { readonly timer: string } {
  return { timer: context.schedule(due, 'leaseEnds', { lease }) };
}

/** The lease while it has not ended. */
export function liveLease(
  { tables: { leases }, time }: Reads,
  lease: string,
): LeaseRow | undefined {
  const row = leases.get(lease);
  return row !== undefined && row.deadline > time ? row : undefined;
}
