/** The commands on leases. */
import { Type } from '@sinclair/typebox';
import { grantLease, keepAlive, revokeLease } from './leases.ts';
import { Count, LeaseId, LeaseName, strict, TtlMs, type Kit } from './rows.ts';

const granted = Type.Object({ lease: LeaseId, ttlMs: TtlMs, deadline: Type.Integer() }, strict);

export const leaseCommands = ({ command }: Kit) => ({
  grantLease: command(
    {
      description: 'Makes a lease that lasts `ttlMs` from now on, for keys to be given it.',
      args: Type.Object({ ttlMs: TtlMs, lease: Type.Optional(LeaseName) }, strict),
      result: granted,
    },
    grantLease,
  ),

  keepAlive: command(
    {
      description: 'Has a lease last its whole time from now on.',
      args: Type.Object({ lease: LeaseId }, strict),
      result: granted,
    },
    keepAlive,
  ),

  revokeLease: command(
    {
      description: 'Ends a lease now, and with it its keys.',
      args: Type.Object({ lease: LeaseId }, strict),
      result: Type.Object({ deleted: Count, more: Type.Boolean() }, strict),
    },
    revokeLease,
  ),
});
