/**
 * When leases end. Each has one timer, which is not moved when the lease is kept alive: it looks again
 * when it fires, so that to keep a lease alive costs one row (etcd's lessor does the same).
 *
 * R4. A lease ends at its newest deadline by block time, and with it at once all keys that it holds,
 *     however late their rows are deleted.
 */
import type { Commands, LeaseRow, Reads } from './rows.ts';

/** Grants the lease, or grants it anew, from now on. */
export function putLease(
  context: Commands,
  lease: string,
  { owner, ttlMs }: Pick<LeaseRow, 'owner' | 'ttlMs'>,
): LeaseRow {
  const { leases } = context.tables;
  const deadline = context.time + ttlMs;
  const before = leases.get(lease);
  const fires = before !== undefined && before.due <= deadline;
  if (before !== undefined && !fires) context.cancel(before.timer);
  const row = {
    owner,
    ttlMs,
    deadline,
    ...(fires ? timerOf(before) : timerAt(context, lease, deadline)),
  };
  leases.set(lease, row);
  return row;
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

function timerOf({ timer, due }: LeaseRow): Pick<LeaseRow, 'timer' | 'due'> {
  return { timer, due };
}

function timerAt(context: Commands, lease: string, due: number): Pick<LeaseRow, 'timer' | 'due'> {
  return { timer: context.schedule(due, 'leaseEnds', { lease }), due };
}

/** The lease while it has not ended. */
export function liveLease(
  { tables: { leases }, time }: Reads,
  lease: string,
): LeaseRow | undefined {
  const row = leases.get(lease);
  return row !== undefined && row.deadline > time ? row : undefined;
}
